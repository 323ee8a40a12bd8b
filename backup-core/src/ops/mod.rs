//! Operations: one file each, readable from top to bottom.
//!
//! An operation takes what it works on, a [`Progress`](backup_model::Progress) sink and a
//! cancellation token, and gives a report of `backup-model`.

mod backup;
mod cat;
mod copy;
mod error;
mod list;
mod restore;
mod verify;

pub use backup::{BackupJob, Clock, PostgresSource, Source, backup};
pub use cat::cat;
pub use error::OpError;
pub use list::{describe, list, newest};
pub use restore::{Prepared, RestoreRequest, plan, restore};
pub use verify::{Verifier, verify};
