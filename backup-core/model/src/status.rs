//! How everything stands: each job with its state, and whoever looks after them. One report, the
//! same for command line, API and windows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Failure, JobName, Level, Protection, ProtectionState, RunId, RunInfo};

/// How everything stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StatusReport {
    /// When this was so.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub at: Timestamp,
    /// The daemon that says so; none where somebody looked without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daemon: Option<DaemonInfo>,
    /// What is wrong with the daemon and not with a job: its configuration, its ledger.
    pub faults: Vec<Failure>,
    /// The jobs, the worst first.
    pub jobs: Vec<JobStatus>,
}

impl StatusReport {
    /// The worst of all states; a fault of the daemon is a risk.
    pub fn worst(&self) -> ProtectionState {
        let jobs = self.jobs.iter().map(|job| job.protection.state);
        let own = if self.faults.is_empty() {
            ProtectionState::Protected
        } else {
            ProtectionState::AtRisk
        };
        jobs.max().unwrap_or(own).max(own)
    }

    /// One job.
    pub fn job(&self, name: &JobName) -> Option<&JobStatus> {
        self.jobs.iter().find(|job| job.protection.job == *name)
    }

    /// The run of a job that is under way.
    pub fn running(&self, job: &JobName) -> Option<RunId> {
        Some(self.job(job)?.protection.running?.run)
    }
}

/// A daemon, as it tells of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DaemonInfo {
    /// What its configuration calls it.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Since when it runs.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub since: Timestamp,
    /// When its schedule was last seen alive.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub heartbeat: Timestamp,
}

/// How a job stands, and what is to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct JobStatus {
    /// Its state, with the reasons.
    #[serde(flatten)]
    pub protection: Protection,
    /// Where it is stored.
    pub repository: String,
    /// When it runs, as its configuration says; none if only by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// When it runs next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Instant>"))]
    pub next: Option<Timestamp>,
    /// The deepest proof that one of its snapshots can be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven: Option<Proven>,
    /// How many snapshots it has, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshots: Option<u64>,
    /// The last run that ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<RunInfo>,
}

/// A verification that found a snapshot to be good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Proven {
    /// How deep it went.
    pub level: Level,
    /// When.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub at: Timestamp,
}
