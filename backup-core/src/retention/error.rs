//! What can be wrong with a policy, and with the records that a plan is asked for.

use backup_model::{JobName, RetentionRule, SnapshotName};

/// Why a policy is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// No rule wants anything.
    #[error("no rule keeps anything")]
    KeepsNothing,
    /// Not even the newest snapshot would be safe.
    #[error("`min_keep` is zero")]
    NoMinimum,
    /// A count that nobody means.
    #[error("`{key}` is larger than {max}: {count}")]
    TooMany {
        /// The key in the policy.
        key: &'static str,
        /// What it says.
        count: u32,
        /// The most that it can say.
        max: u32,
    },
    /// A time of nothing, or of less.
    #[error("`{}` is not longer than zero", .rule.as_str())]
    NoTime {
        /// The rule.
        rule: RetentionRule,
    },
    /// A time that reaches beyond all calendars.
    #[error("`{}` is longer than a century", .rule.as_str())]
    TooLong {
        /// The rule.
        rule: RetentionRule,
    },
    /// The zone is not named.
    #[error("the time zone is not named")]
    NoZone,
    /// The zone is not known.
    #[error("there is no time zone `{name}`")]
    UnknownZone {
        /// What it says.
        name: String,
    },
}

impl PolicyError {
    /// The key of the policy that is wrong; none if it is the policy as a whole.
    pub const fn key(&self) -> Option<&'static str> {
        match self {
            Self::KeepsNothing => None,
            Self::NoMinimum => Some("min_keep"),
            Self::TooMany { key, .. } => Some(key),
            Self::NoTime { rule } | Self::TooLong { rule } => Some(rule.as_str()),
            Self::NoZone | Self::UnknownZone { .. } => Some("time_zone"),
        }
    }
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RetentionError {
    /// The policy is wrong.
    #[error("the retention policy is refused")]
    Policy(#[source] PolicyError),
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
