//! Secrets that are replaced while they are in use: passwords of databases and access keys of
//! storage, wherever the configuration refers to a file.
//!
//! One order for all: the new secret is durable beside the old one before anything changes, it is
//! tried on the living system, and the old one goes only when the new one has worked. A process
//! that dies in between leaves files beside, by which the next one finds out which of the two
//! works, and goes on or back. Knows the configuration and the engine, no terminal.

mod credentials;
mod error;
mod file;
mod password;
mod users;

pub use credentials::{CredentialsRotation, NewCredentials};
pub use error::RotationError;
pub use file::Left;
pub use password::PasswordRotation;
pub use users::PasswordUse;
