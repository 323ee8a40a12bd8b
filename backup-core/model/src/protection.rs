//! Whether a job is protected, and why not: the words for it, the same for command line, API,
//! windows, metrics and notifications.
//!
//! How it is computed is the daemon's, in one place; here are the states, their order, and a
//! sentence for each reason with the age and the limit behind it.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Failure, JobName, Level, RunId, RunOutcome, SnapshotName};

/// How a job stands. Ordered: what is worse is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ProtectionState {
    /// There is a good snapshot within the limit, and nothing speaks against it.
    Protected,
    /// Somebody should do something before it is too late.
    AtRisk,
    /// Nobody can say.
    Unknown,
    /// What was promised is not there.
    Breached,
}

impl ProtectionState {
    /// The word for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Protected => "Protected",
            Self::AtRisk => "At risk",
            Self::Unknown => "Unknown",
            Self::Breached => "Breached",
        }
    }
}

impl fmt::Display for ProtectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a job is not simply protected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "reason", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProtectionReason {
    /// The newest good snapshot is older than the job's RPO.
    RpoExceeded {
        /// How old it is.
        #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Duration"))]
        age: SignedDuration,
        /// The RPO.
        #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Duration"))]
        limit: SignedDuration,
    },
    /// There is no snapshot, though there was a run.
    NoSnapshot,
    /// The last run made no snapshot, and there is no good one within the RPO; or no RPO, so that
    /// nothing else counts.
    FailedUncovered {
        /// Which run.
        run: RunId,
        /// How it ended.
        outcome: RunOutcome,
        /// Why, if it said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    /// A verification found snapshots to be damaged.
    Damaged {
        /// Which.
        snapshots: Vec<SnapshotName>,
    },
    /// The repository cannot be read.
    RepositoryUnreadable {
        /// Why.
        failure: Failure,
        /// For how long.
        #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Duration"))]
        age: SignedDuration,
    },
    /// There was no run yet, and there is no snapshot.
    NeverReported,
    /// Nobody has looked at the repository yet.
    NotLookedYet,
    /// The daemon does not answer.
    DaemonUnreachable,
    /// Most of the RPO is used up.
    RpoNear {
        /// How old the newest good snapshot is.
        #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Duration"))]
        age: SignedDuration,
        /// The RPO.
        #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Duration"))]
        limit: SignedDuration,
    },
    /// The last run made no snapshot; an older one is still within the RPO.
    LastRunFailed {
        /// Which run.
        run: RunId,
        /// How it ended.
        outcome: RunOutcome,
        /// Why, if it said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    /// The last run had warnings.
    LastRunWarned {
        /// Which run.
        run: RunId,
        /// How many.
        warnings: u64,
    },
    /// The newest snapshot lacks what could not be read.
    Partial {
        /// Which.
        snapshot: SnapshotName,
    },
    /// A run is due and has not begun.
    Overdue {
        /// Since when.
        #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
        due: Timestamp,
        /// How long that is.
        #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Duration"))]
        age: SignedDuration,
    },
    /// The newest snapshot is dated in the future, so its age cannot be told.
    ClockBehind {
        /// By so much.
        #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Duration"))]
        ahead: SignedDuration,
    },
    /// Not everything was verified in time.
    VerificationOverdue {
        /// At this level.
        level: Level,
        /// For how long the snapshot that waits longest was not verified.
        #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Duration"))]
        age: SignedDuration,
        /// How long it may be.
        #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Duration"))]
        limit: SignedDuration,
    },
    /// Nobody has proved a recovery kit.
    KitNotConfirmed,
    /// A recovery kit was proved, but that says nothing any more.
    KitLapsed {
        /// Why not.
        why: String,
    },
    /// A recovery kit was proved too long ago.
    KitOld {
        /// How long ago.
        #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Duration"))]
        age: SignedDuration,
    },
    /// The storage will soon be full.
    StorageFilling {
        /// In so much time.
        #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Duration"))]
        full_in: SignedDuration,
        /// The least that there should be.
        #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Duration"))]
        limit: SignedDuration,
    },
    /// The store does not keep a second writer out.
    StoreUnconditional,
}

impl ProtectionReason {
    /// The state that it causes.
    pub const fn state(&self) -> ProtectionState {
        match self {
            Self::RpoExceeded { .. }
            | Self::NoSnapshot
            | Self::FailedUncovered { .. }
            | Self::Damaged { .. }
            | Self::RepositoryUnreadable { .. } => ProtectionState::Breached,
            Self::NeverReported | Self::NotLookedYet | Self::DaemonUnreachable => {
                ProtectionState::Unknown
            }
            Self::RpoNear { .. }
            | Self::LastRunFailed { .. }
            | Self::LastRunWarned { .. }
            | Self::Partial { .. }
            | Self::Overdue { .. }
            | Self::ClockBehind { .. }
            | Self::VerificationOverdue { .. }
            | Self::KitNotConfirmed
            | Self::KitLapsed { .. }
            | Self::KitOld { .. }
            | Self::StorageFilling { .. }
            | Self::StoreUnconditional => ProtectionState::AtRisk,
        }
    }
}

impl fmt::Display for ProtectionReason {
    /// A sentence without a capital and a full stop.
    #[expect(clippy::too_many_lines, reason = "one sentence for each reason")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RpoExceeded { age, limit } => write!(
                f,
                "the newest good snapshot is {} old, more than the {} that are allowed",
                Span(*age),
                Span(*limit)
            ),
            Self::NoSnapshot => f.write_str("there is no snapshot"),
            Self::FailedUncovered {
                run,
                outcome,
                failure,
            } => {
                last_run(f, *run, *outcome, failure.as_ref())?;
                f.write_str(", and no good snapshot makes up for it")
            }
            Self::Damaged { snapshots } => {
                let names: Vec<String> =
                    snapshots.iter().take(3).map(ToString::to_string).collect();
                write!(f, "verification found damage in {}", names.join(", "))?;
                match snapshots.len().saturating_sub(3) {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
            Self::RepositoryUnreadable { failure, age } => write!(
                f,
                "the repository cannot be read for {}: {} {failure}",
                Span(*age),
                failure.code
            ),
            Self::NeverReported => f.write_str("there was no run yet"),
            Self::NotLookedYet => f.write_str("the repository was not looked at yet"),
            Self::DaemonUnreachable => f.write_str("the daemon does not answer"),
            Self::RpoNear { age, limit } => write!(
                f,
                "the newest good snapshot is {} old, of the {} that are allowed",
                Span(*age),
                Span(*limit)
            ),
            Self::LastRunFailed {
                run,
                outcome,
                failure,
            } => last_run(f, *run, *outcome, failure.as_ref()),
            Self::LastRunWarned { run, warnings: 1 } => {
                write!(f, "the last run ({}) had a warning", run.short())
            }
            Self::LastRunWarned { run, warnings } => {
                write!(f, "the last run ({}) had {warnings} warnings", run.short())
            }
            Self::Partial { snapshot } => {
                write!(
                    f,
                    "something could not be read for {snapshot}, the newest snapshot"
                )
            }
            Self::Overdue { age, .. } => {
                write!(f, "a run is due for {} and has not begun", Span(*age))
            }
            Self::ClockBehind { ahead } => write!(
                f,
                "the newest snapshot is dated {} in the future: a clock is wrong",
                Span(*ahead)
            ),
            Self::VerificationOverdue { level, age, limit } => write!(
                f,
                "not everything was verified at the level `{}` for {}, and it should be every {}",
                level.as_str(),
                Span(*age),
                Span(*limit)
            ),
            Self::KitNotConfirmed => f.write_str("no recovery kit was proved"),
            Self::KitLapsed { why } => f.write_str(why),
            Self::KitOld { age } => write!(
                f,
                "the recovery kit was last proved {} ago, and should be once a year",
                Span(*age)
            ),
            Self::StorageFilling { full_in, .. } => {
                write!(f, "the storage will be full in {}", Span(*full_in))
            }
            Self::StoreUnconditional => f.write_str("the store does not keep a second writer out"),
        }
    }
}

fn last_run(
    f: &mut fmt::Formatter<'_>,
    run: RunId,
    outcome: RunOutcome,
    failure: Option<&Failure>,
) -> fmt::Result {
    write!(f, "the last run ({}) ", run.short())?;
    match outcome {
        RunOutcome::Failed => f.write_str("failed")?,
        RunOutcome::Cancelled => f.write_str("was cancelled")?,
        RunOutcome::Interrupted => f.write_str("was interrupted")?,
        other => write!(f, "ended as {other}")?,
    }
    match failure {
        Some(failure) => write!(f, ": {} {failure}", failure.code),
        None => Ok(()),
    }
}

/// A span of time as people say it, rounded down: `26 h`, `38 d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub SignedDuration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs().max(0) {
            secs @ ..60 => write!(f, "{secs} s"),
            secs @ ..7_200 => write!(f, "{} min", secs / 60),
            secs @ ..172_800 => write!(f, "{} h", secs / 3_600),
            secs => write!(f, "{} d", secs / 86_400),
        }
    }
}

