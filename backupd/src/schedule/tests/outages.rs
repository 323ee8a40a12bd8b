//! Nobody there, suspended, or the clock set: at most one run makes up for all that was missed.

use std::time::Duration;

use super::world::{World, at, due, skipped, timing};
use crate::schedule::{CatchUp, Ended, Reason, Remembered, Skip};

const NIGHTLY: &str = "0 2 * * *";

#[test]
fn after_an_outage_one_run_makes_up() {
    for (now, wanted) in [
        // Nothing was missed.
        ("2026-06-01T23:59:59Z", None),
        (
            "2026-06-02T00:00:30Z",
            Some(("2026-06-02T00:00:00Z", Reason::Scheduled)),
        ),
        (
            "2026-06-02T00:01:01Z",
            Some(("2026-06-02T00:00:00Z", Reason::CatchUp)),
        ),
        (
            "2026-06-02T20:00:00Z",
            Some(("2026-06-02T00:00:00Z", Reason::CatchUp)),
        ),
        (
            "2026-06-09T20:00:00Z",
            Some(("2026-06-09T00:00:00Z", Reason::CatchUp)),
        ),
        (
            "2036-06-09T20:00:00Z",
            Some(("2036-06-09T00:00:00Z", Reason::CatchUp)),
        ),
    ] {
        let mut world = World::new(at(now));
        world.timing(NIGHTLY, "Europe/Berlin");
        world.timed.remembered.last_due = Some(at("2026-06-01T00:00:00Z"));
        world.plan_it();
        let wanted: Vec<_> = wanted
            .map(|(time, why)| due(time, why, 1))
            .into_iter()
            .collect();
        world.says(now, &wanted);
        world.says(now, &[]);
        world.end(Ended::Succeeded);
        world.says(now, &[]);
    }
}

#[test]
fn what_was_missed_may_stay_so_or_be_covered_already() {
    let now = "2026-06-05T12:00:00Z";
    let remembered = Remembered {
        last_due: Some(at("2026-06-01T00:00:00Z")),
        ..Remembered::default()
    };
    let mut world = World::new(at(now));
    world.timing(NIGHTLY, "Europe/Berlin").catch_up = CatchUp::Skip;
    world.timed.remembered = remembered;
    world.plan_it();
    world.says(now, &[skipped("2026-06-05T00:00:00Z", Skip::Missed)]);
    world.says(
        "2026-06-06T00:00:00Z",
        &[due("2026-06-06T00:00:00Z", Reason::Scheduled, 1)],
    );

    // Somebody made a backup by hand since.
    let mut world = World::new(at(now));
    world.timing(NIGHTLY, "Europe/Berlin");
    world.timed.remembered = Remembered {
        last_success: Some(at("2026-06-05T11:00:00Z")),
        ..remembered
    };
    world.plan_it();
    world.says(now, &[]);

    // A task that is new has missed nothing.
    let mut world = World::with(NIGHTLY, now);
    world.says(now, &[]);
}

#[test]
fn a_run_that_was_cut_short_is_tried_again() {
    let restart = "2026-06-01T00:10:00Z";
    let remembered = Remembered {
        last_due: Some(at("2026-06-01T00:00:00Z")),
        failed_tries: 1,
        ..Remembered::default()
    };
    let mut world = World::new(at(restart));
    world.timing(NIGHTLY, "Europe/Berlin");
    world.timed.remembered = remembered;
    world.plan_it();
    world.says(restart, &[]);
    world.says(
        "2026-06-01T00:15:00Z",
        &[due("2026-06-01T00:00:00Z", Reason::Retry, 2)],
    );

    // With the end known, the wait counts from there; after the last attempt there is none.
    for (failed_tries, wanted) in [
        (2, vec![due("2026-06-01T00:00:00Z", Reason::Retry, 3)]),
        (3, vec![]),
    ] {
        let mut world = World::new(at(restart));
        world.timing(NIGHTLY, "Europe/Berlin");
        world.timed.remembered = Remembered {
            failed_tries,
            failed_at: Some(at("2026-06-01T00:00:00Z")),
            ..remembered
        };
        world.plan_it();
        world.says(restart, &wanted);
    }

    // A due time that was missed since has the run.
    let mut world = World::new(at("2026-06-03T12:00:00Z"));
    world.timing(NIGHTLY, "Europe/Berlin");
    world.timed.remembered = remembered;
    world.plan_it();
    world.says(
        "2026-06-03T12:00:00Z",
        &[due("2026-06-03T00:00:00Z", Reason::CatchUp, 1)],
    );
    world.end(Ended::Succeeded);
    world.says("2026-06-03T23:00:00Z", &[]);
}

