//! Numbers, sizes and times as people read them.
//!
//! Pure: the time and the zone come from the caller. Ages use the words of
//! [`backup_model::Span`], so that a window and the command line say the same.

use backup_model::Span;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// Between groups of thousands. As narrow as the eye needs, and never a place to break a line.
pub const THIN: char = '\u{202F}';

/// A whole number with its thousands apart: `176 796`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 * THIN.len_utf8());
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(THIN);
        }
        out.push(digit);
    }
    out
}

/// How many of something: `1 file`, `12 files`.
pub fn number(count: u64, one: &str, several: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{} {several}", self::count(count)),
    }
}

/// A size in powers of 1024, with three digits that count: `1.94 GiB`, `18.4 GiB`, `412 MiB`.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64;
    let mut unit = "B";
    for larger in UNITS {
        // What would be shown as 1000 or more belongs to the next unit.
        if value < 999.5 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    let shown = match value {
        ..9.995 => format!("{value:.2}"),
        ..99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    };
    format!("{} {unit}", trimmed(&shown))
}

/// `14.0` is `14`, `1.50` is `1.5`.
fn trimmed(number: &str) -> &str {
    match number.split_once('.') {
        Some(_) => number.trim_end_matches('0').trim_end_matches('.'),
        None => number,
    }
}

/// So much of so much, both in the unit of the whole: `1.2 of 1.94 GiB`.
pub fn bytes_of(part: u64, whole: u64) -> String {
    let (part, whole) = (bytes(part), bytes(whole));
    match (part.split_once(' '), whole.split_once(' ')) {
        (Some((number, unit)), Some((_, other))) if unit == other => format!("{number} of {whole}"),
        _ => format!("{part} of {whole}"),
    }
}

/// How long ago: `38 min ago`, `26 h ago`. What is yet to come by a clock that goes wrong is now.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let age = now.duration_since(then);
    if age < SignedDuration::from_secs(1) {
        return "now".to_owned();
    }
    format!("{} ago", Span(age))
}

/// How far ahead: `in 264 d`. What has passed is due.
pub fn ahead(then: Timestamp, now: Timestamp) -> String {
    let left = then.duration_since(now);
    if left < SignedDuration::from_secs(1) {
        return "due".to_owned();
    }
    format!("in {}", Span(left))
}

