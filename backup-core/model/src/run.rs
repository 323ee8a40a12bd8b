//! A run: one time that something was done for a job or a repository, as the daemon's ledger
//! knows it.
//!
//! What a repository says of its snapshots is [`SnapshotInfo`](crate::SnapshotInfo); a run is the
//! story of how one came to be, or why none did. Losing it loses no backup.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{Failure, InvalidId, JobName, Phase, SnapshotName, words::words};

/// The digits of a run's id: Crockford's, without I, L, O and U.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The id of a run: 26 digits, of which the first ten are the time it was made, in milliseconds,
/// so that ids sort by time. The form is that of a ULID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(u128);

impl RunId {
    /// How many of its digits a person gets to see.
    const SHORT: usize = 6;

    /// An id of this time. Two with the same time and the same noise are the same id.
    pub fn new(time: Timestamp, noise: [u8; 10]) -> Self {
        let millis =
            u128::from(u64::try_from(time.as_millisecond()).unwrap_or(0)) & ((1 << 48) - 1);
        let noise = noise.iter().fold(0, |n, &byte| n << 8 | u128::from(byte));
        Self(millis << 80 | noise)
    }

    /// The time it was made.
    pub fn time(self) -> Timestamp {
        let millis = i64::try_from(self.0 >> 80).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
    }

    /// Its last six digits: those that differ between runs of one day. What people are shown, and
    /// may type.
    pub fn short(self) -> String {
        let text = self.to_string();
        text[text.len() - Self::SHORT..].to_owned()
    }

    /// The same 128 bits, as a UUID is written.
    pub fn as_uuid(self) -> String {
        let hex = format!("{:032x}", self.0);
        let parts = [
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        ];
        parts.join("-")
    }

    /// Whether a text is enough of an id to look for: its last four digits or more.
    pub fn is_ending(text: &str) -> bool {
        (4..=26).contains(&text.len()) && text.bytes().all(|b| DIGITS.contains(&b))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in (0..26).rev() {
            let digit = (self.0 >> (place * 5) & 31) as usize;
            write!(f, "{}", char::from(DIGITS[digit]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RunId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let value = text.bytes().try_fold(0_u128, |n, byte| {
            let digit = DIGITS.iter().position(|&d| d == byte)?;
            Some(n << 5 | digit as u128)
        });
        // The first digit holds three bits only.
        match value {
            Some(value) if text.len() == 26 && text.as_bytes()[0] <= b'7' => Ok(Self(value)),
            _ => Err(InvalidId::new(
                text,
                "a run: 26 digits, as in 01JD3QK4T8VZ9M2X5W7YB6N1RC",
            )),
        }
    }
}

#[cfg(feature = "schema")]
crate::schema::text!(RunId, "^[0-7][0-9A-HJKMNP-TV-Z]{25}$");

impl Serialize for RunId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RunId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

words! {
    /// What a run does.
    RunKind {
        /// Makes a snapshot of a job.
        Backup = "backup",
        /// Forgets what a job's policy lets go.
        Retention = "retention",
        /// Deletes what no snapshot of a repository names.
        Prune = "prune",
        /// Verifies snapshots of a job.
        Verify = "verify",
        /// Restores a snapshot.
        Restore = "restore",
        /// Asks a store how it keeps writers apart.
        Probe = "probe",
    }
}

words! {
    /// Why a run began.
    RunCause {
        /// It was due.
        Schedule = "schedule",
        /// It makes up for due times that were missed.
        CatchUp = "catch-up",
        /// The run before it failed.
        Retry = "retry",
        /// Somebody asked for it.
        Hand = "by-hand",
        /// It ran beside this daemon: it was found in the repository.
        External = "external",
    }
}

words! {
    /// How a run ended.
    RunOutcome {
        /// It has not.
        Running = "running",
        /// All was done.
        Succeeded = "succeeded",
        /// It was done, and something is to be said about it: of a backup, that the snapshot is
        /// there and something could not be read.
        Warnings = "warnings",
        /// It was not done.
        Failed = "failed",
        /// Somebody stopped it.
        Cancelled = "cancelled",
        /// The daemon ended while it ran.
        Interrupted = "interrupted",
        /// It was due and nobody was there.
        Missed = "missed",
        /// It was due and left out on purpose: the one before it still ran, a pause, or it
        /// is for another host to do.
        Skipped = "skipped",
    }
}

impl RunOutcome {
    /// Whether it did what it should, be it with warnings.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Succeeded | Self::Warnings)
    }

    /// Whether there was a run at all.
    pub const fn ran(self) -> bool {
        !matches!(self, Self::Missed | Self::Skipped)
    }
}

words! {
    /// What became of a time at which a job was due.
    DueKept {
        /// A run for it did what it should.
        Done = "done",
        /// A run for it is under way.
        Running = "running",
        /// There were runs for it, and the last one did not do what it should.
        Failed = "failed",
        /// It was left out on purpose.
        Skipped = "skipped",
        /// There was no run for it, but one that began later did what it should.
        MadeUp = "made-up",
        /// It is so fresh that its run may still come.
        Waiting = "waiting",
        /// It is the latest one, and nothing was done about it.
        Overdue = "overdue",
        /// It passed, a later one came, and nothing made up for it yet.
        Missed = "missed",
    }
}

/// A time at which a job was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DueTime {
    /// The time.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub due: Timestamp,
    /// What became of it.
    pub kept: DueKept,
    /// The run that decided it, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
}

words! {
    /// How much a line of a log matters.
    LogLevel {
        /// For whoever looks for a mistake.
        Debug = "debug",
        /// What is done.
        Info = "info",
        /// What is not as it should be.
        Warn = "warn",
        /// What ended the run.
        Error = "error",
    }
}

/// How much a run has read and stored.
#[expect(
    clippy::struct_field_names,
    reason = "units belong to names, also where JSON flattens them"
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunBytes {
    /// Bytes that were read: of the sources, or of what is stored.
    pub read_bytes: u64,
    /// Of these, what no earlier snapshot had, before compression.
    pub new_bytes: u64,
    /// Bytes that were stored.
    pub stored_bytes: u64,
    /// How many bytes will be read, where that is known or well estimated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_bytes: Option<u64>,
}

impl RunBytes {
    /// How far it is: below 100 for as long as it runs, since an estimate can be too small.
    pub fn percent(&self) -> Option<u8> {
        let total = self.total_bytes.filter(|&total| total > 0)?;
        let percent = u128::from(self.read_bytes) * 100 / u128::from(total);
        Some(u8::try_from(percent.min(99)).unwrap_or(99))
    }
}

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunInfo {
    /// Which one.
    pub run: RunId,
    /// What it does.
    pub kind: RunKind,
    /// For which job; none where it is about a whole repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobName>,
    /// The repository, by its name in the configuration.
    pub repository: String,
    /// Why it began.
    pub cause: RunCause,
    /// Who asked for it, where somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    /// When it was due, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Instant>"))]
    pub due: Option<Timestamp>,
    /// When it began, or should have.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub begun: Timestamp,
    /// When it ended. Of an interrupted run: when it was last heard of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Instant>"))]
    pub ended: Option<Timestamp>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// How much was read and stored.
    #[serde(flatten)]
    pub bytes: RunBytes,
    /// How many things went wrong without stopping it.
    pub warnings: u64,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The snapshot that it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotName>,
}

/// A phase of a run, for one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunPhase {
    /// What was done.
    pub phase: Phase,
    /// To what: a stream, a snapshot, a target.
    pub object: String,
    /// When it began.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub begun: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Instant>"))]
    pub ended: Option<Timestamp>,
}

