//! What a configuration says, as far as others may know: no secret, and no way to one.

use serde::{Deserialize, Serialize};

use crate::{JobName, RetentionPolicy};

/// A configuration in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfigurationReport {
    /// The repositories.
    pub repositories: Vec<ConfiguredRepository>,
    /// The jobs.
    pub jobs: Vec<ConfiguredJob>,
}

/// A repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfiguredRepository {
    /// Its name.
    pub name: String,
    /// Where it is, without anything secret.
    pub url: String,
    /// The root public key that it must be signed by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<String>,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfiguredJob {
    /// Its name.
    pub name: JobName,
    /// Where it is stored.
    pub repository: String,
    /// When it runs; none if only by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// How old its newest good snapshot may be, in seconds, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpo_secs: Option<u64>,
    /// How long a run may take, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_secs: Option<u64>,
    /// What of its snapshots stays; without a policy all do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<RetentionPolicy>,
    /// What it reads, in order.
    pub sources: Vec<ConfiguredSource>,
}

/// A source of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfiguredSource {
    /// Its name.
    pub name: String,
    /// What it is: `postgres`, `files`, `command`.
    pub kind: String,
    /// What it reads, for people: a database, folders, a program.
    pub reads: Vec<String>,
}
