//! Calendar months in UTC, by which files and keys are named.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// A month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Month {
    first: Date,
}

impl Month {
    /// The one of this time.
    pub(crate) fn of(time: Timestamp) -> Self {
        let day = time.to_zoned_datetime(TimeZone::UTC).date();
        Self {
            first: day.first_of_month(),
        }
    }

    /// When it is over; at the end of the calendar, its last moment.
    pub(crate) fn end(self) -> Timestamp {
        let next = self.first.last_of_month().tomorrow();
        let end = next.and_then(|next| next.to_zoned_datetime(TimeZone::UTC));
        end.map_or(Timestamp::MAX, |end| end.timestamp())
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

impl FromStr for Month {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let first: Date = format!("{text}-01").parse().map_err(|_| ())?;
        let month = Self { first };
        if month.to_string() == text {
            Ok(month)
        } else {
            Err(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_has_a_name_and_an_end() {
        let month = Month::of("2026-12-31T23:59:59Z".parse().unwrap());
        assert_eq!(month.to_string(), "2026-12");
        assert_eq!("2026-12".parse(), Ok(month));
        assert_eq!(month.end(), "2027-01-01T00:00:00Z".parse().unwrap());
        for text in ["", "2026", "2026-13", "2026-1", "26-01", "2026-12-01"] {
            assert_eq!(text.parse::<Month>(), Err(()), "{text}");
        }
    }
}