/// A job that somebody has paused. What lies beneath stays visible, and the RPO's clock goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pause {
    /// Who did it.
    pub who: String,
    /// When.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub at: Timestamp,
    /// Until when; none for until somebody resumes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Instant>"))]
    pub until: Option<Timestamp>,
    /// Why, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Pause {
    /// Whether it counts at this time.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// A run that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Running {
    /// Which.
    pub run: RunId,
    /// How far it is, where that can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
}

/// The newest good snapshot of a job: whatever committed, complete or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GoodSnapshot {
    /// Which.
    pub snapshot: SnapshotName,
    /// When it was made, by the writer's clock.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub created: Timestamp,
    /// Whether everything could be read.
    pub complete: bool,
}

/// How one job stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Protection {
    /// Which job.
    pub job: JobName,
    /// The worst of what its reasons cause.
    pub state: ProtectionState,
    /// Why, the worst first; empty only if it is protected.
    pub reasons: Vec<ProtectionReason>,
    /// What it was when that was last known, where the state is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<ProtectionState>,
    /// Drawn over the state: it is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    /// Drawn over the state: it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<Running>,
    /// The newest good snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_good: Option<GoodSnapshot>,
    /// How old that may get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Duration>"))]
    pub rpo: Option<SignedDuration>,
}

