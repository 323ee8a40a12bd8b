//! Which snapshots are meant.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{InvalidId, JobName, SnapshotName};

/// Which snapshots are meant: `latest`, a job, or one snapshot; or all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(
    tag = "select",
    content = "name",
    rename_all = "kebab-case",
    deny_unknown_fields
)]
pub enum Selection {
    /// All of them.
    All,
    /// The newest of every job.
    Latest,
    /// All of one job.
    Job(JobName),
    /// Just this one.
    One(SnapshotName),
}

impl Selection {
    /// The job, where one is named.
    pub fn job(&self) -> Option<&JobName> {
        match self {
            Self::All | Self::Latest => None,
            Self::Job(job) | Self::One(SnapshotName { job, .. }) => Some(job),
        }
    }
}

impl FromStr for Selection {
    type Err = InvalidId;

    /// Reads `latest`, `webui` or `webui/41`.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        if text.contains('/') {
            return text.parse().map(Self::One);
        }
        text.parse().map(Self::Job)
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Latest => f.write_str("latest"),
            Self::Job(job) => job.fmt(f),
            Self::One(name) => name.fmt(f),
        }
    }
}
