//! What retention knows of a run.

use backup_model::{End, SnapshotName};
use jiff::Timestamp;

/// A run of a job, as its public record tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Which one.
    pub name: SnapshotName,
    /// When its record was written, by the writer's clock.
    pub created: Timestamp,
    /// How it ended.
    pub end: End,
    /// Stored size of all packs that it uses.
    pub stored_bytes: u64,
    /// Whether somebody holds it.
    pub held: bool,
    /// Whether a restore of it was proven.
    pub proven: bool,
}
