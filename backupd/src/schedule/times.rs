//! From a schedule to instants.
//!
//! croner is asked about the calendar only, without a zone: its own search through zones steps
//! back in time where a clock is set back. What a local time is as an instant is decided here.
//!
//! A pattern that names its hours means times of the day. One that the clock skips in spring comes
//! at the first instant after the gap (several in one gap, once); one that comes twice in autumn
//! is meant the first time. Any other pattern, and `every`, follows the clock as it goes: what
//! is skipped is skipped, what comes twice comes twice, and intervals stay what they are.

use std::time::Duration;

use chrono::{DateTime as Calendar, Datelike as _, NaiveDate, Timelike as _, Utc};
use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    civil::{Date, DateTime, date},
    tz::{AmbiguousOffset, TimeZone},
};

use super::parse::{Pattern, Rule, Schedule};

/// After so many days every date is a day of the week again that it was (until 2099).
const CALENDAR_DAYS: i64 = 28 * 365 + 7;
const FIRST_DAY: Date = date(2024, 1, 1);
const DAY: i64 = 86_400;

impl Schedule {
    /// The first due time after an instant; none near the end of time.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let after = Timestamp::from_second(after.as_second()).ok()?;
        match &self.rule {
            Rule::Every(period) => {
                let past = after.as_second().div_euclid(*period);
                Timestamp::from_second(past.checked_add(1)?.checked_mul(*period)?).ok()
            }
            Rule::Cron(pattern) if pattern.is_fixed => pattern.next_fixed(after, &self.zone),
            Rule::Cron(pattern) => pattern.next_by_clock(after, &self.zone),
        }
    }

    /// All due times after an instant, up to and with another.
    pub fn between(
        &self,
        after: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = Timestamp> + '_ {
        std::iter::successors(self.next_after(after), |due| self.next_after(*due))
            .take_while(move |due| *due <= until)
    }

    /// The last due time after an instant, up to and with another, however many there are.
    pub fn last_between(&self, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let first = self.next_after(after).filter(|due| *due <= until)?;
        let (mut low, mut high) = (first.as_second(), until.as_second());
        let mut last = first;
        // Of all times before `until` that have a due time between them and it, the latest has
        // only that one.
        while low < high {
            let middle = low + (high - low) / 2;
            match self.next_after(Timestamp::from_second(middle).ok()?) {
                Some(due) if due <= until => {
                    last = due;
                    low = due.as_second();
                }
                _ => high = middle,
            }
        }
        Some(last)
    }

    /// The longest time between two due times, by a clock that is never set.
    pub fn longest_gap(&self) -> Duration {
        let seconds = match &self.rule {
            Rule::Every(period) => *period,
            Rule::Cron(pattern) => pattern.longest_gap(),
        };
        Duration::from_secs(seconds.unsigned_abs())
    }

    /// Whether it is ever due twice within a minute.
    pub fn is_denser_than_minutes(&self) -> bool {
        match &self.rule {
            Rule::Every(period) => *period < 60,
            Rule::Cron(pattern) => pattern.seconds().len() > 1,
        }
    }
}

impl Pattern {
    fn next_fixed(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut local = zone.to_datetime(after);
        // In the hour that comes for the second time, all that it names was due before.
        loop {
            local = self.next_local(local)?;
            let due = first_valid(local, zone)?;
            if due > after {
                return Some(due);
            }
        }
    }

    fn next_by_clock(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let (mut from, mut local) = (after, zone.to_datetime(after));
        loop {
            let due = zone
                .to_offset(from)
                .to_timestamp(self.next_local(local)?)
                .ok()?;
            let change = zone.following(from).next().map(|change| change.timestamp());
            let Some(change) = change.filter(|change| due >= *change) else {
                return Some(due);
            };
            // The clock is set before that; the instant when it is set counts by the new one.
            local = zone.to_datetime(change).checked_sub(1.second()).ok()?;
            from = change;
        }
    }

    /// The next time on a calendar without a zone.
    fn next_local(&self, after: DateTime) -> Option<DateTime> {
        let found = self.cron.find_next_occurrence(&calendar(after)?, false);
        civil(found.ok()?)
    }