impl Protection {
    /// What is left to say once the daemon does not answer: unknown, and what was known.
    #[must_use]
    pub fn unreachable(self) -> Self {
        Self {
            was: self.was.or(Some(self.state)),
            state: ProtectionState::Unknown,
            reasons: vec![ProtectionReason::DaemonUnreachable],
            // Nobody knows how far it is, or whether it still runs.
            running: None,
            ..self
        }
    }

    /// By what lists are ordered, the greatest first: a job that became unknown keeps its place.
    pub fn rank(&self) -> ProtectionState {
        self.was.unwrap_or(self.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protection(state: ProtectionState) -> Protection {
        Protection {
            job: "webui".parse().unwrap(),
            state,
            reasons: Vec::new(),
            was: None,
            paused: None,
            running: None,
            last_good: None,
            rpo: None,
        }
    }

    #[test]
    fn the_worst_is_the_greatest() {
        let mut all = [
            ProtectionState::Unknown,
            ProtectionState::Protected,
            ProtectionState::Breached,
            ProtectionState::AtRisk,
        ];
        all.sort();
        let words: Vec<&str> = all.iter().rev().map(|state| state.as_str()).collect();
        assert_eq!(words, ["Breached", "Unknown", "At risk", "Protected"]);
    }

    #[test]
    fn who_becomes_unreachable_keeps_its_place_and_its_past() {
        let gone = protection(ProtectionState::Protected).unreachable();
        assert_eq!(gone.state, ProtectionState::Unknown);
        assert_eq!(gone.was, Some(ProtectionState::Protected));
        assert_eq!(gone.rank(), ProtectionState::Protected);
        assert_eq!(gone.reasons, [ProtectionReason::DaemonUnreachable]);
        // Twice unreachable is not "was unknown".
        let still = gone.unreachable();
        assert_eq!(still.was, Some(ProtectionState::Protected));
    }

    #[test]
    fn spans_are_said_as_people_say_them() {
        let table = [
            (-5, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (7_199, "119 min"),
            (7_200, "2 h"),
            (26 * 3_600, "26 h"),
            (172_799, "47 h"),
            (172_800, "2 d"),
        ];
        for (secs, text) in table {
            assert_eq!(Span(SignedDuration::from_secs(secs)).to_string(), text);
        }
    }

    #[test]
    fn a_reason_says_age_and_limit_and_survives_json() {
        let reason = ProtectionReason::RpoExceeded {
            age: SignedDuration::from_hours(26),
            limit: SignedDuration::from_hours(6),
        };
        assert_eq!(
            reason.to_string(),
            "the newest good snapshot is 26 h old, more than the 6 h that are allowed"
        );
        let json = serde_json::to_string(&reason).unwrap();
        assert_eq!(
            json,
            r#"{"reason":"rpo-exceeded","age":"PT26H","limit":"PT6H"}"#
        );
        assert_eq!(
            serde_json::from_str::<ProtectionReason>(&json).unwrap(),
            reason
        );
    }

    #[test]
    fn many_damaged_snapshots_make_no_endless_sentence() {
        let snapshots = (1..=5).map(|n| format!("webui/{n}").parse().unwrap());
        let reason = ProtectionReason::Damaged {
            snapshots: snapshots.collect(),
        };
        assert_eq!(
            reason.to_string(),
            "verification found damage in webui/000001, webui/000002, webui/000003 and 2 more"
        );
    }
}
