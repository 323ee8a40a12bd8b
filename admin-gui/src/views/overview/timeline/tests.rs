//! Where on the line a run stands.

use super::*;

fn now() -> Timestamp {
    "2026-11-22T14:50:00Z".parse().unwrap()
}

#[test]
fn runs_of_one_half_hour_are_counted_together() {
    let times = [10, 20, 40, 24 * 60].map(|minutes| now() + SignedDuration::from_mins(minutes));
    let slots = slots(times.into_iter(), now());
    assert_eq!(slots[..3], [2, 1, 0]);
    assert_eq!(slots.iter().map(|count| u32::from(*count)).sum::<u32>(), 3);
}

#[test]
fn the_hours_are_full_ones_and_name_the_day_where_it_begins() {
    let found = hours(now(), &TimeZone::UTC);
    let words: Vec<&str> = found.iter().map(|(_, word)| word.as_str()).collect();
    assert_eq!(words, ["20", "Mon 02", "08"]);
    // 20:00 is 5 h 10 min away.
    assert!((found[0].0 - 310.0 / 1440.0).abs() < 1e-4);
}
