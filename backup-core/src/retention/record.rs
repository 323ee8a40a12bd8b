//! What retention knows of a run.

use backup_model::{End, SnapshotInfo, SnapshotName};
use jiff::Timestamp;

/// A run of a job, as far as it matters for what stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Which one.
    pub snapshot: SnapshotName,
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

impl Record {
    /// A listed run, with what only proofs know.
    pub fn new(info: &SnapshotInfo, proven: bool) -> Self {
        Self {
            snapshot: info.snapshot.clone(),
            created: info.created,
            end: info.end,
            stored_bytes: info.stored_bytes,
            held: info.held.is_some(),
            proven,
        }
    }
}
