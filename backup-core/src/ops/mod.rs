//! Operations: one file each, readable from top to bottom.
//!
//! An operation takes what it works on, a [`Progress`](backup_model::Progress) sink and a
//! cancellation token, and gives a report of `backup-model`.

mod backup;
mod cat;
mod copy;
mod error;
mod ground;
mod list;
mod plan;
mod restore;
mod sources;
mod verify;

pub use backup::{BackupJob, Clock, backup};
pub use cat::cat;
pub use error::OpError;
pub use list::{describe, list, newest};
pub use plan::{Prepared, RestoreRequest, plan};
pub use restore::restore;
pub use sources::{PostgresSource, Source};
pub use verify::{Verifier, verify};
