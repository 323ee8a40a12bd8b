//! Sizes and durations as people write them: `100MiB`, `30m`.
//!
//! A whole number and a unit, nothing else: a number without a unit means something else to
//! everybody who reads it, and zero is never what a limit is for.

use std::time::Duration;

/// The units of a size, each with its bytes.
const SIZES: [(&str, u64); 9] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

/// The units of a duration, each with its seconds.
const TIMES: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];

/// The largest number that can be stored.
const MAX_BYTES: u64 = (1 << 53) - 1;
/// Longer than any backup: a century, so that it can be added to any time.
const MAX_SECS: u64 = 100 * 366 * 86_400;

/// Why a text is not a size or a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnitError {
    /// It does not begin with a whole number.
    #[error("`{text}` is not a whole number with a unit")]
    Number {
        /// What was written.
        text: String,
    },
    /// A number and nothing behind it.
    #[error("`{text}` has no unit")]
    NoUnit {
        /// What was written.
        text: String,
    },
    /// Something unknown behind the number.
    #[error("`{unit}` is not a unit of {of}")]
    Unit {
        /// What stands behind the number.
        unit: String,
        /// `size` or `time`.
        of: &'static str,
    },
    /// Nothing would be left.
    #[error("`{text}` is zero")]
    Zero {
        /// What was written.
        text: String,
    },
    /// More than can be.
    #[error("`{text}` is too large")]
    TooLarge {
        /// What was written.
        text: String,
    },
}

/// Reads a size: `512KiB`, `100MiB`, `20GB`.
pub fn parse_bytes(text: &str) -> Result<u64, UnitError> {
    parse(text, "size", &SIZES, MAX_BYTES)
}

/// Reads a duration: `45s`, `30m`, `12h`, `1d`.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    parse(text, "time", &TIMES, MAX_SECS).map(Duration::from_secs)
}

fn parse(text: &str, of: &'static str, units: &[(&str, u64)], most: u64) -> Result<u64, UnitError> {
    let owned = || text.to_owned();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    if number.is_empty() || unit.starts_with(['.', ',', '_']) {
        return Err(UnitError::Number { text: owned() });
    }
    if unit.is_empty() {
        return Err(UnitError::NoUnit { text: owned() });
    }
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        let unit = unit.to_owned();
        return Err(UnitError::Unit { unit, of });
    };
    // Digits alone fail to be a number only by being too many.
    let value = number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(*factor))
        .filter(|value| *value <= most)
        .ok_or_else(|| UnitError::TooLarge { text: owned() })?;
    if value == 0 {
        return Err(UnitError::Zero { text: owned() });
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_read() {
        for (text, bytes) in [
            ("1B", 1),
            ("512KiB", 512 << 10),
            ("100MiB", 100 << 20),
            ("100 MiB", 100 << 20),
            ("007GiB", 7 << 30),
            ("2TiB", 2 << 40),
            ("3kB", 3000),
            ("20MB", 20_000_000),
        ] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for (text, secs) in [("45s", 45), ("30m", 1800), ("12h", 43200), ("1d", 86400)] {
            let wanted = Duration::from_secs(secs);
            assert_eq!(parse_duration(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        for (text, message) in [
            ("", "`` is not a whole number with a unit"),
            ("MiB", "`MiB` is not a whole number with a unit"),
            ("-1MiB", "`-1MiB` is not a whole number with a unit"),
            ("+1MiB", "`+1MiB` is not a whole number with a unit"),
            ("1.5GiB", "`1.5GiB` is not a whole number with a unit"),
            ("100", "`100` has no unit"),
            ("1e3B", "`e3B` is not a unit of size"),
            ("100mb", "`mb` is not a unit of size"),
            ("100Mib/s", "`Mib/s` is not a unit of size"),
            ("1\u{fc}", "`\u{fc}` is not a unit of size"),
            ("0MiB", "`0MiB` is zero"),
            ("8192TiB", "`8192TiB` is too large"),
            (
                "99999999999999999999B",
                "`99999999999999999999B` is too large",
            ),
            (
                "18446744073709551615TiB",
                "`18446744073709551615TiB` is too large",
            ),
        ] {
            assert_eq!(
                parse_bytes(text).unwrap_err().to_string(),
                message,
                "{text}"
            );
        }
        for (text, message) in [
            ("30", "`30` has no unit"),
            ("30min", "`min` is not a unit of time"),
            ("1h30m", "`h30m` is not a unit of time"),
            ("0s", "`0s` is zero"),
            ("36601d", "`36601d` is too large"),
        ] {
            let error = parse_duration(text).unwrap_err();
            assert_eq!(error.to_string(), message, "{text}");
        }
    }
}
