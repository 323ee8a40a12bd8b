//! Retention: from a policy, a job's runs and the time to what stays and what goes, and why. Pure
//! functions: no store, no clock.
//!
//! The order of runs is that of their numbers, which no clock can change; dates only say to which
//! hour, day, week, month or year of the policy's calendar a snapshot belongs. Rules look back from
//! the newest snapshot and not from now, so a host whose clock is ahead deletes nothing early, and
//! one whose clock is behind sees the future, which never goes.

mod calendar;
mod check;
mod order;
mod pause;
mod plan;
mod rules;

use backup_model::{End, SnapshotName};
use jiff::Timestamp;

pub use check::{RetentionError, check};
pub use plan::plan;

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
