//! Times as people write them on a command line: a span from now, a date, a date and a time of
//! their own zone, or an instant.

use backup_model::{Code, Failure};
use backupd::units::parse_duration;
use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};

/// A time to come.
pub(super) fn parse(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let time = match span(text) {
        Some(span) => now.checked_add(span).ok(),
        None => instant(text),
    };
    let time = time.ok_or_else(|| unreadable(text))?;
    if time <= now {
        return Err(Failure::new(Code::Usage, format!("`{text}` is past")));
    }
    Ok(time)
}

/// A time that has been.
pub(super) fn parse_past(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let time = match span(text) {
        Some(span) => now.checked_sub(span).ok(),
        None => instant(text),
    };
    time.ok_or_else(|| unreadable(text))
}

fn span(text: &str) -> Option<SignedDuration> {
    let span = parse_duration(text).ok()?;
    SignedDuration::try_from(span).ok()
}

fn instant(text: &str) -> Option<Timestamp> {
    if let Ok(instant) = text.parse() {
        return Some(instant);
    }
    let local = text.parse::<civil::DateTime>();
    let local = local.or_else(|_| text.parse::<civil::Date>().map(|date| date.at(0, 0, 0, 0)));
    let instant = TimeZone::system().to_ambiguous_timestamp(local.ok()?);
    instant.compatible().ok()
}

fn unreadable(text: &str) -> Failure {
    let text = format!("`{text}` is no time: write 8h, 2026-12-01, or 2026-12-01T08:00Z");
    Failure::new(Code::Usage, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        let at = |text: &str| parse(text, now).map(|time| time.to_string());
        assert_eq!(at("8h").unwrap(), "2026-11-25T20:00:00Z");
        assert_eq!(at("2026-12-01T08:00:00Z").unwrap(), "2026-12-01T08:00:00Z");
        assert!(at("2026-12-01").is_ok() && at("2026-12-01 08:00").is_ok());
        for wrong in ["", "soon", "8", "-8h", "2026-13-01", "2026-11-25T11:00:00Z"] {
            assert_eq!(at(wrong).unwrap_err().code, Code::Usage, "{wrong}");
        }
        let past = parse_past("1d", now).unwrap().to_string();
        assert_eq!(past, "2026-11-24T12:00:00Z");
    }
}