/// The clock goes its way, is set, goes on from there, and is set right again.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn a_clock_that_is_set_neither_misses_nor_doubles() {
    type Step = (&'static str, Option<(&'static str, Reason)>);
    let night = Some(("2026-06-02T00:00:00Z", Reason::Scheduled));
    let next_night = (
        "2026-06-03T00:00:00Z",
        Some(("2026-06-03T00:00:00Z", Reason::Scheduled)),
    );
    let cases: [(&str, &[Step]); 6] = [
        (
            "an hour forward, over the due time, and back",
            &[
                ("2026-06-01T23:30:00Z", None),
                (
                    "2026-06-02T00:30:00Z",
                    Some(("2026-06-02T00:00:00Z", Reason::CatchUp)),
                ),
                ("2026-06-01T23:31:00Z", None),
                ("2026-06-02T00:00:00Z", None),
                next_night,
            ],
        ),
        (
            "an hour back, over the due time, and forward",
            &[
                ("2026-06-02T00:00:00Z", night),
                ("2026-06-01T23:10:00Z", None),
                ("2026-06-02T00:00:00Z", None),
                ("2026-06-02T01:00:00Z", None),
                next_night,
            ],
        ),
        (
            "a year forward, and back",
            &[
                ("2026-06-02T00:00:00Z", night),
                (
                    "2027-06-02T09:00:00Z",
                    Some(("2027-06-02T00:00:00Z", Reason::CatchUp)),
                ),
                ("2026-06-02T00:05:00Z", None),
                ("2026-06-02T20:00:00Z", None),
                next_night,
            ],
        ),
        (
            "a year back, and forward",
            &[
                ("2026-06-02T00:00:00Z", night),
                ("2025-06-02T00:05:00Z", None),
                (
                    "2025-06-03T00:00:00Z",
                    Some(("2025-06-03T00:00:00Z", Reason::Scheduled)),
                ),
                (
                    "2026-06-02T20:00:00Z",
                    Some(("2026-06-02T00:00:00Z", Reason::CatchUp)),
                ),
                next_night,
            ],
        ),
        (
            "suspended for three nights",
            &[
                ("2026-06-02T00:00:00Z", night),
                (
                    "2026-06-05T07:00:00Z",
                    Some(("2026-06-05T00:00:00Z", Reason::CatchUp)),
                ),
                (
                    "2026-06-06T00:00:00Z",
                    Some(("2026-06-06T00:00:00Z", Reason::Scheduled)),
                ),
            ],
        ),
        (
            "suspended for less than a night",
            &[
                ("2026-06-02T00:00:00Z", night),
                ("2026-06-02T23:59:00Z", None),
                next_night,
            ],
        ),
    ];
    for (name, steps) in cases {
        let mut world = World::with(NIGHTLY, "2026-06-01T12:00:00Z");
        for (now, wanted) in steps {
            world.to(at(now));
            let wanted: Vec<_> = wanted
                .map(|(time, why)| due(time, why, 1))
                .into_iter()
                .collect();
            assert_eq!(world.take(), wanted, "{name}: {now}");
            world.end(Ended::Succeeded);
        }
    }
}

#[test]
fn jitter_outlives_a_restart_and_is_the_same_again() {
    let mut timing = timing(NIGHTLY);
    timing.jitter = Some(Duration::from_mins(10));
    let task = super::world::task();
    let nights: Vec<_> = timing
        .schedule
        .between(at("2026-06-01T00:00:00Z"), at("2026-09-01T00:00:00Z"))
        .collect();
    let delays: Vec<_> = nights
        .iter()
        .map(|night| timing.delay(&task, *night))
        .collect();
    assert!(delays.iter().all(|delay| *delay <= Duration::from_mins(10)));
    // Spread over all of it, and not twice the same in a row.
    assert!(delays.iter().min() < Some(&Duration::from_mins(1)));
    assert!(delays.iter().max() > Some(&Duration::from_mins(9)));
    assert!(delays.windows(2).all(|pair| pair[0] != pair[1]));

    let night = nights[0];
    let begins = night + timing.delay(&task, night);
    let mut world = World::new(begins - Duration::from_secs(1));
    world.timed.timing = timing;
    world.timed.remembered.last_due = Some(at("2026-06-01T00:00:00Z"));
    world.plan_it();
    world.to(world.now);
    assert_eq!(world.take(), []);
    assert_eq!(world.standing().next, Some(begins));
    world.to(begins);
    assert_eq!(
        world.take(),
        [due("2026-06-02T00:00:00Z", Reason::Scheduled, 1)]
    );
}
