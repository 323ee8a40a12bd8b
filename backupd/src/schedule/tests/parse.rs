//! What is a schedule and what is none.

use jiff::tz::TimeZone;

use super::world::{schedule, timing};
use crate::schedule::Schedule;

#[test]
fn what_is_no_schedule_is_refused_with_a_reason() {
    for (text, message) in [
        ("", "a schedule has five fields, or six with seconds, not 0"),
        (
            "0 2 * *",
            "a schedule has five fields, or six with seconds, not 4",
        ),
        (
            "0 0 2 * * * 2027",
            "a schedule has five fields, or six with seconds, not 7",
        ),
        (
            "every",
            "a schedule has five fields, or six with seconds, not 1",
        ),
        (
            "every 6 hours",
            "what follows `every` is not a time: `hours` is not a unit of time",
        ),
        (
            "every 0h",
            "what follows `every` is not a time: `0h` is zero",
        ),
        ("@every 6h", "`@every 6h` is not a name of a schedule"),
        ("@reboot", "`@reboot` is not a name of a schedule"),
        ("@Daily", "`@Daily` is not a name of a schedule"),
        (
            "0 0 13 * FRI",
            "a day of the month together with a weekday means different things to different programs",
        ),
        (
            "0 0 */2 * 1",
            "a day of the month together with a weekday means different things to different programs",
        ),
        ("0 0 30 2 *", "`0 0 30 2 *` never comes"),
        ("0 0 31 4,6,9,11 *", "`0 0 31 4,6,9,11 *` never comes"),
    ] {
        let error = Schedule::parse(text, TimeZone::UTC).unwrap_err();
        let causes = std::iter::successors(std::error::Error::source(&error), |e| e.source());
        let said = causes.fold(error.to_string(), |said, cause| format!("{said}: {cause}"));
        assert_eq!(said, message, "{text}");
    }
    for text in [
        "60 2 * * *",
        "0 24 * * *",
        "0 2 0 * *",
        "0 2 * 13 *",
        "0 2 * * 8",
        "5-1 2 * * *",
        "a b c d e",
        "0 2 * * MONDAY",
        "*/0 * * * *",
        "@ 2 * * *",
        "0 2 * * * ü",
    ] {
        let refused = Schedule::parse(text, TimeZone::UTC);
        assert!(refused.is_err(), "{text}: {refused:?}");
    }
}

#[test]
fn one_that_is_due_twice_in_a_minute_is_known_to_be() {
    for (text, denser) in [
        ("* * * * *", false),
        ("30 * * * * *", false),
        ("0,30 0 2 * * *", true),
        ("*/10 * * * * *", true),
        ("every 60s", false),
        ("every 59s", true),
    ] {
        assert_eq!(
            schedule(text, "UTC").is_denser_than_minutes(),
            denser,
            "{text}"
        );
    }
}

#[test]
fn schedules_are_the_same_by_text_and_zone() {
    assert_eq!(
        schedule("@daily", "Asia/Tokyo"),
        schedule("@daily", "Asia/Tokyo")
    );
    assert_ne!(
        schedule("@daily", "Asia/Tokyo"),
        schedule("@daily", "Asia/Kathmandu")
    );
    assert_ne!(timing("@daily"), timing("@weekly"));
    assert_eq!(
        format!("{:?}", schedule("@daily", "Asia/Tokyo")),
        "\"@daily\" in Asia/Tokyo"
    );
}
