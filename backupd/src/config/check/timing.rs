//! Checks of when jobs run: schedules, attempts, and how old the newest backup may be.
//!
//! A job has each key itself or from the defaults. What makes a schedule one is for
//! `crate::schedule` to say; here is where its complaints belong, and what to do about them.

use std::{error::Error as _, time::Duration};

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::config::Check;
use crate::{
    config::{
        problem::{Located, Spot},
        raw::{RawFile, RawRetry, RawTiming},
        table::{Field, suggestion},
    },
    schedule::{CatchUp, Retry, Schedule, ScheduleError, Timing},
    units::parse_duration,
};

/// What jobs have that do not say otherwise.
#[derive(Debug, Default)]
pub(super) struct TimingDefaults {
    schedule: Option<Schedule>,
    rpo: Option<Duration>,
    jitter: Option<Duration>,
    catch_up: Option<CatchUp>,
    retry: Option<Retry>,
}

/// When a job runs, and how old its newest snapshot may get.
#[derive(Debug)]
pub(super) struct JobTiming {
    pub(super) timing: Option<Timing>,
    pub(super) rpo: Option<Duration>,
}

/// In place of a schedule: the job runs when somebody asks for it.
const BY_HAND: &str = "manual";
const MAX_ATTEMPTS: u32 = 100;

impl Check {
    /// Takes the timing of `[defaults]` from whichever files have it; each key stands once.
    pub(super) fn timing_defaults(&mut self, files: &[RawFile]) {
        let defaults = files.iter().filter_map(|file| file.defaults.as_ref());
        let raw: Vec<_> = defaults.map(|raw| &raw.timing).collect();
        let texts =
            |key: fn(&RawTiming) -> &Field<String>| raw.iter().map(|raw| key(raw)).collect();
        let fields: [Vec<&Field<String>>; 4] = [
            texts(|raw| &raw.schedule),
            texts(|raw| &raw.rpo),
            texts(|raw| &raw.jitter),
            texts(|raw| &raw.catch_up),
        ];
        let retries: Vec<_> = raw.iter().map(|raw| &raw.retry).collect();
        let [schedule, rpo, jitter, catch_up] = &fields;
        let schedule = self.once("schedule", schedule).got();
        let rpo = self.once("rpo", rpo).got();
        let jitter = self.once("jitter", jitter).got();
        let catch_up = self.once("catch_up", catch_up).got();
        let retry = self.once("retry", &retries).got();
        let at = rpo.as_ref().map(|rpo| rpo.at.clone());
        self.timing = TimingDefaults {
            schedule: schedule.and_then(|raw| self.schedule("schedule", &raw)),
            rpo: rpo.and_then(|raw| self.duration("rpo", &raw)),
            jitter: jitter.and_then(|raw| self.duration("jitter", &raw)),
            catch_up: catch_up.and_then(|raw| self.catch_up(&raw)),
            retry: retry.and_then(|raw| self.retry(&raw)),
        };
        if let Some(at) = at {
            self.room_for_runs(self.timing.schedule.clone().as_ref(), self.timing.rpo, &at);
        }
    }

    fn room_for_runs(&mut self, schedule: Option<&Schedule>, rpo: Option<Duration>, at: &Spot) {
        if let (Some(schedule), Some(rpo)) = (schedule, rpo)
            && rpo < schedule.longest_gap()
        {
            let message = "`rpo` is shorter than the time between two runs";
            let help = "The job will be reported as breached before each run. \
                        Run it more often, or allow more.";
            self.findings.warn(at, message, help);
        }
    }

    /// The timing of a job: each key its own, or that of the defaults.
    pub(super) fn timing(&mut self, raw: &RawTiming) -> JobTiming {
        let schedule = match own(&raw.schedule) {
            Some(raw) => self.schedule("schedule", &raw),
            None => self.timing.schedule.clone(),
        };
        let rpo = match own(&raw.rpo) {
            Some(raw) => self.duration("rpo", &raw),
            None => self.timing.rpo,
        };
        let jitter = match own(&raw.jitter) {
            Some(raw) => self.duration("jitter", &raw),
            None => self.timing.jitter,
        };
        let catch_up = match own(&raw.catch_up) {
            Some(raw) => self.catch_up(&raw),
            None => self.timing.catch_up,
        };
        let retry = match own(&raw.retry) {
            Some(raw) => self.retry(&raw),
            None => self.timing.retry,
        };
        let given = own(&raw.rpo).map(|rpo| rpo.at);
        if let Some(at) = given.or(own(&raw.schedule).map(|schedule| schedule.at)) {
            self.room_for_runs(schedule.as_ref(), rpo, &at);
        }
        let longest = schedule.as_ref().map(Schedule::longest_gap);
        JobTiming {
            rpo: rpo.or(longest.map(|gap| gap.saturating_mul(2))),
            timing: schedule.map(|schedule| Timing {
                schedule,
                jitter,
                catch_up: catch_up.unwrap_or_default(),
                retry: retry.unwrap_or_default(),
            }),
        }
    }

