//! Periods of a zone's calendar, by their names.

use jiff::{Timestamp, tz::TimeZone};

/// A kind of period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Period {
    /// With its offset from UTC, since an hour comes twice when clocks go back.
    Hour,
    Day,
    /// From Monday, by ISO 8601, whose years differ from the calendar's at their ends.
    Week,
    Month,
    Year,
}

impl Period {
    /// The name of the period that a time is in.
    pub(super) fn of(self, time: Timestamp, zone: &TimeZone) -> String {
        let format = match self {
            Self::Hour => "%Y-%m-%dT%H%:z",
            Self::Day => "%Y-%m-%d",
            Self::Week => "%G-W%V",
            Self::Month => "%Y-%m",
            Self::Year => "%Y",
        };
        time.to_zoned_datetime(zone.clone())
            .strftime(format)
            .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_those_of_the_zone() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let of = |period: Period, time: &str| period.of(time.parse().unwrap(), &zone);
        assert_eq!(of(Period::Day, "2026-11-21T23:30:00Z"), "2026-11-22");
        // The last Monday of the year begins the first week of the next.
        assert_eq!(of(Period::Week, "2025-12-29T12:00:00Z"), "2026-W01");
        assert_eq!(of(Period::Week, "2027-01-03T12:00:00Z"), "2026-W53");
        assert_eq!(of(Period::Year, "2026-12-31T23:30:00Z"), "2027");
        // Clocks go back: the hour from 2 to 3 comes twice.
        let twice = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"].map(|t| of(Period::Hour, t));
        assert_eq!(twice, ["2026-10-25T02+02:00", "2026-10-25T02+01:00"]);
    }
}
