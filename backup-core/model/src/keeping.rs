//! What is kept and what goes: holds, forgets, prunes, and what a repository holds all told.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Failure, JobName, RepositoryId, SnapshotName};

/// Why a run was forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The retention policy let it go.
    Retention,
    /// Somebody asked for it.
    Request,
}

impl Why {
    /// The word in records and texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retention => "retention",
            Self::Request => "request",
        }
    }
}

/// A snapshot that must not be forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HoldInfo {
    /// Which one.
    pub snapshot: SnapshotName,
    /// Why, in the words of whoever holds it. Whoever reads the storage can read this.
    pub reason: String,
    /// Since when.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub created: Timestamp,
}

/// What forgetting did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ForgetReport {
    /// What is forgotten now, and was not before.
    pub forgotten: Vec<SnapshotName>,
    /// What had been forgotten already.
    pub already: Vec<SnapshotName>,
    /// Records that could not be deleted. They are dead all the same, and prune tries again.
    pub left: Vec<Failure>,
}

/// A number of objects and their stored size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Amount {
    /// How many.
    pub objects: u64,
    /// Their stored size.
    pub bytes: u64,
}

impl Amount {
    /// Adds one object.
    pub fn add(&mut self, bytes: u64) {
        self.objects += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            objects: self.objects.saturating_add(other.objects),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

/// A run that has begun and has no end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OpenRun {
    /// Which one.
    pub run: SnapshotName,
    /// When it began, by its writer's clock.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub began: Timestamp,
    /// From when on others may end it, by the store's clock.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub limit: Timestamp,
}

/// What a prune would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PrunePlan {
    /// The number of this prune.
    pub generation: u64,
    /// Whether it is stored already, by somebody who began it.
    pub begun: bool,
    /// Packs that no snapshot names.
    pub packs: Amount,
    /// Recipes and refs that no snapshot names.
    pub lists: Amount,
    /// Snapshots that stay.
    pub snapshots: u64,
    /// Packs that stay.
    pub kept: Amount,
    /// Runs without an end, for which a prune waits.
    pub open: Vec<OpenRun>,
    /// Snapshots that somebody is reading now: what they name stays.
    pub pinned: Vec<SnapshotName>,
    /// Of the bytes that snapshots named before anything of this was forgotten, how many per cent
    /// go.
    pub share_percent: u64,
    /// Whether that is so much that somebody must say yes to it.
    pub needs_confirmation: bool,
}

/// How far a prune came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "state", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PruneState {
    /// There is nothing to delete.
    Nothing,
    /// Begun. These runs began before it and have no end yet.
    Waiting {
        /// The runs.
        runs: Vec<OpenRun>,
    },
    /// Begun. It can be finished from this time on, by the store's clock.
    Grace {
        /// The time.
        #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
        until: Timestamp,
    },
    /// Finished.
    Done,
}

/// What a prune did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PruneReport {
    /// Its number.
    pub generation: u64,
    /// How far it came.
    #[serde(flatten)]
    pub progress: PruneState,
    /// What is planned or was deleted: packs.
    pub packs: Amount,
    /// Likewise: recipes and refs.
    pub lists: Amount,
    /// What the store refused to delete, since it is locked. It is dead all the same.
    pub retained: Amount,
    /// Runs that were ended because they were past their limit.
    pub fenced: Vec<SnapshotName>,
    /// How long it took.
    pub took_secs: f64,
}

/// What a look over a repository's public objects found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckReport {
    /// The repository's id.
    pub repository: RepositoryId,
    /// The newest trust version.
    pub trust: u64,
    /// Snapshots that live.
    pub snapshots: u64,
    /// Runs that were forgotten.
    pub forgotten: u64,
    /// What is held.
    pub holds: Vec<HoldInfo>,
    /// Runs without an end.
    pub open: Vec<OpenRun>,
    /// Packs that snapshots name.
    pub named: Amount,
    /// Packs, recipes and refs that no snapshot names: of runs under way or broken off, or of
    /// forgotten snapshots.
    pub unnamed: Amount,
    /// The number of a prune that was begun and not finished.
    pub prune: Option<u64>,
    /// Objects that are none of ours, the first of them; they are left alone.
    pub foreign: Vec<String>,
    /// How many of them there are.
    pub foreign_objects: u64,
    /// What is wrong.
    pub faults: Vec<Failure>,
    /// What is odd, and harms nothing.
    pub notes: Vec<Failure>,
    /// How long it took.
    pub took_secs: f64,
}

/// What a job keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct JobStats {
    /// The job.
    pub job: JobName,
    /// Its snapshots that live.
    pub snapshots: u64,
    /// Its oldest and newest snapshot.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Instant>"))]
    pub oldest: Option<Timestamp>,
    /// The newest.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Instant>"))]
    pub newest: Option<Timestamp>,
    /// The packs that they name, each counted once.
    pub packs: Amount,
    /// What they would take if each snapshot were stored by itself.
    pub apart_bytes: u64,
    /// What the newest snapshot names.
    pub newest_bytes: u64,
}

/// What a repository holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RepositoryStats {
    /// The repository's id.
    pub repository: RepositoryId,
    /// Job by job.
    pub jobs: Vec<JobStats>,
    /// Packs that snapshots name.
    pub packs: Amount,
    /// Recipes and refs that snapshots name.
    pub lists: Amount,
    /// Packs, recipes and refs that no snapshot names.
    pub unnamed: Amount,
    /// Signed records, key files.
    pub records: Amount,
}
