//! Ten years in twenty zones, against somebody who just watches the clock.

#![expect(clippy::print_stdout, reason = "figures")]

use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    civil::{DateTime, Time, time},
    tz::TimeZone,
};

use super::world::{World, at, schedule};
use crate::schedule::{Ended, Event, Reason};

/// Clocks that are set at midnight, by half an hour, by two, in winter, during Ramadan, or never.
pub(super) const ZONES: [&str; 20] = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",
    "America/Santiago",
    "America/Asuncion",
    "America/Nuuk",
    "America/Los_Angeles",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Jerusalem",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Antarctica/Troll",
];

const TIMES: [Time; 9] = [
    time(0, 0, 0, 0),
    time(0, 30, 0, 0),
    time(1, 0, 0, 0),
    time(1, 45, 0, 0),
    time(2, 0, 0, 0),
    time(2, 30, 0, 0),
    time(3, 0, 0, 0),
    time(3, 15, 0, 0),
    time(12, 0, 0, 0),
];

type Shows = fn(&DateTime) -> bool;

fn from() -> Timestamp {
    at("2021-01-01T12:30:00Z")
}

fn until() -> Timestamp {
    at("2031-01-01T12:30:00Z")
}

/// Every quarter of an hour with what the clock on the wall shows then.
fn watch(zone: &TimeZone) -> impl Iterator<Item = (Timestamp, DateTime)> {
    let next = |t: &Timestamp| Some(*t + SignedDuration::from_mins(15)).filter(|t| *t <= until());
    std::iter::successors(Some(from()), next).map(|t| (t, zone.to_datetime(t)))
}

/// For each of these times of the day: when, day after day, the clock first showed it or more.
fn first_shown(zone: &TimeZone) -> Vec<Vec<Timestamp>> {
    let start = zone.to_datetime(from());
    let mut wanted = TIMES.map(|time| {
        let today = start.date().to_datetime(time);
        if today > start {
            today
        } else {
            today + 1.day()
        }
    });
    let mut shown = vec![Vec::new(); TIMES.len()];
    for (t, local) in watch(zone) {
        for (wanted, shown) in wanted.iter_mut().zip(&mut shown) {
            if local >= *wanted {
                shown.push(t);
                *wanted += 1.day();
            }
        }
    }
    shown
}

#[test]
fn times_of_the_day_are_neither_missed_nor_doubled() {
    let (mut due, mut missed, mut doubled) = (0, 0, 0);
    for name in ZONES {
        let zone = TimeZone::get(name).unwrap();
        for (time, shown) in TIMES.iter().zip(first_shown(&zone)) {
            let text = format!("{} {} * * *", time.minute(), time.hour());
            let schedule = schedule(&text, name);
            let found: Vec<_> = schedule.between(from(), until()).collect();
            missed += shown.iter().filter(|t| !found.contains_sorted(t)).count();
            doubled += found.iter().filter(|t| !shown.contains_sorted(t)).count();
            doubled += found.windows(2).filter(|pair| pair[0] >= pair[1]).count();
            due += found.len();
            let gap = longest(&found);
            assert!(gap <= 2 * schedule.longest_gap(), "{name} {text}: {gap:?}");
        }
    }
    println!(
        "{} zones, 10 years, {} times of the day: {due} due, {missed} missed, {doubled} doubled",
        ZONES.len(),
        TIMES.len()
    );
    assert_eq!((missed, doubled), (0, 0));
    // 3652 days each.
    assert_eq!(due, ZONES.len() * TIMES.len() * 3652);
}

trait Sorted {
    fn contains_sorted(&self, t: &Timestamp) -> bool;
}

impl Sorted for Vec<Timestamp> {
    fn contains_sorted(&self, t: &Timestamp) -> bool {
        self.binary_search(t).is_ok()
    }
}

fn longest(times: &[Timestamp]) -> std::time::Duration {
    let gaps = times.windows(2).map(|pair| pair[1].duration_since(pair[0]));
    gaps.max().unwrap().try_into().unwrap()
}

#[test]
fn intervals_follow_the_clock_as_it_goes() {
    let mut due = 0;
    for name in ZONES {
        let zone = TimeZone::get(name).unwrap();
        let seen: Vec<_> = watch(&zone).skip(1).collect();
        let patterns: [(&str, Shows); 3] = [
            ("15 * * * *", |t| t.minute() == 15),
            ("30 */2 * * *", |t| t.hour() % 2 == 0 && t.minute() == 30),
            ("*/15 1-5/2,*/6 * * 1", |t| {
                let hour = matches!(t.hour(), 0 | 1 | 3 | 5 | 6 | 12 | 18);
                hour && t.date().weekday() == jiff::civil::Weekday::Monday
            }),
        ];
        for (text, shows) in patterns {
            let schedule = schedule(text, name);
            let found: Vec<_> = schedule.between(from(), until()).collect();
            let wanted = seen
                .iter()
                .filter(|(_, local)| shows(local))
                .map(|(t, _)| *t);
            assert!(wanted.eq(found.iter().copied()), "{name}: {text}");
            due += found.len();
            let gap = longest(&found);
            assert!(gap <= 2 * schedule.longest_gap(), "{name} {text}: {gap:?}");
        }
    }
    println!(
        "{} zones, 10 years, 3 intervals: {due} due, all as shown",
        ZONES.len()
    );
}

