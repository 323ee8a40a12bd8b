//! The last thirty days of a job, from the times at which it was due and from its limit.

use backup_model::{DueKept, DueTime};
use jiff::{SignedDuration, Span, Timestamp, tz::TimeZone};

use crate::kit::Day;

/// So many days are shown; the last is today.
const DAYS: i64 = 30;

/// What is known of the snapshots of a job besides its due times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    /// How old the newest good snapshot may be.
    pub(super) rpo: Option<SignedDuration>,
    /// When the newest one was made.
    pub(super) good: Option<Timestamp>,
}

/// How each day went, the oldest first. `dues` are in the order of their times.
pub(super) fn days(dues: &[DueTime], limit: Limit, now: Timestamp, zone: &TimeZone) -> Vec<Day> {
    let starts = starts(now, zone);
    let beyond = beyond(dues, limit, now);
    let first = dues.first().map(|due| due.due);
    let day = |day: &[Timestamp]| {
        let &[from, to] = day else { return Day::Idle };
        if beyond
            .iter()
            .any(|(begun, ended)| *begun < to && *ended > from)
        {
            return Day::Broken;
        }
        // Before the first one there was nobody yet, or it is too long ago to be told.
        if first.is_some_and(|first| to <= first) {
            return Day::NoData;
        }
        let of_day = dues.iter().filter(|due| from <= due.due && due.due < to);
        went(of_day.map(|due| due.kept))
    };
    starts.windows(2).map(day).collect()
}

/// The beginnings of the days, and of tomorrow.
fn starts(now: Timestamp, zone: &TimeZone) -> Vec<Timestamp> {
    let today = zone.to_datetime(now).date();
    let start = |back: i64| {
        let date = today.checked_sub(Span::new().days(back)).unwrap_or(today);
        let start = date.at(0, 0, 0, 0);
        zone.to_timestamp(start).unwrap_or(now)
    };
    (-1..DAYS).rev().map(start).collect()
}

/// The times at which the newest good snapshot was older than it may be. Of a time that was made
/// up for only that is known: what made up for it may have come a little later.
fn beyond(dues: &[DueTime], limit: Limit, now: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    let Some(rpo) = limit.rpo else {
        return Vec::new();
    };
    let kept = |due: &&DueTime| matches!(due.kept, DueKept::Done | DueKept::MadeUp);
    let good = dues.iter().filter(kept).map(|due| due.due);
    let mut good: Vec<Timestamp> = good.chain(limit.good).collect();
    good.sort_unstable();
    let ends = good.iter().skip(1).copied().chain([now]);
    let spans = good.iter().zip(ends);
    spans
        .filter_map(|(from, to)| {
            let until = from.checked_add(rpo).ok()?;
            (until < to).then_some((until, to))
        })
        .collect()
}

fn went(kept: impl Iterator<Item = DueKept>) -> Day {
    let (mut done, mut trouble, mut missed) = (false, false, false);
    for kept in kept {
        match kept {
            DueKept::Done => done = true,
            DueKept::Failed | DueKept::MadeUp | DueKept::Overdue => trouble = true,
            DueKept::Missed => missed = true,
            // Of these nobody can say yet, or nobody wanted one.
            _ => {}
        }
    }
    if trouble || (missed && done) {
        Day::Trouble
    } else if missed {
        Day::NoData
    } else if done {
        Day::Held
    } else {
        Day::Idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T14:02:00Z".parse().unwrap()
    }

    fn hours_ago(hours: i64) -> Timestamp {
        now() - SignedDuration::from_hours(hours)
    }

    fn due(hours: i64, kept: DueKept) -> DueTime {
        DueTime {
            due: hours_ago(hours),
            kept,
            run: None,
        }
    }

    fn daily(limit_hours: i64, kept: impl Fn(i64) -> DueKept) -> Vec<Day> {
        let dues: Vec<DueTime> = (0..30)
            .rev()
            .map(|day| due(day * 24 + 3, kept(day)))
            .collect();
        let good = dues.iter().rev().find(|due| due.kept == DueKept::Done);
        let limit = Limit {
            rpo: Some(SignedDuration::from_hours(limit_hours)),
            good: good.map(|due| due.due),
        };
        days(&dues, limit, now(), &TimeZone::UTC)
    }

    #[test]
    fn a_good_month_is_held() {
        assert_eq!(daily(26, |_| DueKept::Done), [Day::Held; 30]);
    }

    #[test]
    fn a_failure_is_trouble_and_beyond_the_limit_it_is_broken() {
        let failed = |day| {
            if day == 1 {
                DueKept::Failed
            } else {
                DueKept::Done
            }
        };
        assert_eq!(
            daily(50, failed)[27..],
            [Day::Held, Day::Trouble, Day::Held]
        );
        // The limit was broken from yesterday 13:02 until the run of today.
        assert_eq!(
            daily(26, failed)[27..],
            [Day::Held, Day::Broken, Day::Broken]
        );
    }

    #[test]
    fn what_is_missed_is_no_data_and_with_a_good_run_trouble() {
        let missed = |day| {
            if day == 4 {
                DueKept::Missed
            } else {
                DueKept::Done
            }
        };
        assert_eq!(daily(100, missed)[25], Day::NoData);
        let both = [due(6, DueKept::Missed), due(3, DueKept::Done)];
        let limit = Limit {
            rpo: None,
            good: None,
        };
        let found = days(&both, limit, now(), &TimeZone::UTC);
        assert_eq!(found[29], Day::Trouble);
    }

    #[test]
    fn before_the_first_time_nothing_is_known_and_without_any_nothing_was_due() {
        let limit = Limit {
            rpo: None,
            good: None,
        };
        let found = days(&[due(30, DueKept::Done)], limit, now(), &TimeZone::UTC);
        assert_eq!(found[27..], [Day::NoData, Day::Held, Day::Idle]);
        assert_eq!(days(&[], limit, now(), &TimeZone::UTC), [Day::Idle; 30]);
    }

    #[test]
    fn days_are_those_of_the_zone() {
        let limit = Limit {
            rpo: None,
            good: None,
        };
        let late = [due(24, DueKept::Done), due(15, DueKept::Failed)];
        // 23:02 of yesterday in UTC is today in Berlin.
        let utc = days(&late, limit, now(), &TimeZone::UTC);
        assert_eq!(utc[28..], [Day::Trouble, Day::Idle]);
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let berlin = days(&late, limit, now(), &berlin);
        assert_eq!(berlin[28..], [Day::Held, Day::Trouble]);
    }
}
