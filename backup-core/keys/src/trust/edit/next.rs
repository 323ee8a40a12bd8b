//! The record that follows another.

use backup_model::Digest;
use jiff::Timestamp;

use crate::TrustRecord;

/// What every next record needs.
#[derive(Clone, Copy, Debug)]
pub struct Edit {
    /// The digest of the record that is changed.
    pub prev: Digest,
    /// The time.
    pub now: Timestamp,
}

impl TrustRecord {
    pub(super) fn next(&self, edit: Edit) -> Self {
        Self {
            version: self.version + 1,
            prev: edit.prev,
            created: edit.now,
            ..self.clone()
        }
    }
}
