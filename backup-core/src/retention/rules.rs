//! The rules of a policy, each in a name space of its own: which of some complete snapshots they
//! want, and for which period.

use std::collections::BTreeSet;

use backup_model::{KeepReason, RetentionPolicy, RetentionRule};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::calendar::Period;

/// What the rules say of complete snapshots, given by their dates, the newest first: for each, why
/// it is wanted.
pub(super) fn wanted(
    policy: &RetentionPolicy,
    zone: &TimeZone,
    dates: &[Timestamp],
) -> Vec<Vec<KeepReason>> {
    let mut reasons = vec![Vec::new(); dates.len()];
    let counted = [
        (RetentionRule::KeepLast, policy.keep_last),
        (RetentionRule::KeepHourly, policy.keep_hourly),
        (RetentionRule::KeepDaily, policy.keep_daily),
        (RetentionRule::KeepWeekly, policy.keep_weekly),
        (RetentionRule::KeepMonthly, policy.keep_monthly),
        (RetentionRule::KeepYearly, policy.keep_yearly),
    ];
    for (rule, count) in counted {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        take(rule, zone, dates, &mut reasons, |_| true, count);
    }
    let timed = [
        (RetentionRule::KeepWithin, policy.keep_within),
        (RetentionRule::KeepWithinHourly, policy.keep_within_hourly),
        (RetentionRule::KeepWithinDaily, policy.keep_within_daily),
        (RetentionRule::KeepWithinWeekly, policy.keep_within_weekly),
        (RetentionRule::KeepWithinMonthly, policy.keep_within_monthly),
        (RetentionRule::KeepWithinYearly, policy.keep_within_yearly),
    ];
    let newest = dates.iter().max().copied();
    for (rule, time) in timed {
        let (Some(time), Some(newest)) = (time, newest) else {
            continue;
        };
        let young = |date: Timestamp| age(date, newest) <= time;
        take(rule, zone, dates, &mut reasons, young, usize::MAX);
    }
    reasons
}

fn age(date: Timestamp, newest: Timestamp) -> SignedDuration {
    newest.duration_since(date)
}

/// Goes from the newest to the oldest and takes the first of each period, `most` in all.
fn take(
    rule: RetentionRule,
    zone: &TimeZone,
    dates: &[Timestamp],
    reasons: &mut [Vec<KeepReason>],
    fits: impl Fn(Timestamp) -> bool,
    most: usize,
) {
    let period = period(rule);
    let mut taken = 0;
    let mut seen = BTreeSet::new();
    for (&date, reasons) in dates.iter().zip(reasons) {
        if taken == most {
            return;
        }
        if !fits(date) {
            continue;
        }
        let name = period.map(|period| period.of(date, zone));
        if name.as_ref().is_none_or(|name| seen.insert(name.clone())) {
            taken += 1;
            reasons.push(KeepReason::Rule { rule, period: name });
        }
    }
}

/// The period of which a rule wants one; none if it wants all.
fn period(rule: RetentionRule) -> Option<Period> {
    match rule {
        RetentionRule::KeepHourly | RetentionRule::KeepWithinHourly => Some(Period::Hour),
        RetentionRule::KeepDaily | RetentionRule::KeepWithinDaily => Some(Period::Day),
        RetentionRule::KeepWeekly | RetentionRule::KeepWithinWeekly => Some(Period::Week),
        RetentionRule::KeepMonthly | RetentionRule::KeepWithinMonthly => Some(Period::Month),
        RetentionRule::KeepYearly | RetentionRule::KeepWithinYearly => Some(Period::Year),
        _ => None,
    }
}
