//! The only place that asks what time it is.

use jiff::{Timestamp, Unit};

/// Now, in whole seconds, as records have it.
pub fn now() -> Timestamp {
    #[expect(
        clippy::disallowed_methods,
        reason = "everybody else gets the time from here"
    )]
    let now = Timestamp::now();
    now.round(Unit::Second).unwrap_or(now)
}

/// A time as part of a name: `YYYYMMDD_HHMMSS` in UTC.
pub fn stamp(time: Timestamp) -> String {
    time.strftime("%Y%m%d_%H%M%S").to_string()
}
