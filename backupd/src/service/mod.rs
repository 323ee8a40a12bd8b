//! The in-process service: does the work of [`Service`](backupd_api::Service) here and now, by
//! the configuration, without a daemon.

mod access;
mod backup;
mod direct;
mod looking;
mod public;
mod recorded;
mod restoring;
mod sources;
mod trusting;

pub use access::{Access, Place, Watched};
pub use direct::Direct;
pub(crate) use public::keys;
pub use public::role;
pub(crate) use sources::{connection, connection_with, programs};
