//! Checks of what is done by schedule besides backups: retention, prune, verification, probes.
//!
//! All of it has defaults, so that a configuration which says nothing is kept in order, too. The
//! defaults need no time zone to be named: without one midnight is that of UTC.

use std::time::Duration;

use backup_model::Level;
use jiff::tz::TimeZone;

use super::{config::Check, timing::own};
use crate::{
    config::{
        UpkeepConfig, VerifyConfig,
        problem::{Located, Spot},
        raw::{RawFile, RawUpkeep, RawVerify},
        table::{Field, suggestion},
    },
    schedule::{CatchUp, Retry, Schedule, Timing},
};

const DAILY: &str = "@daily";
const WEEKLY: &str = "@weekly";

/// From midnight on, all has begun before the hours in which most people back up.
const JITTER: Duration = Duration::from_mins(90);
/// Of the time between two runs the jitter takes one part in so many at most.
const JITTER_PART: u32 = 4;

const GRACE: Duration = Duration::from_hours(24);

/// How jobs are verified that do not say it themselves.
#[derive(Debug, Default)]
pub(super) struct VerifyDefaults {
    config: Option<VerifyConfig>,
    /// The longest time between two verifications; none where nothing verifies by schedule.
    gap: Option<Duration>,
}

impl Check {
    /// The table `[upkeep]`, from whichever files have it; each key stands once.
    pub(super) fn upkeep(&mut self, files: &[RawFile]) -> UpkeepConfig {
        let tables = files.iter().filter_map(|file| file.upkeep.as_ref());
        let raw: Vec<&RawUpkeep> = tables.collect();
        let texts =
            |key: fn(&RawUpkeep) -> &Field<String>| raw.iter().map(|raw| key(raw)).collect();
        let schedules: [(&str, &str, Vec<&Field<String>>); 4] = [
            ("retention", DAILY, texts(|raw| &raw.retention)),
            ("prune", DAILY, texts(|raw| &raw.prune)),
            ("verify", DAILY, texts(|raw| &raw.verify)),
            ("probe", WEEKLY, texts(|raw| &raw.probe)),
        ];
        let times: [Vec<&Field<String>>; 2] =
            [texts(|raw| &raw.jitter), texts(|raw| &raw.prune_grace)];
        let jitter = self.once("jitter", &times[0]).got();
        let jitter = jitter.and_then(|raw| self.duration("jitter", &raw));
        let grace = self.once("prune_grace", &times[1]).got();
        let prune_grace = grace.map_or(Some(GRACE), |raw| match raw.value.as_str() {
            "0" => Some(Duration::ZERO),
            _ => self.duration("prune_grace", &raw),
        });
        let [retention, prune, verify, probe] = schedules.map(|(key, default, fields)| {
            let schedule = match self.once(key, &fields) {
                Field::Got(raw) => self.schedule(key, &raw),
                Field::Absent | Field::Wrong => Some(self.by_default(default)),
            };
            schedule.map(|schedule| timing(schedule, jitter))
        });
        let gap = verify.as_ref().map(|timing| timing.schedule.longest_gap());
        self.verify.gap = gap;
        UpkeepConfig {
            retention,
            prune,
            verify,
            probe,
            prune_grace: prune_grace.unwrap_or(GRACE),
        }
    }

    fn by_default(&self, text: &str) -> Schedule {
        let zone = self.known_zone().unwrap_or(TimeZone::UTC);
        Schedule::parse(text, zone).expect("the defaults are schedules")
    }

    /// Takes `verify` of `[defaults]` from whichever file has it.
    pub(super) fn verify_defaults(&mut self, files: &[RawFile]) {
        let defaults = files.iter().filter_map(|file| file.defaults.as_ref());
        let fields: Vec<_> = defaults.map(|raw| &raw.verify).collect();
        let raw = self.once("verify", &fields).got();
        self.verify.config = raw.map(|raw| self.verify_table(&raw));
    }

    /// How a job is verified: its own table as a whole, else that of the defaults.
    pub(super) fn verify(&mut self, raw: &Field<RawVerify>) -> VerifyConfig {
        match own(raw) {
            Some(raw) => self.verify_table(&raw),
            None => self.verify.config.clone().unwrap_or_default(),
        }
    }

    fn verify_table(&mut self, raw: &Located<&RawVerify>) -> VerifyConfig {
        let mut config = VerifyConfig::default();
        if let Some(after) = &raw.value.after {
            if after.value == Level::Storage.as_str() {
                config.after = Some(Level::Storage);
            } else {
                let message = format!("`after` cannot be `{}`", after.value);
                let help = match after.value.as_str() {
                    "data" | "restore" => {
                        "Write `storage`: whatever looks deeper needs a key, and this host has none."
                            .to_owned()
                    }
                    other => suggestion(other, &[Level::Storage.as_str()]),
                };
                self.findings.at(&after.at, message, help);
            }
        }
        if let Some(coverage) = &raw.value.full_coverage
            && let Some(time) = self.duration("full_coverage", &coverage.as_ref())
        {
            config.full_coverage = time;
            self.room_for_rounds(time, &coverage.at);
        }
        config
    }

    fn room_for_rounds(&mut self, coverage: Duration, at: &Spot) {
        if self.verify.gap.is_some_and(|gap| coverage < gap) {
            let message = "`full_coverage` is shorter than the time between two verifications";
            let help = "The job will be reported as not verified in time before each of them. \
                        Let `verify` of `[upkeep]` come more often, or allow more.";
            self.findings.warn(at, message, help);
        }
    }
}

/// What was missed is made up for, and what failed is tried again, as a job is by default.
fn timing(schedule: Schedule, jitter: Option<Duration>) -> Timing {
    let most = schedule.longest_gap() / JITTER_PART;
    let jitter = jitter.unwrap_or_else(|| JITTER.min(most));
    Timing {
        jitter: Some(jitter),
        schedule,
        catch_up: CatchUp::default(),
        retry: Retry::default(),
    }
}
