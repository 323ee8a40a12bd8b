//! The in-process service: does the work of [`Service`](backupd_api::Service) here and now, by
//! the configuration, without a daemon.

mod access;
mod backup;
mod direct;
mod looking;
mod public;
mod sources;

pub use access::{Access, Place};
pub use direct::Direct;
pub use public::role;
pub(crate) use sources::connection_with;
