//! What of a job's snapshots stays, what goes, and why: the policy, and the plan made of it.
//!
//! How a plan is computed is the engine's; here are only the words for it, the same for command
//! line, API and windows.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{End, SnapshotName};

/// Which of a job's snapshots stay. A snapshot stays if any rule wants it; a count of zero or a
/// missing time means that there is no such rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RetentionPolicy {
    /// The IANA name of the zone whose calendar is meant: `Europe/Berlin`.
    pub time_zone: String,
    /// The newest complete snapshots.
    #[serde(default)]
    pub keep_last: u32,
    /// The newest complete snapshot of each of so many hours that have one.
    #[serde(default)]
    pub keep_hourly: u32,
    /// The same by days.
    #[serde(default)]
    pub keep_daily: u32,
    /// The same by weeks from Monday, as ISO 8601 counts them.
    #[serde(default)]
    pub keep_weekly: u32,
    /// The same by months.
    #[serde(default)]
    pub keep_monthly: u32,
    /// The same by years.
    #[serde(default)]
    pub keep_yearly: u32,
    /// Every complete snapshot that is not older than the newest by more than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Duration>"))]
    pub keep_within: Option<SignedDuration>,
    /// Of those, the newest of each hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Duration>"))]
    pub keep_within_hourly: Option<SignedDuration>,
    /// The newest of each day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Duration>"))]
    pub keep_within_daily: Option<SignedDuration>,
    /// The newest of each ISO week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Duration>"))]
    pub keep_within_weekly: Option<SignedDuration>,
    /// The newest of each month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Duration>"))]
    pub keep_within_monthly: Option<SignedDuration>,
    /// The newest of each year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Duration>"))]
    pub keep_within_yearly: Option<SignedDuration>,
    /// So many of the newest complete snapshots stay, whatever the rules say; at least one.
    #[serde(default = "RetentionPolicy::default_min_keep")]
    pub min_keep: u32,
}

impl RetentionPolicy {
    /// `min_keep`, where nobody says otherwise.
    pub const DEFAULT_MIN_KEEP: u32 = 2;

    /// A policy without any rule yet.
    pub const fn new(time_zone: String) -> Self {
        Self {
            time_zone,
            keep_last: 0,
            keep_hourly: 0,
            keep_daily: 0,
            keep_weekly: 0,
            keep_monthly: 0,
            keep_yearly: 0,
            keep_within: None,
            keep_within_hourly: None,
            keep_within_daily: None,
            keep_within_weekly: None,
            keep_within_monthly: None,
            keep_within_yearly: None,
            min_keep: Self::DEFAULT_MIN_KEEP,
        }
    }

    const fn default_min_keep() -> u32 {
        Self::DEFAULT_MIN_KEEP
    }
}

/// A rule of a policy, named as its key is.
#[expect(clippy::enum_variant_names, reason = "the names are those of the keys")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RetentionRule {
    /// The newest ones.
    KeepLast,
    /// By hours.
    KeepHourly,
    /// By days.
    KeepDaily,
    /// By ISO weeks.
    KeepWeekly,
    /// By months.
    KeepMonthly,
    /// By years.
    KeepYearly,
    /// All of some time.
    KeepWithin,
    /// By hours for some time.
    KeepWithinHourly,
    /// By days for some time.
    KeepWithinDaily,
    /// By ISO weeks for some time.
    KeepWithinWeekly,
    /// By months for some time.
    KeepWithinMonthly,
    /// By years for some time.
    KeepWithinYearly,
}

impl RetentionRule {
    /// The key in a policy.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KeepLast => "keep_last",
            Self::KeepHourly => "keep_hourly",
            Self::KeepDaily => "keep_daily",
            Self::KeepWeekly => "keep_weekly",
            Self::KeepMonthly => "keep_monthly",
            Self::KeepYearly => "keep_yearly",
            Self::KeepWithin => "keep_within",
            Self::KeepWithinHourly => "keep_within_hourly",
            Self::KeepWithinDaily => "keep_within_daily",
            Self::KeepWithinWeekly => "keep_within_weekly",
            Self::KeepWithinMonthly => "keep_within_monthly",
            Self::KeepWithinYearly => "keep_within_yearly",
        }
    }
}

