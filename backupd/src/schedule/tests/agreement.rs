//! Where tokio-cron-scheduler and its parser can be asked, they say what we say.

#![expect(clippy::print_stdout, reason = "figures")]

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use croner::parser::{CronParser, Seconds};
use jiff::{Timestamp, ToSpan as _};
use tokio_cron_scheduler::{Job, JobScheduler};

use super::{
    world::{at, schedule},
    zones::ZONES,
};
use crate::{clock, schedule::Schedule};

fn chrono(time: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp(time.as_second(), 0).unwrap()
}

/// Here clocks are set forward at midnight: on such a day croner takes a midnight that is not
/// there for a time that it was asked for, and says so instead of the time of the day.
const SKIP_MIDNIGHT: [&str; 5] = [
    "America/Havana",
    "America/Santiago",
    "America/Asuncion",
    "Africa/Cairo",
    "Asia/Beirut",
];

/// A single time of the day is the one kind of pattern for which croner knows our rule; it keeps
/// to it as long as it is not asked in an hour that comes twice.
#[test]
fn croner_in_a_zone_agrees_about_times_of_the_day() {
    let parser = CronParser::builder().seconds(Seconds::Optional).build();
    let patterns = [
        "30 2 * * *",
        "0 0 12 * * *",
        "15 3 * * 1-5",
        "0 5 L * *",
        "45 23 * * SUN#2",
    ];
    let noons = std::iter::successors(Some(at("2021-01-01T12:00:00Z")), |t| Some(*t + 24.hours()));
    let noons: Vec<_> = noons.take(4 * 365).collect();
    let (mut asked, mut others) = (0, BTreeSet::new());
    for (name, text) in ZONES
        .iter()
        .flat_map(|name| patterns.map(|text| (*name, text)))
    {
        let zone: chrono_tz::Tz = name.parse().unwrap();
        let (cron, ours) = (parser.parse(text).unwrap(), schedule(text, name));
        for noon in &noons {
            let theirs = cron.find_next_occurrence(&chrono(*noon).with_timezone(&zone), false);
            let due = ours.next_after(*noon).unwrap();
            if theirs.unwrap().timestamp() != due.as_second() {
                others.insert((name, zone_is_set(&ours, *noon, due)));
            }
            asked += 1;
        }
    }
    println!("asked {asked} times");
    let wanted = SKIP_MIDNIGHT.map(|name| (name, true));
    assert_eq!(others, BTreeSet::from(wanted));
}

fn zone_is_set(schedule: &Schedule, from: Timestamp, until: Timestamp) -> bool {
    let mut changes = schedule.zone.following(from);
    changes
        .next()
        .is_some_and(|change| change.timestamp() <= until)
}

#[tokio::test]
async fn tokio_cron_scheduler_would_ring_when_we_say() {
    let mut scheduler = JobScheduler::new().await.unwrap();
    // Zones whose clocks are not set: for the others it is right only until they are.
    for name in ["UTC", "Asia/Tokyo", "Asia/Kathmandu", "America/Phoenix"] {
        let zone: chrono_tz::Tz = name.parse().unwrap();
        for text in [
            "0 30 2 * * *",
            "0 15 */2 * * *",
            "0 0 6 * * MON#1",
            "0 59 23 L * *",
            "30 * * * * *",
        ] {
            let before = clock::now() - 1.second();
            let job = Job::new_tz(text, zone, |_, _| {}).unwrap();
            let id = scheduler.add(job).await.unwrap();
            let theirs = scheduler.next_tick_for_job(id).await.unwrap().unwrap();
            let after = clock::now() + 1.second();
            let ours = schedule(text, name);
            // Asked a moment earlier or later, the answer may be another.
            let possible = [before, after].map(|t| ours.next_after(t).unwrap().as_second());
            assert!(
                possible.contains(&theirs.timestamp()),
                "{name} {text}: {theirs}"
            );
        }
    }
    scheduler.shutdown().await.unwrap();
}
