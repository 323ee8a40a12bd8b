//! Numbers as people read them: sizes, durations, times. Machines get the numbers themselves.

use backup_model::{End, Failure, OpenRun};
use jiff::Timestamp;

/// A size with a binary unit: `16.0 MiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    // What would be shown as 1024.0 is one of the next unit.
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A duration: `0.6 s`, `42 s`, `3 min 05 s`, `2 h 07 min`.
pub(crate) fn duration(secs: f64) -> String {
    let secs = secs.max(0.0);
    if secs < 9.95 {
        return format!("{secs:.1} s");
    }
    let whole = std::time::Duration::try_from_secs_f64(secs + 0.5)
        .map_or(u64::MAX, |duration| duration.as_secs());
    match whole {
        ..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A time in UTC: `2026-11-22 02:30 UTC`.
pub(crate) fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A number of things: `1 job`, `2 jobs`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The same for what a report counts.
pub(crate) fn number(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// How a run ended.
pub(crate) const fn end(end: End) -> &'static str {
    match end {
        End::Complete => "complete",
        End::Partial => "partial",
        End::Aborted => "aborted",
        End::Fenced => "fenced",
        End::Open => "no end yet",
        _ => "unknown",
    }
}

/// Whether a run that ended so made a snapshot.
pub(crate) const fn is_snapshot(end: End) -> bool {
    matches!(end, End::Complete | End::Partial)
}

/// A run without an end: `webui/000042, which began …`.
pub(crate) fn open_run(run: &OpenRun) -> String {
    format!(
        "{}, which began {} and may be ended from {}",
        run.run,
        time(run.began),
        time(run.limit)
    )
}

/// A failure and its causes in one line.
pub(crate) fn failure(failure: &Failure) -> String {
    let causes = failure.causes.iter().map(String::as_str);
    std::iter::once(failure.message.as_str())
        .chain(causes)
        .collect::<Vec<_>>()
        .join(": ")
}

/// A name out of a backup: what would steer a terminal is written as an escape.
pub(crate) fn name(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter.is_control() {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Permissions as `ls` shows them: `rwxr-x---`.
pub(crate) fn mode(mode: u32) -> String {
    let mut text = String::with_capacity(9);
    // Set-uid, set-gid and sticky stand where the owner, group and others execute.
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 == 0 { '-' } else { 'r' });
        text.push(if bits & 2 == 0 { '-' } else { 'w' });
        text.push(match (bits & 1 != 0, mode & special != 0) {
            (true, false) => 'x',
            (false, false) => '-',
            (true, true) => letter,
            (false, true) => letter.to_ascii_uppercase(),
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_units_and_one_digit() {
        for (number, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (16 << 20, "16.0 MiB"),
            ((1 << 30) - 1, "1.0 GiB"),
            (1_920_000_000, "1.8 GiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn durations_have_two_units_at_most() {
        for (secs, text) in [
            (0.0, "0.0 s"),
            (0.62, "0.6 s"),
            (9.96, "10 s"),
            (59.6, "1 min 00 s"),
            (185.0, "3 min 05 s"),
            (7_620.0, "2 h 07 min"),
            (-1.0, "0.0 s"),
        ] {
            assert_eq!(duration(secs), text);
        }
    }

    #[test]
    fn times_are_in_utc_and_say_so() {
        let instant: Timestamp = "2026-11-22T03:30:59+01:00".parse().unwrap();
        assert_eq!(time(instant), "2026-11-22 02:30 UTC");
    }

    #[test]
    fn names_do_not_steer_terminals() {
        assert_eq!(name("a\u{1b}[2J\nü"), "a\\u{1b}[2J\\nü");
    }

    #[test]
    fn permissions_are_as_in_ls() {
        for (bits, text) in [
            (0o755, "rwxr-xr-x"),
            (0o640, "rw-r-----"),
            (0o4711, "rws--x--x"),
            (0o1777, "rwxrwxrwt"),
            (0o2644, "rw-r-Sr--"),
        ] {
            assert_eq!(mode(bits), text);
        }
    }

    #[test]
    fn counts_agree_with_their_noun() {
        assert_eq!(count(1, "job", "jobs"), "1 job");
        assert_eq!(count(0, "job", "jobs"), "0 jobs");
    }
}
