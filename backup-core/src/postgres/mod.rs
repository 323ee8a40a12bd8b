//! PostgreSQL servers and client programs, for sources, sinks and throw-away clusters.
//!
//! Owns how a server is reached and which programs are run. It knows nothing of repositories, of what a dump is for, or where it goes.

mod connection;
pub(crate) mod environment;
mod password;
mod programs;
mod scratch;
#[cfg(test)]
pub(crate) mod testing;
mod url;
mod verifier;

pub(crate) use connection::said;
pub use connection::{Connection, ConnectionError, Host, Said, Session};
pub use password::{SignedIn, SignedInAs, new_password};
pub use programs::{Programs, ProgramsError, Version};
pub use scratch::{ScratchCluster, ScratchError};
pub use url::UrlError;
pub use verifier::scram_holds;