    /// How many days there are at most between two days of the pattern; none if it has none.
    pub(super) fn days_apart(&self) -> Option<i64> {
        let pattern = &self.cron.pattern;
        let is_due = |day: &Date| {
            let (year, month) = (day.year().into(), day.month().unsigned_abs().into());
            let day = day.day().unsigned_abs().into();
            pattern.month_match(month).unwrap_or(false)
                && pattern.day_match(year, month, day).unwrap_or(false)
        };
        let days = FIRST_DAY.series(1.day()).zip(0..CALENDAR_DAYS);
        let due: Vec<i64> = days
            .filter(|(day, _)| is_due(day))
            .map(|(_, number)| number)
            .collect();
        let again = due.first()? + CALENDAR_DAYS;
        let next = due.iter().skip(1).copied().chain([again]);
        due.iter().zip(next).map(|(day, next)| next - day).max()
    }

    fn longest_gap(&self) -> i64 {
        let pattern = &self.cron.pattern;
        let (seconds, minutes) = (self.seconds(), self.minutes());
        let hours = matching(24, |hour| pattern.hour_match(hour).unwrap_or(false));
        let (minute_start, minute_end) = ends(&seconds, 1);
        let (hour_start, hour_end) = ends(&minutes, 60);
        let (day_start, day_end) = ends(&hours, 3_600);
        // Within a minute; from one minute to the next that counts; from hour to hour; overnight.
        let within = apart(&seconds);
        let minutes = apart(&minutes) * 60 - (minute_end - minute_start);
        let hours = apart(&hours) * 3_600 - (hour_end + minute_end - hour_start - minute_start);
        let day = (day_end + hour_end + minute_end) - (day_start + hour_start + minute_start);
        let overnight = self.days_apart().unwrap_or(1) * DAY - day;
        within.max(minutes).max(hours).max(overnight)
    }

    fn seconds(&self) -> Vec<i64> {
        matching(60, |second| {
            self.cron.pattern.second_match(second).unwrap_or(false)
        })
    }

    fn minutes(&self) -> Vec<i64> {
        matching(60, |minute| {
            self.cron.pattern.minute_match(minute).unwrap_or(false)
        })
    }
}

fn matching(end: u32, matches: impl Fn(u32) -> bool) -> Vec<i64> {
    (0..end).filter(|n| matches(*n)).map(i64::from).collect()
}

/// First and last, in seconds.
fn ends(values: &[i64], unit: i64) -> (i64, i64) {
    let first = values.first().copied().unwrap_or(0);
    let last = values.last().copied().unwrap_or(0);
    (first * unit, last * unit)
}

/// The longest step between neighbours; 0 where there are none.
fn apart(values: &[i64]) -> i64 {
    let steps = values.windows(2).map(|pair| match pair {
        [a, b] => b - a,
        _ => 0,
    });
    steps.max().unwrap_or(0)
}

/// The instant of a local time: the first of two, or the first after a gap.
fn first_valid(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
        AmbiguousOffset::Gap { after, .. } => {
            // By the clock after the gap this time was just before it.
            let earlier = after.to_timestamp(local).ok()?;
            let change = zone.following(earlier).next()?;
            Some(change.timestamp())
        }
    }
}

fn calendar(local: DateTime) -> Option<Calendar<Utc>> {
    let part = |n: i8| u32::from(n.unsigned_abs());
    let day = NaiveDate::from_ymd_opt(local.year().into(), part(local.month()), part(local.day()))?;
    let time = day.and_hms_opt(
        part(local.hour()),
        part(local.minute()),
        part(local.second()),
    )?;
    Some(time.and_utc())
}

fn civil(found: Calendar<Utc>) -> Option<DateTime> {
    let part = |n: u32| i8::try_from(n).ok();
    DateTime::new(
        found.year().try_into().ok()?,
        part(found.month())?,
        part(found.day())?,
        part(found.hour())?,
        part(found.minute())?,
        part(found.second())?,
        0,
    )
    .ok()
}

/// A time as the plan adds it: the end of time is far enough.
pub(super) fn later(time: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}
