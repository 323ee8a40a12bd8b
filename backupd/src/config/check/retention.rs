//! Checks of retention policies, and of the time zone by whose calendar they count.
//!
//! What makes a policy one is the engine's to say. Here are only the values that cannot be put
//! into one, and where each of the engine's complaints belongs.

use backup_core::retention::{MAX_COUNT, faults};
use backup_model::RetentionPolicy;
use jiff::{
    SignedDuration,
    tz::{TimeZone, TimeZoneDatabase},
};

use super::config::Check;
use crate::{
    config::{
        problem::{Located, Spot},
        raw::{RawDefaults, RawFile, RawRetention},
        table::Field,
    },
    units::parse_duration,
};

/// What jobs have that do not say otherwise.
#[derive(Debug, Default)]
pub(super) struct Defaults {
    retention: Option<RetentionPolicy>,
    zone: Zone,
}

#[derive(Debug, Default)]
enum Zone {
    /// None is named, and nobody was told that one is needed.
    #[default]
    Absent,
    /// It is wrong or missing, and that is reported.
    Reported,
    Known(String),
}

impl Check {
    /// Takes `[defaults]` from whichever files have it; each key stands once.
    pub(super) fn defaults(&mut self, files: &[RawFile]) {
        let defaults = || files.iter().filter_map(|file| file.defaults.as_ref());
        let zones: Vec<_> = defaults().map(|raw: &RawDefaults| &raw.timezone).collect();
        let policies: Vec<_> = defaults().map(|raw| &raw.retention).collect();
        self.defaults.zone = match self.once("timezone", &zones) {
            Field::Absent => Zone::Absent,
            Field::Wrong => Zone::Reported,
            Field::Got(zone) => self.zone(&zone),
        };
        self.defaults.retention = match self.once("retention", &policies) {
            Field::Absent | Field::Wrong => None,
            Field::Got(raw) => self.policy(&raw),
        };
    }

    /// The policy of a job: its own as a whole, else that of the defaults.
    pub(super) fn retention(&mut self, own: &Field<RawRetention>) -> Option<RetentionPolicy> {
        match own {
            Field::Absent => self.defaults.retention.clone(),
            Field::Wrong => None,
            Field::Got(raw) => self.policy(&raw.as_ref()),
        }
    }

