//! One run at a time, attempts, pauses, and tasks that are replaced.

use std::time::Duration;

use jiff::SignedDuration;

use super::world::{World, at, due, skipped, task, timed};
use crate::schedule::{Ended, Event, Paused, Reason, Skip};

const HOURLY: &str = "0 * * * *";

fn on_time(time: &str) -> Event {
    due(time, Reason::Scheduled, 1)
}

#[test]
fn a_task_does_not_run_beside_itself() {
    let mut world = World::with(HOURLY, "2026-06-01T00:30:00Z");
    world.says("2026-06-01T01:00:00Z", &[on_time("2026-06-01T01:00:00Z")]);
    assert!(world.standing().running);
    world.says(
        "2026-06-01T02:00:00Z",
        &[skipped("2026-06-01T02:00:00Z", Skip::Running)],
    );
    world.says("2026-06-01T02:00:01Z", &[]);
    world.says(
        "2026-06-01T04:10:00Z",
        &[skipped("2026-06-01T04:00:00Z", Skip::Running)],
    );
    world.end(Ended::Succeeded);
    // Nothing has piled up.
    world.says("2026-06-01T04:10:00Z", &[]);
    world.says("2026-06-01T05:00:00Z", &[on_time("2026-06-01T05:00:00Z")]);
    world.end(Ended::Succeeded);

    // Nor beside a run that somebody asked for.
    assert!(world.plan.begin(&task()));
    assert!(!world.plan.begin(&task()));
    world.says(
        "2026-06-01T06:00:00Z",
        &[skipped("2026-06-01T06:00:00Z", Skip::Running)],
    );
    world.end(Ended::Failed);
    world.says("2026-06-01T06:59:00Z", &[]);
    world.says("2026-06-01T07:00:00Z", &[on_time("2026-06-01T07:00:00Z")]);
    assert!(!world.plan.begin(&task()));
}

#[test]
fn a_failed_run_is_tried_again_with_growing_waits() {
    let mut world = World::new(at("2026-06-01T00:30:00Z"));
    let retry = &mut world.timing("0 2 * * *", "UTC").retry;
    retry.attempts = 5.try_into().unwrap();
    retry.longest_wait = Duration::from_mins(30);
    world.plan_it();
    let night = "2026-06-01T02:00:00Z";
    world.says(night, &[on_time(night)]);
    let mut ends = at(night);
    for (attempt, minutes) in [(2, 5), (3, 10), (4, 20), (5, 30)] {
        world.end(Ended::Failed);
        let again = ends + SignedDuration::from_mins(minutes);
        assert_eq!(world.next(), again);
        world.to(again - SignedDuration::from_secs(1));
        assert_eq!(world.take(), []);
        world.to(again);
        assert_eq!(world.take(), [due(night, Reason::Retry, attempt)]);
        ends = again;
    }
    world.end(Ended::Failed);
    assert_eq!(world.next(), at("2026-06-02T02:00:00Z"));

    // The next due time comes before the next attempt: a new count.
    world.says("2026-06-02T02:00:00Z", &[on_time("2026-06-02T02:00:00Z")]);
    world.to(at("2026-06-03T01:59:00Z"));
    world.end(Ended::Failed);
    world.says("2026-06-03T02:00:00Z", &[on_time("2026-06-03T02:00:00Z")]);
    world.end(Ended::Failed);
    world.says(
        "2026-06-03T02:05:00Z",
        &[due("2026-06-03T02:00:00Z", Reason::Retry, 2)],
    );
    // What cannot go better is not tried again.
    world.end(Ended::Stopped);
    assert_eq!(world.next(), at("2026-06-04T02:00:00Z"));

    // Nor what somebody has done by hand meanwhile.
    world.says("2026-06-04T02:00:00Z", &[on_time("2026-06-04T02:00:00Z")]);
    world.end(Ended::Failed);
    assert!(world.plan.begin(&task()));
    world.end(Ended::Succeeded);
    world.says("2026-06-04T10:00:00Z", &[]);
}

#[test]
fn due_times_that_overtake_each_other_do_not_put_the_run_off() {
    let mut world = World::new(at("2026-06-01T00:00:30Z"));
    world.timing("* * * * *", "UTC").jitter = Some(Duration::from_hours(1));
    world.plan_it();
    let (mut runs, mut overtaken) = (0, 0);
    for minute in 1..=24 * 60 {
        world.to(at("2026-06-01T00:00:00Z") + SignedDuration::from_mins(minute));
        for event in world.take() {
            match event {
                Event::Due(_) => {
                    runs += 1;
                    world.end(Ended::Succeeded);
                }
                Event::Skipped(it) => {
                    assert_eq!(it.why, Skip::Overtaken);
                    overtaken += 1;
                }
            }
        }
    }
    assert!(runs >= 24, "{runs}");
    assert!(runs + overtaken >= 24 * 60 - 1, "{runs} {overtaken}");
}

