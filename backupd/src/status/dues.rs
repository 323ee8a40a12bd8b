//! The times at which a job was due of late, and what became of each.

use backup_model::{DueKept, DueTime};
use jiff::{SignedDuration, Timestamp};

use super::report::slack;
use crate::{
    config::JobConfig,
    ledger::{DueRun, account},
};

/// So far back, and so many at most: the latest.
const WINDOW: SignedDuration = SignedDuration::from_hours(30 * 24);
const MOST: usize = 1_000;

/// Since when to ask for runs.
pub fn since(now: Timestamp) -> Timestamp {
    now.checked_sub(WINDOW).unwrap_or(Timestamp::MIN)
}

/// What became of each due time, the oldest first. Before the first run of all there was nobody
/// who could have missed one. By the schedule as it is now: under another one there were others.
pub fn dues(job: &JobConfig, runs: &[DueRun], now: Timestamp) -> Vec<DueTime> {
    let Some(timing) = &job.timing else {
        return Vec::new();
    };
    let Some(first) = runs.iter().map(|run| run.due.unwrap_or(run.begun)).min() else {
        return Vec::new();
    };
    let from = first.checked_sub(SignedDuration::from_secs(1));
    let from = from.unwrap_or(first).max(since(now));
    let mut dues: Vec<Timestamp> = timing.schedule.between(from, now).collect();
    dues.drain(..dues.len().saturating_sub(MOST));
    account(&dues, runs, now, slack(timing))
}

/// How many there were, and for how many of them nothing was done in the end.
pub fn missed(dues: &[DueTime]) -> (usize, usize) {
    let open = |it: &&DueTime| matches!(it.kept, DueKept::Missed | DueKept::Overdue);
    (dues.len(), dues.iter().filter(open).count())
}
