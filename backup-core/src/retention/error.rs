//! What can be wrong with a policy, and with the records that a plan is asked for.

use backup_model::{Code, JobName, SnapshotName};

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RetentionError {
    /// Nothing says what to keep.
    #[error("the policy has no rule: it would keep nothing but the newest {min_keep}")]
    NoRule {
        /// What stays in any case.
        min_keep: u32,
    },
    /// Not even the newest would stay.
    #[error("`min_keep` is 0: at least the newest snapshot must stay")]
    NoMinimum,
    /// A count out of range.
    #[error("`{rule}` is {count}, more than {max}")]
    Count {
        /// The key.
        rule: &'static str,
        /// Its value.
        count: u32,
        /// The highest that there is.
        max: u32,
    },
    /// A time of nothing, or of less.
    #[error("`{rule}` is not a time above zero")]
    Time {
        /// The key.
        rule: &'static str,
    },
    /// A time that reaches beyond all calendars.
    #[error("`{rule}` is longer than a century")]
    LongTime {
        /// The key.
        rule: &'static str,
    },
    /// No such zone.
    #[error("`{zone}` is not a time zone")]
    Zone {
        /// What the policy says.
        zone: String,
    },
    /// The same run is there twice: the records are not to be trusted.
    #[error("{snapshot} is listed twice")]
    Twice {
        /// The run.
        snapshot: SnapshotName,
    },
    /// A plan is about one job.
    #[error("records of {first} and {second} together")]
    SeveralJobs {
        /// One job.
        first: JobName,
        /// The other.
        second: JobName,
    },
}

impl RetentionError {
    /// The stable code.
    pub const fn code(&self) -> Code {
        match self {
            Self::NoRule { .. }
            | Self::NoMinimum
            | Self::Count { .. }
            | Self::Time { .. }
            | Self::LongTime { .. }
            | Self::Zone { .. } => Code::Policy,
            Self::Twice { .. } | Self::SeveralJobs { .. } => Code::Bug,
        }
    }

    /// The key of the policy that is wrong; none if it is none in particular.
    pub const fn key(&self) -> Option<&'static str> {
        match self {
            Self::NoMinimum => Some("min_keep"),
            Self::Count { rule, .. } | Self::Time { rule } | Self::LongTime { rule } => Some(rule),
            Self::Zone { .. } => Some("time_zone"),
            Self::NoRule { .. } | Self::Twice { .. } | Self::SeveralJobs { .. } => None,
        }
    }
}
