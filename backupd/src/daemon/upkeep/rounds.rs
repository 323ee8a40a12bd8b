//! Which of a job's snapshots are verified in this round: arithmetic over what is remembered.
//!
//! Each snapshot is to be looked at again within a window. What is in time is spread: the least
//! even pace is found at which all of it is done in time, and only what later rounds at that pace
//! could not do is done now. A burst is so taken in equal parts, and a single snapshot is not read
//! every night. What the window has passed by, after an outage or for a job that is new here, is
//! late whatever is done: it is made up for in equal parts, too, within a quarter of the window.

use std::{collections::BTreeMap, time::Duration};

use backup_model::{Level, SnapshotName};
use jiff::{SignedDuration, Timestamp};

use crate::{ledger::Verified, schedule::Schedule};

/// Of the window one part in so many is kept in reserve, for rounds that fail or do not come.
const RESERVE: i32 = 10;
/// What is late is made up for within one part in so many of the window.
const CATCH_UP: i32 = 4;
/// So many rounds are looked ahead; later ones are taken to be as far apart as these.
const AHEAD: usize = 1_000;

/// A snapshot, and since when nobody has looked at it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Waiting {
    pub(super) since: Timestamp,
    pub(super) name: SnapshotName,
}

/// Since when each snapshot waits: it was made then, or somebody tried to verify it. A try counts
/// also where it proved nothing, so that what cannot be tested does not keep all else from it. A
/// deeper look counts if all was well: only then was everything looked at.
pub(super) fn waiting(
    snapshots: &[(SnapshotName, Timestamp)],
    memory: &[Verified],
    now: Timestamp,
) -> Vec<Waiting> {
    let mut looked: BTreeMap<&SnapshotName, Timestamp> = BTreeMap::new();
    for one in memory {
        let at = match one.level {
            Level::Storage => Some(one.at),
            _ => one.good,
        };
        // What is dated in the future was dated by a clock that was wrong.
        if let Some(at) = at.filter(|at| *at <= now) {
            let latest = looked.entry(&one.snapshot).or_insert(at);
            *latest = at.max(*latest);
        }
    }
    let snapshots = snapshots.iter().map(|(name, created)| Waiting {
        since: looked.get(name).copied().unwrap_or(*created).min(now),
        name: name.clone(),
    });
    snapshots.collect()
}

/// The rounds that come after this one.
#[derive(Clone, Debug)]
pub(super) struct Rounds {
    now: Timestamp,
    later: Vec<Timestamp>,
}

impl Rounds {
    /// By this schedule; without one there are none.
    pub(super) fn after(now: Timestamp, schedule: Option<&Schedule>, window: Duration) -> Self {
        let until = now.checked_add(signed(window)).unwrap_or(Timestamp::MAX);
        let later = schedule.map(|it| it.between(now, until).take(AHEAD).collect());
        Self {
            now,
            later: later.unwrap_or_default(),
        }
    }

    /// How many of them there are up to a time.
    fn until(&self, time: Timestamp) -> usize {
        let known = self.later.partition_point(|round| *round <= time);
        let Some(last) = self.later.last().filter(|_| known == AHEAD) else {
            return known;
        };
        let apart = last.duration_since(self.now).as_secs() / i64::try_from(AHEAD).unwrap_or(1);
        let more = time.duration_since(*last).as_secs() / apart.max(1);
        known.saturating_add(usize::try_from(more).unwrap_or(0))
    }
}

/// What is verified now, the oldest first.
pub(super) fn due(
    mut waiting: Vec<Waiting>,
    rounds: &Rounds,
    window: Duration,
) -> Vec<SnapshotName> {
    let window = signed(window);
    waiting.sort();
    let passed = |one: &Waiting| rounds.now.duration_since(one.since) > window;
    let late = waiting.partition_point(passed);
    let quarter = rounds.now.checked_add(window / CATCH_UP);
    let parts = 1 + rounds.until(quarter.unwrap_or(Timestamp::MAX));
    let late_now = waiting.len().div_ceil(parts).min(late);

    let (late, in_time) = waiting.split_at(late);
    let aim = window - window / RESERVE;
    let chances = in_time.iter().map(|one| {
        let deadline = one.since.checked_add(aim).unwrap_or(Timestamp::MAX);
        rounds.until(deadline)
    });
    let now = needed(&chances.collect::<Vec<_>>());
    let chosen = late[..late_now].iter().chain(&in_time[..now]);
    chosen.map(|one| one.name.clone()).collect()
}

/// How many must be done now, given how many later rounds there are for each, the oldest first.
fn needed(chances: &[usize]) -> usize {
    let numbered = || chances.iter().enumerate().map(|(n, later)| (n + 1, *later));
    let pace = numbered().map(|(n, later)| n.div_ceil(later + 1)).max();
    let pace = pace.unwrap_or(0);
    let now = numbered().map(|(n, later)| n.saturating_sub(pace.saturating_mul(later)));
    now.max().unwrap_or(0)
}

fn signed(time: Duration) -> SignedDuration {
    // A century at most, by the configuration.
    SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX)
}
