//! Pins: somebody reads a snapshot, and what it names must stay meanwhile.

use backup_keys::RecordKind;
use backup_model::{Digest, JobName, Nonce, RepositoryId, Seq};
use serde::{Deserialize, Serialize};

use super::ObjectRef;

/// `pins/<id>.json`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "pin")]
pub struct Pin {
    /// The repository.
    pub repository: RepositoryId,
    /// Tells this pin from every other.
    pub id: Nonce,
    /// The job of the snapshot.
    pub job: JobName,
    /// Its number.
    pub seq: Seq,
    /// The digest of its record.
    pub record: Digest,
    /// Its recipe.
    pub recipe: ObjectRef,
    /// Its refs.
    pub refs: ObjectRef,
    /// After so many seconds, by the store's clock, it no longer counts.
    pub limit_secs: u64,
}

impl RecordKind for Pin {}