#[test]
fn a_plan_that_is_asked_now_and_then_runs_each_day_once() {
    let mut runs = 0;
    for name in ZONES {
        let mut world = World::new(from());
        world.timing("0 30 2 * * *", name).jitter = Some(std::time::Duration::from_mins(10));
        world.plan_it();
        let wanted = schedule("30 2 * * *", name);
        for due in wanted.between(from(), until()) {
            // Often enough that a run begins within its grace.
            while world.next() <= due + SignedDuration::from_mins(11) {
                world.to(world.next());
                for event in world.take() {
                    let Event::Due(run) = event else {
                        panic!("{name}: {event:?}")
                    };
                    assert_eq!((run.time, run.reason), (due, Reason::Scheduled), "{name}");
                    assert!(world.now >= due && world.now <= due + SignedDuration::from_mins(10));
                    runs += 1;
                    world.end(Ended::Succeeded);
                }
            }
        }
    }
    println!(
        "{} zones, 10 years, daily with jitter: {runs} runs",
        ZONES.len()
    );
    assert_eq!(runs, ZONES.len() * 3652);
}

#[test]
fn the_hours_that_are_set_are_as_documented() {
    for (text, after, wanted) in [
        // Skipped in spring: the first instant after, several of them once.
        ("30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"),
        (
            "15,45 2,3 * * *",
            "2026-03-29T00:30:00Z",
            "2026-03-29T01:00:00Z",
        ),
        (
            "15,45 2,3 * * *",
            "2026-03-29T01:00:00Z",
            "2026-03-29T01:15:00Z",
        ),
        // Twice in autumn: the first time, also when asked in between.
        ("30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),
        ("30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
        ("30 2 * * *", "2026-10-25T01:10:00Z", "2026-10-26T01:30:00Z"),
        // Intervals go on.
        (
            "*/30 * * * *",
            "2026-03-29T00:30:00Z",
            "2026-03-29T01:00:00Z",
        ),
        (
            "*/30 * * * *",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:00:00Z",
        ),
        (
            "*/30 * * * *",
            "2026-10-25T01:00:00Z",
            "2026-10-25T01:30:00Z",
        ),
        (
            "30 */2 * * *",
            "2026-03-28T23:30:00Z",
            "2026-03-29T02:30:00Z",
        ),
        ("every 2h", "2026-03-29T00:30:00Z", "2026-03-29T02:00:00Z"),
        ("every 90m", "1969-12-31T23:00:00Z", "1970-01-01T00:00:00Z"),
        // Seconds, and instants between them.
        (
            "5 30 2 * * *",
            "2026-06-01T00:30:04.9Z",
            "2026-06-01T00:30:05Z",
        ),
        (
            "5 30 2 * * *",
            "2026-06-01T00:30:05.9Z",
            "2026-06-02T00:30:05Z",
        ),
        ("0 0 29 2 *", "2026-06-01T00:00:00Z", "2028-02-28T23:00:00Z"),
        ("@weekly", "2026-06-03T00:00:00Z", "2026-06-06T22:00:00Z"),
        ("@monthly", "2026-06-03T00:00:00Z", "2026-06-30T22:00:00Z"),
        (
            "0 6 * * MON#1",
            "2026-06-03T00:00:00Z",
            "2026-07-06T04:00:00Z",
        ),
        ("0 6 L * *", "2026-02-03T00:00:00Z", "2026-02-28T05:00:00Z"),
    ] {
        let schedule = schedule(text, "Europe/Berlin");
        assert_eq!(
            schedule.next_after(at(after)),
            Some(at(wanted)),
            "{text} {after}"
        );
    }
}

#[test]
fn the_last_of_many_due_times_is_found_at_once() {
    for (text, after, until, wanted) in [
        (
            "* * * * * *",
            "1990-01-01T00:00:00Z",
            "2026-06-01T00:00:00Z",
            Some("2026-06-01T00:00:00Z"),
        ),
        (
            "0 0 29 2 *",
            "2020-03-01T00:00:00Z",
            "2027-01-01T00:00:00Z",
            Some("2024-02-28T23:00:00Z"),
        ),
        (
            "30 2 * * *",
            "2026-10-24T12:00:00Z",
            "2026-10-25T01:20:00Z",
            Some("2026-10-25T00:30:00Z"),
        ),
        (
            "30 2 * * *",
            "2026-10-25T00:30:00Z",
            "2026-10-26T01:29:59Z",
            None,
        ),
        (
            "30 2 * * *",
            "2026-10-26T01:30:00Z",
            "2026-10-20T00:00:00Z",
            None,
        ),
    ] {
        let found = schedule(text, "Europe/Berlin").last_between(at(after), at(until));
        assert_eq!(found, wanted.map(at), "{text} {after}");
    }
}

#[test]
fn the_longest_gap_is_that_of_the_calendar() {
    const DAY: u64 = 86_400;
    for (text, seconds) in [
        ("* * * * * *", 1),
        ("*/7 * * * * *", 7),
        ("50 * * * * *", 60),
        ("0 * * * *", 3_600),
        ("15 */2 * * *", 7_200),
        ("20,25 * * * *", 55 * 60),
        ("10,40 8 * * *", DAY - 1_800),
        ("* 9-17 * * 1-5", 3 * DAY - (8 * 3_600 + 59 * 60)),
        ("0 6 * * 1-5", 3 * DAY),
        ("@daily", DAY),
        ("@weekly", 7 * DAY),
        ("@monthly", 31 * DAY),
        ("0 0 31 * *", 61 * DAY),
        ("0 0 29 2 *", 1461 * DAY),
        ("every 36h", DAY * 3 / 2),
    ] {
        let gap = schedule(text, "UTC").longest_gap();
        assert_eq!(gap.as_secs(), seconds, "{text}");
    }
}
