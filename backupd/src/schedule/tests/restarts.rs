//! A daemon that is killed at any moment and started again at any later one, for years.

#![expect(clippy::print_stdout, reason = "figures")]

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::world::{World, at, schedule};
use crate::schedule::{Ended, Event, Remembered};

/// Numbers that are the same at every run of the test.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// What a run ledger would hold, written before a run begins and after it has ended.
#[derive(Default)]
struct Ledger {
    remembered: Remembered,
    /// For each due time: attempts, and how many of them succeeded.
    runs: BTreeMap<Timestamp, (u32, u32)>,
    /// The latest due time that anything was said of.
    said: Option<Timestamp>,
    skipped: u32,
}

impl Ledger {
    fn begin(&mut self, time: Timestamp) {
        let same = self.remembered.last_due == Some(time);
        self.remembered = Remembered {
            last_due: Some(time),
            failed_tries: if same {
                self.remembered.failed_tries + 1
            } else {
                1
            },
            failed_at: None,
            ..self.remembered
        };
        let (attempts, succeeded) = self.runs.entry(time).or_default();
        *attempts += 1;
        assert_eq!(*succeeded, 0, "{time} is done, and begins again");
    }

    fn end(&mut self, time: Timestamp, now: Timestamp, went_well: bool) {
        if went_well {
            self.remembered.failed_tries = 0;
            self.remembered.last_success = Some(now);
            self.runs.get_mut(&time).unwrap().1 += 1;
        } else {
            self.remembered.failed_at = Some(now);
        }
    }

    fn hear(&mut self, events: Vec<Event>) -> Option<Timestamp> {
        let mut begun = None;
        for event in events {
            let time = match event {
                Event::Due(due) => {
                    self.begin(due.time);
                    begun = Some(due.time);
                    due.time
                }
                Event::Skipped(skipped) => {
                    self.skipped += 1;
                    skipped.time
                }
            };
            self.said = self.said.max(Some(time));
        }
        begun
    }
}

#[test]
fn no_run_is_missed_or_doubled() {
    let mut chance = Chance(7);
    let (mut kills, mut due, mut runs, mut done) = (0, 0, 0, 0);
    for (text, seconds) in [
        ("0 2 * * *", 86_400),
        ("*/15 * * * *", 900),
        ("every 7m", 420),
    ] {
        let start = at("2026-01-01T12:00:01Z");
        let schedule = schedule(text, "Europe/Berlin");
        let mut ledger = Ledger::default();
        let mut now = start;
        // Each life of the daemon: a while up, killed, a while away.
        for _ in 0..500 {
            let mut world = World::new(now);
            world.timing(text, "Europe/Berlin");
            world.timed.remembered = ledger.remembered;
            world.plan_it();
            let mut running = None;
            let killed = now + SignedDuration::from_secs(chance.below(4 * seconds).cast_signed());
            while now < killed {
                world.to(now);
                let begun = ledger.hear(world.take());
                // Nothing that came up to now was passed over in silence.
                let last = schedule.last_between(start, now);
                assert_eq!(ledger.said, last, "{text} at {now}");
                running = begun.or(running);
                if let Some(time) = running.filter(|_| chance.below(3) == 0) {
                    let went_well = chance.below(2) == 0;
                    ledger.end(time, now, went_well);
                    let ended = if went_well {
                        Ended::Succeeded
                    } else {
                        Ended::Failed
                    };
                    world.end(ended);
                    running = None;
                }
                now += SignedDuration::from_secs(1 + chance.below(seconds / 3).cast_signed());
            }
            kills += 1;
            now += SignedDuration::from_secs(chance.below(2 * seconds).cast_signed());
        }
        due += schedule.between(start, now).count();
        runs += ledger
            .runs
            .values()
            .map(|(attempts, _)| attempts)
            .sum::<u32>();
        done += ledger
            .runs
            .values()
            .map(|(_, succeeded)| succeeded)
            .sum::<u32>();
        assert!(
            ledger
                .runs
                .values()
                .all(|(attempts, succeeded)| *attempts <= 3 && *succeeded <= 1)
        );
        assert!(ledger.runs.keys().all(|time| {
            schedule.last_between(*time - SignedDuration::from_secs(1), *time) == Some(*time)
        }));
        assert!(ledger.skipped > 0);
    }
    println!(
        "killed {kills} times: {due} due, {runs} runs, {done} done, none missed, none doubled"
    );
    assert!(done > 500, "{done}");
}