#[test]
fn a_pause_lets_nothing_begin_and_ends_in_one_run_at_most() {
    let mut world = World::with(HOURLY, "2026-06-01T00:30:00Z");
    let until = at("2026-06-01T04:30:00Z");
    assert!(world.plan.pause(&task(), Paused::Until(until)));
    assert_eq!((world.standing().next, world.next()), (None, until));
    assert_eq!(world.standing().paused, Some(Paused::Until(until)));
    world.says("2026-06-01T04:29:59Z", &[]);
    world.says(
        "2026-06-01T04:30:00Z",
        &[due("2026-06-01T04:00:00Z", Reason::CatchUp, 1)],
    );
    assert_eq!(world.standing().paused, None);
    world.end(Ended::Succeeded);
    world.says("2026-06-01T04:30:01Z", &[]);

    // Paused for good, and a failure before it: nothing, until somebody ends it.
    world.says("2026-06-01T05:00:00Z", &[on_time("2026-06-01T05:00:00Z")]);
    world.end(Ended::Failed);
    assert!(world.plan.pause(&task(), Paused::Indefinitely));
    assert_eq!(world.standing().look, None);
    world.says("2026-08-01T00:00:00Z", &[]);
    assert!(world.plan.resume(&task()));
    assert!(!world.plan.resume(&task()));
    world.says(
        "2026-08-01T00:30:00Z",
        &[due("2026-08-01T00:00:00Z", Reason::CatchUp, 1)],
    );
    world.end(Ended::Succeeded);
    world.says("2026-08-01T01:00:00Z", &[on_time("2026-08-01T01:00:00Z")]);

    // A pause that is remembered holds from the first moment.
    let mut world = World::new(at("2026-06-01T12:00:00Z"));
    world.timing(HOURLY, "UTC");
    world.timed.remembered.last_due = Some(at("2026-06-01T02:00:00Z"));
    world.timed.remembered.paused = Some(Paused::Until(at("2026-06-01T12:10:00Z")));
    world.plan_it();
    world.says("2026-06-01T12:09:00Z", &[]);
    world.says(
        "2026-06-01T12:10:00Z",
        &[due("2026-06-01T12:00:00Z", Reason::CatchUp, 1)],
    );
}

#[test]
fn replaced_tasks_neither_lose_nor_double_a_due_time() {
    // Replaced at each second around a due time, with the same schedule or another.
    for seconds in -2..=2 {
        let mut world = World::with(HOURLY, "2026-06-01T00:30:00Z");
        let reload = at("2026-06-01T01:00:00Z") + SignedDuration::from_secs(seconds);
        let mut runs = Vec::new();
        let until = at("2026-06-01T02:00:30Z");
        let mut now = at("2026-06-01T00:59:50Z");
        while now <= until {
            if now == reload {
                world.now = now;
                world.plan_it();
            }
            world.to(now);
            for event in world.take() {
                runs.push(event);
                world.end(Ended::Succeeded);
            }
            now += SignedDuration::from_secs(1);
        }
        let hours = ["2026-06-01T01:00:00Z", "2026-06-01T02:00:00Z"];
        assert_eq!(runs, hours.map(on_time), "{seconds}");
    }

    // What was due under the old schedule is said before the new one counts.
    let mut world = World::with(HOURLY, "2026-06-01T00:30:00Z");
    world.timing("30 * * * *", "UTC");
    world.now = at("2026-06-01T01:00:20Z");
    world.plan_it();
    assert_eq!(world.take(), [on_time("2026-06-01T01:00:00Z")]);
    // It still runs, and the failure is tried again: that is remembered, too.
    world.says(
        "2026-06-01T01:30:00Z",
        &[skipped("2026-06-01T01:30:00Z", Skip::Running)],
    );
    world.end(Ended::Failed);
    world.says(
        "2026-06-01T01:35:00Z",
        &[due("2026-06-01T01:00:00Z", Reason::Retry, 2)],
    );

    // A task that goes while it runs and comes again does not run beside itself.
    assert_eq!(world.plan.replace(Vec::new(), world.now), []);
    assert!(world.plan.standing().is_empty());
    assert!(!world.plan.begin(&task()));
    world
        .plan
        .replace(vec![timed(HOURLY)], at("2026-06-01T01:50:00Z"));
    world.says(
        "2026-06-01T02:00:00Z",
        &[skipped("2026-06-01T02:00:00Z", Skip::Running)],
    );
    world.end(Ended::Succeeded);
    world.says("2026-06-01T03:00:00Z", &[on_time("2026-06-01T03:00:00Z")]);
}
