//! What becomes of the snapshots of each day, by the calendar of the policy.

use std::collections::BTreeMap;

use backup_model::{End, JobName, KeepReason, RetentionDecision, RetentionPlan, RetentionVerdict};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::{kit::calendar::Cell, state::Keep};

/// Which plan days are of. Two plans can come at the same moment, so the time is not enough.
#[derive(Debug, PartialEq)]
pub(in crate::views::jobs) struct OfPlan {
    job: JobName,
    told: Option<Timestamp>,
    keep: Keep,
    verdicts: usize,
}

impl OfPlan {
    pub(super) fn new(job: &JobName, told: Option<Timestamp>, plan: &RetentionPlan) -> Self {
        Self {
            job: job.clone(),
            told,
            keep: Keep::of(&plan.policy),
            verdicts: plan.verdicts.len(),
        }
    }
}

/// The days of a plan.
#[derive(Debug, PartialEq)]
pub(in crate::views::jobs) struct Days {
    /// How many snapshots stay.
    pub(super) stay: usize,
    /// How many go.
    pub(super) go: usize,
    /// The snapshots among the plan's verdicts, by their place there.
    pub(super) snapshots: Vec<usize>,
    pub(super) zone: TimeZone,
    today: Date,
    cells: BTreeMap<Date, Cell>,
}

impl Days {
    pub(super) fn of(plan: &RetentionPlan) -> Self {
        let zone = TimeZone::get(&plan.policy.time_zone).unwrap_or(TimeZone::UTC);
        let mut days = Self {
            stay: 0,
            go: 0,
            today: plan.now.to_zoned_datetime(zone.clone()).date(),
            snapshots: Vec::new(),
            zone,
            cells: BTreeMap::new(),
        };
        for (place, verdict) in plan.verdicts.iter().enumerate() {
            if is_snapshot(verdict) {
                days.snapshots.push(place);
                days.add(verdict);
            }
        }
        days
    }

    fn add(&mut self, verdict: &RetentionVerdict) {
        let cell = cell(&verdict.decision);
        match cell {
            Cell::Goes => self.go += 1,
            _ => self.stay += 1,
        }
        let day = verdict.created.to_zoned_datetime(self.zone.clone()).date();
        let known = self.cells.entry(day).or_insert(cell);
        // What stays of a day says more than what goes.
        if weight(cell) > weight(*known) {
            *known = cell;
        }
    }

    pub(super) fn cell(&self, day: Date) -> Cell {
        let known = self.cells.get(&day).copied();
        match known {
            Some(cell) => cell,
            None if day > self.today => Cell::Future,
            None => Cell::Nothing,
        }
    }

    /// The last months, the oldest first; so many, but none before the first snapshot.
    pub(super) fn months(&self, most: usize) -> Vec<Date> {
        let first = self.cells.keys().next().copied().unwrap_or(self.today);
        let newest = self.today.first_of_month();
        let back = |month: &Date| month.yesterday().ok().map(Date::first_of_month);
        let months = std::iter::successors(Some(newest), back);
        let months = months.take_while(|month| *month >= first.first_of_month());
        let mut months: Vec<Date> = months.take(most.max(1)).collect();
        months.reverse();
        months
    }
}

/// Of a run that made none only the record stays or goes.
const fn is_snapshot(verdict: &RetentionVerdict) -> bool {
    matches!(verdict.end, End::Complete | End::Partial)
}

pub(super) fn cell(decision: &RetentionDecision) -> Cell {
    match decision {
        RetentionDecision::Go { .. } => Cell::Goes,
        RetentionDecision::Keep { reasons } => {
            let special = |reason| matches!(reason, &KeepReason::Held | &KeepReason::Proven);
            let held = reasons.iter().any(special);
            if held { Cell::Held } else { Cell::Stays }
        }
    }
}

const fn weight(cell: Cell) -> u8 {
    match cell {
        Cell::Nothing | Cell::Future => 0,
        Cell::Goes => 1,
        Cell::Stays => 2,
        Cell::Held => 3,
    }
}

#[cfg(test)]
mod tests {
    use backup_model::{GoReason, RetentionPolicy};

    use super::*;

    fn verdict(seq: u64, at: &str, end: End, decision: RetentionDecision) -> RetentionVerdict {
        RetentionVerdict {
            snapshot: format!("webui/{seq}").parse().unwrap(),
            created: at.parse().unwrap(),
            end,
            stored_bytes: 1,
            out_of_order: false,
            decision,
        }
    }

    #[test]
    fn a_day_shows_the_best_that_becomes_of_it_by_the_policys_calendar() {
        let go = || RetentionDecision::Go {
            reason: GoReason::NoRule,
        };
        let keep = |reason| RetentionDecision::Keep {
            reasons: vec![reason],
        };
        let policy = RetentionPolicy::new("Europe/Berlin".to_owned());
        let plan = RetentionPlan {
            now: "2026-11-22T14:00:00Z".parse().unwrap(),
            policy,
            paused: None,
            notes: Vec::new(),
            verdicts: vec![
                verdict(
                    5,
                    "2026-11-21T23:30:00Z",
                    End::Complete,
                    keep(KeepReason::MinKeep),
                ),
                verdict(4, "2026-11-20T10:00:00Z", End::Complete, go()),
                verdict(
                    3,
                    "2026-11-20T08:00:00Z",
                    End::Complete,
                    keep(KeepReason::Held),
                ),
                verdict(2, "2026-10-02T08:00:00Z", End::Partial, go()),
                verdict(
                    1,
                    "2026-10-01T08:00:00Z",
                    End::Aborted,
                    keep(KeepReason::History),
                ),
            ],
        };
        let days = Days::of(&plan);
        assert_eq!((days.stay, days.go), (2, 2));
        assert_eq!(days.snapshots, [0, 1, 2, 3]);
        let day = |month, day| Date::constant(2026, month, day);
        // Half past eleven in the night is the next day there.
        assert_eq!(days.cell(day(11, 22)), Cell::Stays);
        assert_eq!(days.cell(day(11, 21)), Cell::Nothing);
        assert_eq!(days.cell(day(11, 20)), Cell::Held);
        assert_eq!(days.cell(day(10, 2)), Cell::Goes);
        assert_eq!(days.cell(day(10, 1)), Cell::Nothing);
        assert_eq!(days.cell(day(11, 23)), Cell::Future);
        assert_eq!(days.months(4), [day(10, 1), day(11, 1)]);
        assert_eq!(days.months(1), [day(11, 1)]);
    }
}
