//! PostgreSQL servers and client programs, for sources, sinks and throw-away clusters.
//!
//! Owns how a server is reached, which programs are run and how a program of PostgreSQL lives as
//! a child of ours. It knows nothing of repositories, of what a dump is for, or where it goes.

pub(crate) mod child;
mod connection;
pub(crate) mod environment;
mod programs;
mod scratch;
#[cfg(test)]
pub(crate) mod testing;
mod url;

pub use child::{ChildError, Stderr};
pub(crate) use connection::said;
pub use connection::{Connection, ConnectionError, Host, Said, Session};
pub use programs::{Programs, ProgramsError, Version};
pub use scratch::{ScratchCluster, ScratchError};
pub use url::UrlError;
