//! Operations: one file each, readable from top to bottom.
//!
//! An operation takes what it works on, a [`Progress`](backup_model::Progress) sink and a
//! cancellation token, and gives a report of `backup-model`.

mod backup;
mod browse;
mod candidates;
mod cat;
mod check;
mod choose;
mod copy;
mod diff;
mod error;
mod find;
mod forget;
mod ground;
mod heads;
mod in_place;
mod key_files;
mod list;
mod ls;
mod plan;
mod protect;
mod prune;
mod restore;
mod retention;
mod sources;
mod stats;
mod survey;
mod trust;
mod verify;

pub use backup::{BackupJob, Clock, backup};
pub use cat::cat;
pub use check::check;
pub use diff::diff;
pub use error::OpError;
pub use find::find;
pub use forget::{forget, hold, release};
pub use heads::audit_heads;
pub use key_files::key_files;
pub use list::{describe, list, newest};
pub use ls::ls;
pub use plan::{Prepared, RestoreRequest, plan};
pub use prune::{PruneOptions, plan_prune, prune};
pub use restore::{restore, restore_after};
pub use retention::retention_records;
pub use sources::{PostgresSource, Source};
pub use stats::{stats, stored_bytes};
pub use trust::{Authority, TrustTexts, change_trust, known_trust, test_key, trust_texts};
pub use verify::{Verification, Verifier, verify};