/// Why a run's record stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "why", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum KeepReason {
    /// A rule wants it.
    Rule {
        /// Which one.
        rule: RetentionRule,
        /// The period it stands for: `2026-11-22T02+01:00`, `2026-11-22`, `2026-W48`, `2026-11`,
        /// `2026`; none for `keep_last` and `keep_within`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        period: Option<String>,
    },
    /// It is one of the `min_keep` newest.
    MinKeep,
    /// Somebody holds it.
    Held,
    /// It is the newest whose restore was proven.
    Proven,
    /// It is dated in the future: it does not count, and it does not go.
    Future,
    /// It is partial, and no newer snapshot is complete.
    NothingBetter,
    /// The run has no end yet.
    Open,
    /// The run made no snapshot; its record stays as long as older snapshots do.
    History,
    /// It would go, but retention pauses.
    Paused {
        /// Why it would go.
        otherwise: GoReason,
    },
}

/// Why a run's record goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "why", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum GoReason {
    /// No rule wants it.
    NoRule,
    /// It is partial, and this newer one is complete.
    Completed {
        /// The newest complete one.
        by: SnapshotName,
    },
    /// It is partial, and there are `min_keep` newer ones like it.
    NewerPartial,
    /// The run made no snapshot, and what the rules keep is newer.
    FailedRun,
}

/// Whether something stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "decision", rename_all = "kebab-case")]
pub enum RetentionDecision {
    /// It stays.
    Keep {
        /// Every reason; at least one.
        reasons: Vec<KeepReason>,
    },
    /// It goes.
    Go {
        /// Why.
        reason: GoReason,
    },
}

/// A run of the job, and whether it stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RetentionVerdict {
    /// Which one.
    pub snapshot: SnapshotName,
    /// When its record was written, by the writer's clock.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub created: Timestamp,
    /// How it ended.
    pub end: End,
    /// Stored size of all packs that it uses; others may use them, too.
    pub stored_bytes: u64,
    /// Its date contradicts those of the job's other runs: the rules count it apart.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub out_of_order: bool,
    /// Whether it stays.
    #[serde(flatten)]
    pub decision: RetentionDecision,
}

impl RetentionVerdict {
    /// Whether it goes.
    pub const fn goes(&self) -> bool {
        matches!(self.decision, RetentionDecision::Go { .. })
    }
}

/// Why nothing of a job goes for now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "why", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PauseReason {
    /// The last runs that ended all failed.
    RecentFailures {
        /// How many in a row.
        runs: u32,
    },
    /// The newest complete snapshot is suspiciously small.
    Shrunk {
        /// That snapshot.
        snapshot: SnapshotName,
        /// Its stored size.
        stored_bytes: u64,
        /// The median of those before it.
        usual_bytes: u64,
    },
}

/// What an administrator should know beside the verdicts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "note", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RetentionNote {
    /// The job is at risk: what it has newest is only partial.
    OnlyPartial {
        /// The newest complete one, if there is any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        newest_complete: Option<SnapshotName>,
    },
    /// Records are dated in the future: a clock is, or was, wrong.
    Future {
        /// How many.
        runs: u32,
    },
    /// Dates of snapshots contradict the order in which they were made.
    OutOfOrder {
        /// How many.
        snapshots: u32,
    },
}

/// What stays of a job, what goes, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RetentionPlan {
    /// The time it was made for.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub now: Timestamp,
    /// The policy it was made with.
    pub policy: RetentionPolicy,
    /// Why nothing goes for now; none means that what is said to go may go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<PauseReason>,
    /// What else there is to know.
    pub notes: Vec<RetentionNote>,
    /// Each run, the newest first.
    pub verdicts: Vec<RetentionVerdict>,
}

impl RetentionPlan {
    /// What goes, the newest first; nothing while retention pauses.
    pub fn gone(&self) -> impl Iterator<Item = &RetentionVerdict> {
        self.verdicts.iter().filter(|verdict| verdict.goes())
    }
}