    pub(super) fn duration(&mut self, key: &str, raw: &Located<&String>) -> Option<Duration> {
        let parsed = parse_duration(raw.value);
        let report = |error| {
            let help = "Write a whole number and s, m, h or d: `30m`.";
            self.findings.at(&raw.at, format!("`{key}`: {error}"), help);
        };
        parsed.map_err(report).ok()
    }

    /// Reads a schedule; none where there is to be none.
    pub(super) fn schedule(&mut self, key: &str, raw: &Located<&String>) -> Option<Schedule> {
        if raw.value == BY_HAND {
            return None;
        }
        // An interval is the same in every zone.
        let zone = if raw.value.starts_with("every") {
            Some("UTC".to_owned())
        } else {
            self.zone_for(key, &raw.at)
        };
        let zone = zone.and_then(|name| TimeZoneDatabase::bundled().get(&name).ok());
        // With another zone the rest can still be checked.
        match Schedule::parse(raw.value, zone.clone().unwrap_or(TimeZone::UTC)) {
            Err(error) => {
                let cause = error.source().map(|cause| format!(": {cause}"));
                let message = format!("`{key}`: {error}{}", cause.unwrap_or_default());
                self.findings
                    .at(&raw.at, message, schedule_help(raw.value, &error));
                None
            }
            Ok(schedule) => {
                if schedule.is_denser_than_minutes() {
                    let message = format!("`{key}` comes more than once a minute");
                    let help = "A cron pattern with six fields begins with the second.";
                    self.findings.warn(&raw.at, &message, help);
                }
                zone.is_some().then_some(schedule)
            }
        }
    }

    fn catch_up(&mut self, raw: &Located<&String>) -> Option<CatchUp> {
        match raw.value.as_str() {
            "once" => Some(CatchUp::Once),
            "skip" => Some(CatchUp::Skip),
            other => {
                let message = format!("`catch_up` cannot be `{other}`");
                let help = suggestion(other, &["once", "skip"]);
                self.findings.at(&raw.at, message, help);
                None
            }
        }
    }

    fn retry(&mut self, raw: &Located<&RawRetry>) -> Option<Retry> {
        let before = self.findings.count();
        let mut retry = Retry::default();
        if let Some(raw) = &raw.value.attempts {
            let attempts = u32::try_from(raw.value).ok().filter(|n| *n <= MAX_ATTEMPTS);
            if let Some(attempts) = attempts.and_then(|n| n.try_into().ok()) {
                retry.attempts = attempts;
            } else {
                let message = format!("`attempts` is {}", raw.value);
                let help =
                    format!("Write a number from 1 to {MAX_ATTEMPTS}; 1 tries nothing again.");
                self.findings.at(&raw.at, message, help);
            }
        }
        if let Some(raw) = &raw.value.backoff {
            let (first, longest) = raw
                .value
                .split_once("..")
                .unwrap_or((&raw.value, &raw.value));
            let waits = parse_duration(first).and_then(|a| Ok((a, parse_duration(longest)?)));
            let help = "Write the first wait and the longest: `backoff = \"5m..1h\"`.";
            match waits {
                Err(error) => self
                    .findings
                    .at(&raw.at, format!("`backoff`: {error}"), help),
                Ok((first, longest)) if first > longest => {
                    let message = "`backoff`: the first wait is longer than the longest";
                    self.findings.at(&raw.at, message, help);
                }
                Ok(waits) => (retry.first_wait, retry.longest_wait) = waits,
            }
        }
        (self.findings.count() == before).then_some(retry)
    }
}

pub(super) fn own<T>(field: &Field<T>) -> Option<Located<&T>> {
    match field {
        Field::Got(value) => Some(value.as_ref()),
        Field::Absent | Field::Wrong => None,
    }
}

fn schedule_help(text: &str, error: &ScheduleError) -> String {
    match error {
        ScheduleError::Nickname(_) if text.starts_with("@every") => {
            format!("Write `{}`.", text.trim_start_matches('@'))
        }
        ScheduleError::Nickname(_) => {
            suggestion(text, &["@hourly", "@daily", "@weekly", "@monthly"])
        }
        ScheduleError::Every(_) => "Write a whole number and s, m, h or d: `every 6h`.".to_owned(),
        ScheduleError::Fields(1) if parse_duration(text).is_ok() => {
            format!("Did you mean `every {text}`?")
        }
        ScheduleError::BothDays => "Leave one of them `*`. The first Monday of a month is \
                                    `0 2 * * MON#1`."
            .to_owned(),
        ScheduleError::Never(_) => "No month that it names has such a day.".to_owned(),
        _ => "Write minute, hour, day, month and weekday, as in `15 2 * * *`; or `@daily`, \
              `every 6h`, `manual`."
            .to_owned(),
    }
}
