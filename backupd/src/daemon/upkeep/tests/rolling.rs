use std::{collections::BTreeMap, time::Duration};

use backup_model::{Level, SnapshotName};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

use super::fixture::name;
use crate::{
    daemon::upkeep::rounds::{Rounds, Waiting, due, waiting},
    ledger::{Verified, VerifyOutcome},
    schedule::Schedule,
};

const MONTH: Duration = Duration::from_hours(30 * 24);

fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 / 86_400 * 86_400 + hour * 3_600).unwrap()
}

fn every(text: &str) -> Schedule {
    Schedule::parse(text, TimeZone::UTC).unwrap()
}

fn snapshot(n: u64) -> SnapshotName {
    name(&format!("app/{n}"))
}

/// A daemon that verifies by this schedule, and what it keeps.
struct Daemon {
    schedule: Schedule,
    window: Duration,
    now: Timestamp,
    since: BTreeMap<SnapshotName, Timestamp>,
    made: u64,
}

impl Daemon {
    fn new(schedule: &str, window: Duration) -> Self {
        Self {
            schedule: every(schedule),
            window,
            now: at(0),
            since: BTreeMap::new(),
            made: 0,
        }
    }

    fn make(&mut self, number: u64, at: Timestamp) {
        for _ in 0..number {
            self.made += 1;
            self.since.insert(snapshot(self.made), at);
        }
    }

    fn waiting(&self) -> Vec<Waiting> {
        let all = self.since.iter().map(|(name, since)| Waiting {
            since: *since,
            name: name.clone(),
        });
        all.collect()
    }

    /// How long the snapshot waits that waits longest.
    fn longest_wait(&self) -> SignedDuration {
        let oldest = self.since.values().min().copied();
        self.now.duration_since(oldest.unwrap_or(self.now))
    }

    fn is_late(&self) -> bool {
        self.longest_wait() > SignedDuration::try_from(self.window).unwrap()
    }

    /// Goes on to the next due time.
    fn go_on(&mut self) {
        self.now = self.schedule.next_after(self.now).unwrap();
    }

    /// A round now: what it verified.
    fn round(&mut self) -> Vec<SnapshotName> {
        let rounds = Rounds::after(self.now, Some(&self.schedule), self.window);
        let chosen = due(self.waiting(), &rounds, self.window);
        for name in &chosen {
            self.since.insert(name.clone(), self.now);
        }
        chosen
    }

    fn rounds(&mut self, number: usize) -> Vec<usize> {
        let rounds = (0..number).map(|_| {
            self.go_on();
            assert!(!self.is_late());
            self.round().len()
        });
        rounds.collect()
    }
}

#[test]
fn one_snapshot_is_not_read_every_night() {
    let mut daemon = Daemon::new("every 1d", MONTH);
    daemon.make(1, at(0));
    let verified = daemon.rounds(90);
    let when: Vec<_> = (1..=90).filter(|n| verified[n - 1] > 0).collect();
    // A tenth of the month is kept in reserve.
    assert_eq!(when, [27, 54, 81]);
}

#[test]
fn a_burst_is_spread_over_the_window_and_stays_spread() {
    let mut daemon = Daemon::new("every 1d", MONTH);
    daemon.make(300, at(0));
    let verified = daemon.rounds(120);
    assert!(verified.iter().all(|n| *n <= 12), "{verified:?}");
    assert_eq!(verified[..27].iter().sum::<usize>(), 300);
    // One at a time from then on: nothing that lies beside it changes.
    daemon.make(1, daemon.now);
    assert!(daemon.rounds(60).iter().all(|n| *n <= 12));
}

#[test]
fn a_job_that_is_new_here_is_made_up_for_within_a_quarter_of_the_window() {
    let mut daemon = Daemon::new("every 1d", MONTH);
    daemon.make(400, at(-100 * 24));
    let mut verified = Vec::new();
    while daemon.is_late() {
        verified.push(daemon.round().len());
        daemon.go_on();
    }
    assert_eq!(verified.len(), 8);
    // The first ones are to be looked at again, beginning with the last of these rounds.
    assert!(
        verified.iter().all(|n| (50..50 + 14).contains(n)),
        "{verified:?}"
    );
}

#[test]
fn without_a_schedule_everything_is_verified_when_somebody_asks() {
    let rounds = Rounds::after(at(1), None, MONTH);
    let all = (0..5).map(|n| Waiting {
        since: at(-n),
        name: snapshot(n.unsigned_abs() + 1),
    });
    let chosen = due(all.collect(), &rounds, MONTH);
    let oldest_first = [5, 4, 3, 2, 1].map(snapshot);
    assert_eq!(chosen, oldest_first);
}