    pub(super) fn once<'a, T>(&mut self, key: &str, fields: &[&'a Field<T>]) -> Field<&'a T> {
        let mut found = Field::Absent;
        for field in fields {
            let Field::Got(value) = field else {
                if matches!(field, Field::Wrong) {
                    found = Field::Wrong;
                }
                continue;
            };
            if let Field::Got(first) = &found {
                let help = format!("It is set at {}, too.", self.findings.name_of(&first.at));
                let message = format!("`{key}` is set twice");
                self.findings.at(&value.at, message, help);
            } else if matches!(found, Field::Absent) {
                found = Field::Got(value.as_ref());
            }
        }
        found
    }

    fn zone(&mut self, raw: &Located<&String>) -> Zone {
        let known = TimeZoneDatabase::bundled();
        if known.get(raw.value).is_ok() {
            return Zone::Known(raw.value.clone());
        }
        let names = known.available().map(|name| name.as_str().to_owned());
        let help = zone_help(raw.value, names);
        let message = format!("`{}` is not a time zone", raw.value);
        self.findings.at(&raw.at, message, help);
        Zone::Reported
    }

    fn policy(&mut self, raw: &Located<&RawRetention>) -> Option<RetentionPolicy> {
        let zone = self.zone_for("retention", &raw.at);
        // With another zone the rest can still be checked.
        let stand_in = "UTC".to_owned();
        let mut policy = RetentionPolicy::new(zone.clone().unwrap_or(stand_in));
        let counts = self.counts(raw.value, &mut policy);
        let times = self.times(raw.value, &mut policy);
        if !(counts && times && raw.value.whole) {
            return None;
        }
        let faults = faults(&policy);
        for fault in &faults {
            let own = fault.key().and_then(|key| raw.value.at(key));
            let help = match fault.key() {
                None => "Say what to keep: `retention = { keep_daily = 14, keep_monthly = 12 }`.",
                Some(_) => "Write at least 1, or leave the key out: it is 2 then.",
            };
            let at = own.unwrap_or(&raw.at);
            self.findings.at(at, fault.to_string(), help);
        }
        zone.filter(|_| faults.is_empty()).map(|_| policy)
    }

    /// The zone of the defaults. That it is missing is said once.
    pub(super) fn zone_for(&mut self, key: &str, at: &Spot) -> Option<String> {
        match &self.defaults.zone {
            Zone::Known(zone) => Some(zone.clone()),
            Zone::Reported => None,
            Zone::Absent => {
                if self.complete {
                    let message = format!("`{key}` needs a time zone");
                    let help = "Add `timezone = \"Europe/Berlin\"` to `[defaults]`: \
                                by it days begin and clocks are read.";
                    self.findings.at(at, message, help);
                    self.defaults.zone = Zone::Reported;
                }
                None
            }
        }
    }

    /// The zone of the defaults, where one is named and nothing is wrong with it.
    pub(super) fn known_zone(&self) -> Option<TimeZone> {
        match &self.defaults.zone {
            Zone::Known(zone) => TimeZoneDatabase::bundled().get(zone).ok(),
            Zone::Reported | Zone::Absent => None,
        }
    }

    /// Puts in the counts, and says whether all could be.
    fn counts(&mut self, raw: &RawRetention, policy: &mut RetentionPolicy) -> bool {
        let mut all = true;
        for (key, count) in &raw.counts {
            let at = &count.at;
            let Some(value) = u32::try_from(count.value).ok().filter(|n| *n <= MAX_COUNT) else {
                let (key, value) = (key.0, count.value);
                let message = if value < 0 {
                    format!("`{key}` is negative")
                } else {
                    format!("`{key}` is more than {MAX_COUNT}")
                };
                let help = format!("Write a number from 0 to {MAX_COUNT}; 0 is no rule.");
                self.findings.at(at, message, help);
                all = false;
                continue;
            };
            let field = match key.0 {
                "keep_last" => &mut policy.keep_last,
                "keep_hourly" => &mut policy.keep_hourly,
                "keep_daily" => &mut policy.keep_daily,
                "keep_weekly" => &mut policy.keep_weekly,
                "keep_monthly" => &mut policy.keep_monthly,
                "keep_yearly" => &mut policy.keep_yearly,
                _ => &mut policy.min_keep,
            };
            *field = value;
        }
        all
    }

    /// Puts in the times, and says whether all could be.
    fn times(&mut self, raw: &RawRetention, policy: &mut RetentionPolicy) -> bool {
        let mut all = true;
        for (key, time) in &raw.times {
            let parsed = parse_duration(&time.value);
            let value = match parsed.map(SignedDuration::try_from) {
                Ok(Ok(value)) => value,
                // A century at most, which is a duration of either kind.
                Ok(Err(_)) => SignedDuration::MAX,
                Err(error) => {
                    let message = format!("`{}`: {error}", key.0);
                    let help = format!("Write a whole number and s, m, h or d: `{}`.", key.1);
                    self.findings.at(&time.at, message, help);
                    all = false;
                    continue;
                }
            };
            let field = match key.0 {
                "keep_within" => &mut policy.keep_within,
                "keep_within_hourly" => &mut policy.keep_within_hourly,
                "keep_within_daily" => &mut policy.keep_within_daily,
                "keep_within_weekly" => &mut policy.keep_within_weekly,
                "keep_within_monthly" => &mut policy.keep_within_monthly,
                _ => &mut policy.keep_within_yearly,
            };
            *field = Some(value);
        }
        all
    }
}

/// How zones are named, and which one may have been meant.
fn zone_help(given: &str, known: impl Iterator<Item = String>) -> String {
    let likeness = |name: &str| strsim::jaro_winkler(&given.to_lowercase(), &name.to_lowercase());
    let best = known
        .map(|name| (likeness(&name), name))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((_, name)) => format!("Did you mean `{name}`?"),
        None => "Write its name as in `Europe/Berlin`, or `UTC`.".to_owned(),
    }
}
