//! When a job runs next, in words.

use backup_model::JobStatus;
use jiff::{Timestamp, tz::TimeZone};

use crate::kit::words;

/// When a job runs next, and by what.
pub(super) fn next(job: &JobStatus, now: Timestamp, zone: &TimeZone) -> (String, String) {
    let pause = job.protection.paused.as_ref();
    if let Some(pause) = pause.filter(|pause| pause.holds(now)) {
        let first = match pause.until {
            Some(until) => format!("Paused until {}", words::moment(until, now, zone)),
            None => "Paused".to_owned(),
        };
        let why = pause
            .why
            .clone()
            .unwrap_or_else(|| format!("by {}", pause.who));
        return (first, why);
    }
    match (job.next, &job.schedule) {
        (Some(next), schedule) if next < now => {
            let since = words::moment(next, now, zone);
            (
                format!("Due since {since}"),
                schedule.as_deref().map(rhythm).unwrap_or_default(),
            )
        }
        (Some(next), schedule) => (
            words::moment(next, now, zone),
            schedule.as_deref().map(rhythm).unwrap_or_default(),
        ),
        (None, Some(schedule)) => ("Not planned".to_owned(), rhythm(schedule)),
        (None, None) => ("By hand".to_owned(), "no schedule".to_owned()),
    }
}

/// The usual schedules as people say them, and any other as it is written.
fn rhythm(schedule: &str) -> String {
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    let is_number = |field: &str| field.bytes().all(|byte| byte.is_ascii_digit());
    match fields.as_slice() {
        [minute, "*", "*", "*", "*"] if is_number(minute) => "hourly".to_owned(),
        [minute, hour, "*", "*", "*"] if is_number(minute) && is_number(hour) => "daily".to_owned(),
        [minute, hours, "*", "*", "*"] if is_number(minute) => match hours.strip_prefix("*/") {
            // Others begin anew at midnight, and so have a shorter step there.
            Some(hours @ ("2" | "3" | "4" | "6" | "8" | "12")) => format!("every {hours} h"),
            _ => schedule.to_owned(),
        },
        [minute, hour, "*", "*", day] if is_number(minute) && is_number(hour) && day.len() == 1 => {
            "weekly".to_owned()
        }
        _ => schedule.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use backup_model::{Pause, Protection, ProtectionState};
    use jiff::SignedDuration;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T14:02:00Z".parse().unwrap()
    }

    fn job() -> JobStatus {
        JobStatus {
            protection: Protection {
                job: "a".parse().unwrap(),
                state: ProtectionState::Protected,
                reasons: Vec::new(),
                was: None,
                paused: None,
                running: None,
                last_good: None,
                rpo: None,
            },
            repository: "main".to_owned(),
            schedule: Some("hourly".to_owned()),
            next: Some(now() + SignedDuration::from_mins(58)),
            proven: None,
            snapshots: None,
            last_run: None,
        }
    }

    fn pause(minutes: Option<i64>) -> Pause {
        Pause {
            who: "eva".to_owned(),
            at: now(),
            until: minutes.map(|minutes| now() + SignedDuration::from_mins(minutes)),
            why: None,
        }
    }

    #[track_caller]
    fn says(job: &JobStatus, first: &str, second: &str) {
        let found = next(job, now(), &TimeZone::UTC);
        assert_eq!((found.0.as_str(), found.1.as_str()), (first, second));
    }

    #[test]
    fn a_pause_is_told_instead_of_a_run_that_will_not_be() {
        let mut job = job();
        says(&job, "15:00", "hourly");
        job.protection.paused = Some(pause(Some(30)));
        says(&job, "Paused until 14:32", "by eva");
        job.protection.paused = Some(pause(None));
        says(&job, "Paused", "by eva");
        job.protection.paused = Some(pause(Some(-1)));
        says(&job, "15:00", "hourly");
    }

    #[test]
    fn no_run_is_never_a_blank() {
        let mut job = job();
        job.next = Some(now() - SignedDuration::from_mins(10));
        says(&job, "Due since 13:52", "hourly");
        job.next = None;
        says(&job, "Not planned", "hourly");
        job.schedule = None;
        says(&job, "By hand", "no schedule");
    }

    #[test]
    fn usual_schedules_are_words_and_others_stay_as_they_are() {
        for (written, said) in [
            ("0 * * * *", "hourly"),
            ("15 */2 * * *", "every 2 h"),
            ("15 */5 * * *", "15 */5 * * *"),
            ("30 2 * * *", "daily"),
            ("30 2 * * 0", "weekly"),
            ("30 2 * * *  Europe/Berlin", "30 2 * * *  Europe/Berlin"),
            ("*/15 * * * *", "*/15 * * * *"),
            ("@daily", "@daily"),
        ] {
            assert_eq!(rhythm(written), said);
        }
    }
}