/// A run with its story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunDetail {
    /// What a list shows of it.
    #[serde(flatten)]
    pub info: RunInfo,
    /// Its phases, in the order in which they began.
    pub phases: Vec<RunPhase>,
    /// What went wrong without stopping it; the first ones, where there are very many.
    pub first_warnings: Vec<Failure>,
}

/// A line of a run's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunLogLine {
    /// Its number within the run, from 0.
    pub number: u64,
    /// When.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub at: Timestamp,
    /// How much it matters.
    pub level: LogLevel,
    /// What.
    pub text: String,
}

/// Part of a run's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunLog {
    /// The lines, in order.
    pub lines: Vec<RunLogLine>,
    /// Where to go on reading.
    pub next: u64,
    /// How many lines of the run were not kept, because there were too many.
    pub dropped: u64,
    /// Whether the run has ended, so that no more will come.
    pub ended: bool,
}

/// Which runs to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RunQuery {
    /// Of this job only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobName>,
    /// Of this kind only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<RunKind>,
    /// That ended so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<RunOutcome>,
    /// That began at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Instant>"))]
    pub since: Option<Timestamp>,
    /// Older than this run: the `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<RunId>,
    /// So many at most; the ledger has a limit of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Runs, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunPage {
    /// The runs.
    pub runs: Vec<RunInfo>,
    /// What to give as `before` for the next page; none at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<RunId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn ids_sort_by_time_and_have_one_spelling() {
        let early = RunId::new(at("2026-11-22T02:30:00Z"), [0xff; 10]);
        let late = RunId::new(at("2026-11-22T02:30:00.001Z"), [0; 10]);
        assert_eq!(early.time(), at("2026-11-22T02:30:00Z"));
        assert!(early < late);
        assert!(early.to_string() < late.to_string());
        for id in [early, late] {
            let text = id.to_string();
            assert_eq!(text.len(), 26);
            assert_eq!(text.parse(), Ok(id));
            assert!(text.ends_with(&id.short()) && RunId::is_ending(&id.short()));
            assert!(text.to_lowercase().parse::<RunId>().is_err());
            assert!(text[1..].parse::<RunId>().is_err());
        }
        assert!("8ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<RunId>().is_err());
        assert!("7ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<RunId>().is_ok());
        assert!(!RunId::is_ending("8QX") && !RunId::is_ending("8QXL"));
    }

    #[test]
    fn words_are_read_back_and_are_those_of_json() {
        for &outcome in RunOutcome::ALL {
            assert_eq!(outcome.as_str().parse(), Ok(outcome));
            let json = serde_json::to_string(&outcome).unwrap();
            assert_eq!(json, format!("\"{outcome}\""));
        }
        assert!("fine".parse::<RunOutcome>().is_err());
    }

    #[test]
    fn no_run_is_done_before_it_ends() {
        let bytes = |read_bytes, total_bytes| RunBytes {
            read_bytes,
            total_bytes,
            ..RunBytes::default()
        };
        assert_eq!(bytes(5, None).percent(), None);
        assert_eq!(bytes(5, Some(0)).percent(), None);
        assert_eq!(bytes(0, Some(10)).percent(), Some(0));
        assert_eq!(bytes(9, Some(10)).percent(), Some(90));
        assert_eq!(bytes(u64::MAX, Some(10)).percent(), Some(99));
    }
}
