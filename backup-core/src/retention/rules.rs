//! What the rules of a policy want, of complete snapshots that are not dated in the future.
//!
//! Each rule has its periods to itself, and wants each snapshot of whose period the next one in
//! the chain is not. Where clocks are right that is the newest of each period. Where a clock went
//! elsewhere and came back, or came to a period a second time, no one stands for the other.
//!
//! A snapshot that is out of order uses up no count: it takes nothing away from those that are
//! believed. It is past when they are: when a rule has all it wants and an older believed one
//! follows, or when the next believed one after it is itself too old for a time.

use std::collections::BTreeSet;

use backup_model::KeepReason;
use jiff::{SignedDuration, Timestamp, ZonedDateTime, tz::TimeZone};

use super::{
    calendar::Period,
    order::believed,
    policy::{Checked, Reach, Rule},
};

/// A snapshot that the rules look at.
#[derive(Debug)]
pub(super) struct Candidate {
    at: ZonedDateTime,
    /// Whether its date agrees with the chain.
    pub(super) in_order: bool,
    /// It was made before this; none if nothing newer is believed.
    before: Option<Timestamp>,
    /// The rules that want it.
    pub(super) wanted: Vec<KeepReason>,
}

/// Asks all rules about snapshots made at these times, the newest of the chain first.
pub(super) fn follow(policy: &Checked, newest_first: &[Timestamp]) -> Vec<Candidate> {
    let mut candidates = candidates(newest_first, &policy.zone);
    for rule in &policy.rules {
        match rule.reach {
            Reach::Count(count) => by_count(rule, count, &mut candidates),
            Reach::Time(time) => by_time(rule, time, &mut candidates),
        }
    }
    candidates
}

fn candidates(newest_first: &[Timestamp], zone: &TimeZone) -> Vec<Candidate> {
    let oldest_first: Vec<_> = newest_first.iter().rev().copied().collect();
    let in_order = believed(&oldest_first).into_iter().rev();
    let mut newer = None;
    newest_first
        .iter()
        .zip(in_order)
        .map(|(created, in_order)| {
            let before = newer;
            if in_order {
                newer = Some(*created);
            }
            Candidate {
                at: created.to_zoned_datetime(zone.clone()),
                in_order,
                before,
                wanted: Vec::new(),
            }
        })
        .collect()
}

fn by_count(rule: &Rule, count: usize, candidates: &mut [Candidate]) {
    if rule.unit.is_none() {
        // The newest ones are the newest ones, whatever their dates.
        for candidate in candidates.iter_mut().take(count) {
            candidate.want(rule, None);
        }
        return;
    }
    let mut found = BTreeSet::new();
    let mut newer = None;
    for candidate in candidates {
        let period = candidate.period(rule);
        if candidate.in_order && !found.contains(&period) {
            if found.len() == count {
                return;
            }
            found.insert(period);
        }
        if newer != Some(period) {
            candidate.want(rule, period);
        }
        newer = Some(period);
    }
}

fn by_time(rule: &Rule, time: SignedDuration, candidates: &mut [Candidate]) {
    let newest = candidates.iter().find(|candidate| candidate.in_order);
    let since = newest.and_then(|newest| newest.at.timestamp().checked_sub(time).ok());
    let since = since.unwrap_or(Timestamp::MIN);
    let mut newer = None;
    for candidate in candidates {
        if candidate.is_older_than(since) {
            continue;
        }
        let period = candidate.period(rule);
        if period.is_none() || newer != Some(period) {
            candidate.want(rule, period);
        }
        newer = Some(period);
    }
}

impl Candidate {
    fn period(&self, rule: &Rule) -> Option<Period> {
        rule.unit.map(|unit| Period::of(unit, &self.at))
    }

    fn want(&mut self, rule: &Rule, period: Option<Period>) {
        self.wanted.push(KeepReason::Rule {
            rule: rule.name,
            period: period.map(|period| period.to_string()),
        });
    }

    /// A date that is out of order may be wrong in either direction: both it and the next one
    /// that is believed must be too old.
    fn is_older_than(&self, since: Timestamp) -> bool {
        let too_old = self.at.timestamp() < since;
        match self.before {
            _ if self.in_order => too_old,
            Some(before) => too_old && before < since,
            None => false,
        }
    }
}
