//! Where tokio-cron-scheduler and its parser can be asked, they say what we say.

use chrono::{DateTime, Utc};
use croner::parser::{CronParser, Seconds};
use jiff::{Timestamp, ToSpan as _};
use tokio_cron_scheduler::{Job, JobScheduler};

use super::{
    world::{at, schedule},
    zones::ZONES,
};
use crate::clock;

fn chrono(time: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp(time.as_second(), 0).unwrap()
}

/// A single time of the day is the one kind of pattern for which croner knows our rule; it keeps
/// to it as long as it is not asked in an hour that comes twice.
#[test]
fn croner_in_a_zone_agrees_about_times_of_the_day() {
    let parser = CronParser::builder().seconds(Seconds::Optional).build();
    let mut asked = 0;
    for name in ZONES {
        let zone: chrono_tz::Tz = name.parse().unwrap();
        for text in [
            "30 2 * * *",
            "0 0 12 * * *",
            "15 3 * * 1-5",
            "0 5 L * *",
            "45 23 * * SUN#2",
        ] {
            let (cron, ours) = (parser.parse(text).unwrap(), schedule(text, name));
            let mut time = at("2021-01-01T12:00:00Z");
            while time < at("2025-01-01T00:00:00Z") {
                let theirs = cron.find_next_occurrence(&chrono(time).with_timezone(&zone), false);
                let due = ours.next_after(time).unwrap();
                assert_eq!(
                    theirs.unwrap().timestamp(),
                    due.as_second(),
                    "{name} {text} {time}"
                );
                // Away from the night, lest the question falls into an hour that comes twice.
                time = due
                    .max(time + 24.hours())
                    .as_second()
                    .div_euclid(86_400)
                    .try_into()
                    .map(|day: i64| Timestamp::from_second(day * 86_400 + 43_200).unwrap())
                    .unwrap();
                asked += 1;
            }
        }
    }
    println!("asked {asked} times, one answer");
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
