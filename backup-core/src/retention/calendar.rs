//! Which hour, day, week, month or year a moment belongs to, in a zone.
//!
//! Periods of different units are different values, so that no rule can take one for another.
//! An hour is known with its offset from UTC: where clocks are set back, two hours have the same
//! numbers, and both are hours. Weeks are those of ISO 8601, with the years that they belong to.

use std::fmt;

use jiff::{ZonedDateTime, civil::Date, tz::Offset};

/// What a rule keeps one snapshot of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// One hour, day, week, month or year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Period {
    Hour(Date, i8, Offset),
    Day(Date),
    Week(i16, i8),
    Month(i16, i8),
    Year(i16),
}

impl Period {
    pub(super) fn of(unit: Unit, at: &ZonedDateTime) -> Self {
        match unit {
            Unit::Hour => Self::Hour(at.date(), at.hour(), at.offset()),
            Unit::Day => Self::Day(at.date()),
            Unit::Week => {
                let week = at.date().iso_week_date();
                Self::Week(week.year(), week.week())
            }
            Unit::Month => Self::Month(at.year(), at.month()),
            Unit::Year => Self::Year(at.year()),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hour(date, hour, offset) => {
                let (sign, minutes) = match offset.seconds() / 60 {
                    minutes @ ..0 => ('-', -minutes),
                    minutes => ('+', minutes),
                };
                let (hours, minutes) = (minutes / 60, minutes % 60);
                write!(f, "{date}T{hour:02}{sign}{hours:02}:{minutes:02}")
            }
            Self::Day(date) => write!(f, "{date}"),
            Self::Week(year, week) => write!(f, "{year:04}-W{week:02}"),
            Self::Month(year, month) => write!(f, "{year:04}-{month:02}"),
            Self::Year(year) => write!(f, "{year:04}"),
        }
    }
}
