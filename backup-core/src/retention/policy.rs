//! The policy, checked: every wrong thing in it, or rules that can be followed.
//!
//! Zones come from the database that is built into the program and not from the host's, so that
//! the same records give the same plan on every machine.

use backup_model::{RetentionPolicy, RetentionRule};
use jiff::{
    SignedDuration,
    tz::{TimeZone, TimeZoneDatabase},
};

use super::{RetentionError, calendar::Unit};

/// No count is higher.
pub const MAX_COUNT: u32 = 100_000;
/// The longest time: a century of leap years.
const MAX_TIME: SignedDuration = SignedDuration::from_hours(100 * 366 * 24);

/// How far a rule reaches.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reach {
    /// So many periods or snapshots.
    Count(usize),
    /// So far back from the newest.
    Time(SignedDuration),
}

/// A rule that is in force.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) name: RetentionRule,
    /// One snapshot for each of these; none for every snapshot.
    pub(super) unit: Option<Unit>,
    pub(super) reach: Reach,
}

/// A policy that can be followed.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) zone: TimeZone,
    pub(super) rules: Vec<Rule>,
    pub(super) min_keep: usize,
}

/// Everything that is wrong with a policy.
pub fn faults(policy: &RetentionPolicy) -> Vec<RetentionError> {
    checked(policy).err().unwrap_or_default()
}

/// The policy as rules, in the order of its keys.
pub(super) fn checked(policy: &RetentionPolicy) -> Result<Checked, Vec<RetentionError>> {
    let mut errors = Vec::new();
    let mut rules = Vec::new();
    for (name, unit, count) in counts(policy) {
        errors.extend(too_many(name.as_str(), count));
        if count > 0 {
            let reach = Reach::Count(size(count));
            rules.push(Rule { name, unit, reach });
        }
    }
    for (name, unit, time) in times(policy) {
        let Some(time) = time else { continue };
        let rule = name.as_str();
        if time <= SignedDuration::ZERO {
            errors.push(RetentionError::Time { rule });
        } else if time > MAX_TIME {
            errors.push(RetentionError::LongTime { rule });
        }
        rules.push(Rule {
            name,
            unit,
            reach: Reach::Time(time),
        });
    }
    if rules.is_empty() {
        let min_keep = policy.min_keep;
        errors.push(RetentionError::NoRule { min_keep });
    }
    if policy.min_keep == 0 {
        errors.push(RetentionError::NoMinimum);
    }
    errors.extend(too_many("min_keep", policy.min_keep));
    let zone = zone(&policy.time_zone).map_err(|error| errors.push(error));
    match zone {
        Ok(zone) if errors.is_empty() => Ok(Checked {
            zone,
            rules,
            min_keep: size(policy.min_keep),
        }),
        Ok(_) | Err(()) => Err(errors),
    }
}

fn zone(name: &str) -> Result<TimeZone, RetentionError> {
    let known = TimeZoneDatabase::bundled().get(name);
    known.map_err(|_| RetentionError::Zone {
        zone: name.to_owned(),
    })
}

fn too_many(rule: &'static str, count: u32) -> Option<RetentionError> {
    let max = MAX_COUNT;
    (count > max).then_some(RetentionError::Count { rule, count, max })
}

/// A count that fits no `usize` is more than there can be records.
fn size(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn counts(policy: &RetentionPolicy) -> [(RetentionRule, Option<Unit>, u32); 6] {
    [
        (RetentionRule::KeepLast, None, policy.keep_last),
        (
            RetentionRule::KeepHourly,
            Some(Unit::Hour),
            policy.keep_hourly,
        ),
        (RetentionRule::KeepDaily, Some(Unit::Day), policy.keep_daily),
        (
            RetentionRule::KeepWeekly,
            Some(Unit::Week),
            policy.keep_weekly,
        ),
        (
            RetentionRule::KeepMonthly,
            Some(Unit::Month),
            policy.keep_monthly,
        ),
        (
            RetentionRule::KeepYearly,
            Some(Unit::Year),
            policy.keep_yearly,
        ),
    ]
}

fn times(policy: &RetentionPolicy) -> [(RetentionRule, Option<Unit>, Option<SignedDuration>); 6] {
    use RetentionRule as Name;
    let hourly = policy.keep_within_hourly;
    let daily = policy.keep_within_daily;
    let weekly = policy.keep_within_weekly;
    let monthly = policy.keep_within_monthly;
    let yearly = policy.keep_within_yearly;
    [
        (Name::KeepWithin, None, policy.keep_within),
        (Name::KeepWithinHourly, Some(Unit::Hour), hourly),
        (Name::KeepWithinDaily, Some(Unit::Day), daily),
        (Name::KeepWithinWeekly, Some(Unit::Week), weekly),
        (Name::KeepWithinMonthly, Some(Unit::Month), monthly),
        (Name::KeepWithinYearly, Some(Unit::Year), yearly),
    ]
}