#[test]
fn a_window_that_no_other_round_is_in_is_filled_by_each() {
    let mut daemon = Daemon::new("every 1d", Duration::from_hours(2));
    daemon.make(10, at(23));
    daemon.go_on();
    assert_eq!(daemon.round().len(), 10);
}

#[test]
fn dense_rounds_are_counted_beyond_those_that_are_looked_at() {
    // 43,200 rounds: a thousand of them are not all there are.
    let mut daemon = Daemon::new("every 1m", MONTH);
    daemon.make(3_000, at(0));
    daemon.go_on();
    assert!(daemon.round().len() <= 1);
}

#[test]
fn a_snapshot_waits_since_somebody_looked_at_it() {
    use Level::{Data, Storage};
    use VerifyOutcome::{Damaged, Good, Untested};

    let looked = |level, hour, outcome, good: Option<i64>| Verified {
        snapshot: snapshot(1),
        level,
        at: at(hour),
        outcome,
        good: good.map(at),
    };
    let since = |memory: &[Verified]| {
        let snapshots = [(snapshot(1), at(1)), (snapshot(2), at(50))];
        let waiting = waiting(&snapshots, memory, at(10));
        // One that was made in the future was made now.
        assert_eq!(waiting[1].since, at(10));
        waiting[0].since
    };
    assert_eq!(since(&[]), at(1));
    assert_eq!(since(&[looked(Storage, 5, Good, Some(5))]), at(5));
    // What cannot be tested, and what is bad, goes to the end of the queue too.
    assert_eq!(since(&[looked(Storage, 6, Untested, Some(5))]), at(6));
    assert_eq!(since(&[looked(Storage, 7, Damaged, None)]), at(7));
    // A deeper look that failed may not have come to everything.
    assert_eq!(since(&[looked(Data, 8, Good, Some(8))]), at(8));
    assert_eq!(since(&[looked(Data, 8, Untested, Some(4))]), at(4));
    // A clock was ahead.
    assert_eq!(since(&[looked(Storage, 99, Good, Some(99))]), at(1));
}

/// What happens between two rounds.
#[derive(Clone, Debug)]
struct Between {
    made: u64,
    /// Of what is there, each whose number this divides is forgotten.
    forgotten: Option<u64>,
    /// Nobody was there for so many rounds.
    off: usize,
}

fn between(off: usize) -> impl Strategy<Value = Between> {
    let made = prop::sample::select(vec![0, 0, 0, 1, 1, 2, 40]);
    let forgotten = prop::option::weighted(0.1, 2_u64..20);
    let off = prop::option::weighted(0.05, 0..=off).prop_map(Option::unwrap_or_default);
    (made, forgotten, off).prop_map(|(made, forgotten, off)| Between {
        made,
        forgotten,
        off,
    })
}

proptest! {
    /// While the daemon is there everything is verified within the window, oldest first, and no
    /// round does more than its even part of the most that there ever was.
    #[test]
    fn all_is_verified_in_time_by_even_parts(
        period in 1_u64..48,
        rounds_in_window in 4_u64..40,
        history in prop::collection::vec(between(0), 1..200),
        minutes in any::<u8>(),
    ) {
        let window = Duration::from_hours(period * rounds_in_window);
        let mut daemon = Daemon::new(&format!("every {period}h"), window);
        daemon.go_on();
        let parts = usize::try_from(rounds_in_window * 9 / 10).unwrap();
        let mut most = 0;
        for step in history {
            let made = daemon.now + SignedDuration::from_secs(i64::from(minutes) * 10);
            daemon.make(step.made, made);
            if let Some(divisor) = step.forgotten {
                daemon.since.retain(|name, _| name.seq.0 % divisor != 0);
            }
            daemon.go_on();
            most = most.max(daemon.since.len());
            prop_assert!(!daemon.is_late());
            let oldest = daemon.waiting().into_iter().min();
            let chosen = daemon.round();
            prop_assert!(chosen.len() <= most.div_ceil(parts), "{} of {most}", chosen.len());
            if let Some(first) = chosen.first() {
                prop_assert_eq!(Some(first), oldest.as_ref().map(|it| &it.name));
            }
        }
    }

    /// However often and long nobody was there: after a quarter of the window all is in time again.
    #[test]
    fn what_is_late_is_made_up_for(
        period in 1_u64..48,
        rounds_in_window in 4_u64..40,
        history in prop::collection::vec(between(100), 1..100),
    ) {
        let window = Duration::from_hours(period * rounds_in_window);
        let mut daemon = Daemon::new(&format!("every {period}h"), window);
        for step in history {
            daemon.make(step.made, daemon.now);
            for _ in 0..step.off {
                daemon.go_on();
            }
            daemon.go_on();
            daemon.round();
        }
        for _ in 0..=rounds_in_window / 4 {
            daemon.go_on();
            daemon.round();
        }
        prop_assert!(!daemon.is_late());
    }
}