/// How long something took, in two units: `41 s`, `4 min 06 s`, `1 h 47 min`, `2 d 3 h`.
pub fn took(span: SignedDuration) -> String {
    let secs = span.as_secs().max(0);
    let (minutes, hours, days) = (secs / 60, secs / 3_600, secs / 86_400);
    match secs {
        ..=0 => format!("{} ms", span.as_millis().max(0)),
        1..60 => format!("{secs} s"),
        60..3_600 => format!("{minutes} min {:02} s", secs % 60),
        3_600..86_400 => format!("{hours} h {:02} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// A moment as it stands in a list: the time alone if it is of the day of `now`, with the weekday if
/// it is within six days, with the date if it is of this year, else in full.
pub fn moment(then: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (at, today) = (
        then.to_zoned_datetime(zone.clone()),
        now.to_zoned_datetime(zone.clone()),
    );
    let days = (at.date() - today.date()).get_days().unsigned_abs();
    let form = if at.date() == today.date() {
        "%H:%M"
    } else if days <= 6 {
        "%a %H:%M"
    } else if at.year() == today.year() {
        "%-d %b %H:%M"
    } else {
        "%-d %b %Y"
    };
    at.strftime(form).to_string()
}

/// The day of a moment, with its year if it is of another one: `13 Aug`, `13 Aug 2025`.
pub fn day(then: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (at, today) = (
        then.to_zoned_datetime(zone.clone()),
        now.to_zoned_datetime(zone.clone()),
    );
    let form = if at.year() == today.year() {
        "%-d %b"
    } else {
        "%-d %b %Y"
    };
    at.strftime(form).to_string()
}

/// A moment in full, in UTC: `Sun 22 Nov 2026 14:02:09 UTC`.
pub fn utc(then: Timestamp) -> String {
    then.to_zoned_datetime(TimeZone::UTC)
        .strftime("%a %-d %b %Y %H:%M:%S UTC")
        .to_string()
}

/// A moment in full, in the zone of the window: `Sun 22 Nov 2026 15:02:09 CET`.
pub fn local(then: Timestamp, zone: &TimeZone) -> String {
    then.to_zoned_datetime(zone.clone())
        .strftime("%a %-d %b %Y %H:%M:%S %Z")
        .to_string()
}

/// What stands on the tip of a time: in UTC, and in the zone of the window where that is another.
pub fn both(then: Timestamp, zone: &TimeZone) -> String {
    let (utc, local) = (utc(then), local(then, zone));
    if utc == local {
        utc
    } else {
        format!("{utc}\n{local}")
    }
}

/// Words of others on one line: what steers lines or terminals becomes a space.
pub fn one_line(words: &str) -> String {
    let parts = words.split(|letter: char| letter.is_control() || letter == ' ');
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

/// A share as a whole percentage; only all is 100, only nothing is 0: `64 %`.
pub fn percent(share: f32) -> String {
    let whole = (share.clamp(0.0, 1.0) * 100.0).round() as u32;
    match share {
        ..=0.0 => "0 %".to_owned(),
        1.0.. => "100 %".to_owned(),
        _ => format!("{} %", whole.clamp(1, 99)),
    }
}

/// As the beginning of a sentence; an address or a path is never spelled otherwise.
pub fn capital(text: &str) -> String {
    let first = text.split(' ').next().unwrap_or_default();
    if first.contains(['/', ':']) {
        return text.to_owned();
    }
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_288), "1\u{202F}288");
        assert_eq!(count(176_796), "176\u{202F}796");
        assert_eq!(
            count(u64::MAX),
            "18\u{202F}446\u{202F}744\u{202F}073\u{202F}709\u{202F}551\u{202F}615"
        );
    }

    #[test]
    fn sizes_have_three_digits() {
        for (size, words) in [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1 KiB"),
            (20_480, "20 KiB"),
            (1_023_488, "0.98 MiB"),
            (432_013_312, "412 MiB"),
            (2_083_059_138, "1.94 GiB"),
            (19_756_849_561, "18.4 GiB"),
            (u64::MAX, "16 EiB"),
        ] {
            assert_eq!(bytes(size), words, "{size}");
        }
    }

    #[test]
    fn a_part_shares_the_unit_of_the_whole() {
        assert_eq!(bytes_of(1_288_490_189, 2_083_059_138), "1.2 of 1.94 GiB");
        assert_eq!(bytes_of(1_048_576, 2_083_059_138), "1 MiB of 1.94 GiB");
    }

    #[test]
    fn ages_are_those_of_the_command_line() {
        let now = at("2026-11-22T14:02:00Z");
        assert_eq!(ago(at("2026-11-22T13:24:00Z"), now), "38 min ago");
        assert_eq!(ago(at("2026-11-21T12:00:00Z"), now), "26 h ago");
        assert_eq!(ago(at("2026-11-19T03:30:00Z"), now), "3 d ago");
        assert_eq!(ago(at("2026-11-22T15:00:00Z"), now), "now");
        assert_eq!(ahead(at("2027-08-13T14:02:00Z"), now), "in 264 d");
        assert_eq!(ahead(now, now), "due");
    }

    #[test]
    fn spans_have_two_units() {
        let secs = SignedDuration::from_secs;
        assert_eq!(took(SignedDuration::from_millis(84)), "84 ms");
        assert_eq!(took(secs(41)), "41 s");
        assert_eq!(took(secs(246)), "4 min 06 s");
        assert_eq!(took(secs(6_420)), "1 h 47 min");
        assert_eq!(took(secs(183_600)), "2 d 3 h");
        assert_eq!(took(secs(-5)), "0 ms");
    }

    #[test]
    fn moments_say_as_much_as_is_needed() {
        let now = at("2026-11-22T14:02:00Z");
        for (then, words) in [
            ("2026-11-22T14:32:00Z", "14:32"),
            ("2026-11-23T02:30:00Z", "Mon 02:30"),
            ("2026-11-12T03:30:00Z", "12 Nov 03:30"),
            ("2025-08-13T09:00:00Z", "13 Aug 2025"),
        ] {
            assert_eq!(moment(at(then), now, &TimeZone::UTC), words);
        }
    }

    #[test]
    fn days_have_their_year_if_it_is_another() {
        let now = at("2026-11-22T14:02:00Z");
        for (then, words) in [
            ("2026-08-13T09:00:00Z", "13 Aug"),
            ("2027-08-13T09:00:00Z", "13 Aug 2027"),
        ] {
            assert_eq!(day(at(then), now, &TimeZone::UTC), words);
        }
    }

    #[test]
    fn full_times_name_their_zone() {
        let then = at("2026-11-22T14:02:09Z");
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        assert_eq!(utc(then), "Sun 22 Nov 2026 14:02:09 UTC");
        assert_eq!(local(then, &zone), "Sun 22 Nov 2026 15:02:09 CET");
        assert_eq!(both(then, &zone).lines().count(), 2);
        assert_eq!(both(then, &TimeZone::UTC).lines().count(), 1);
    }

    #[test]
    fn only_all_is_a_hundred() {
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(percent(0.001), "1 %");
        assert_eq!(percent(0.64), "64 %");
        assert_eq!(percent(0.999), "99 %");
        assert_eq!(percent(1.0), "100 %");
    }

    #[test]
    fn words_of_others_stay_on_their_line() {
        assert_eq!(one_line("a\nb\t c\u{1b}[31m"), "a b c [31m");
        assert_eq!(one_line("\n"), "");
    }
}
