//! Where an axis has its marks, and what they say: round numbers of a unit, round times of a zone.

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use super::Unit;

/// A mark of an axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    /// Where.
    pub(super) at: f64,
    /// How far it is to the next one.
    pub(super) step: f64,
    /// What it says.
    pub(super) words: String,
}

const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;
const DAY: u32 = 24 * HOUR;
/// Seconds that are round, within a day.
const ROUND: [u32; 17] = [
    1,
    2,
    5,
    10,
    15,
    30,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
];
/// The same in days.
const DAYS: [u32; 9] = [1, 2, 7, 14, 30, 91, 182, 365, 1_826];
/// An upright axis has so many steps at most.
const STEPS: f64 = 4.0;

/// A moment on the axis: seconds of the epoch.
pub(super) fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1_000.0
}

/// The marks from zero up to the first that is not below `most`, and that one.
pub(super) fn amounts(unit: Unit, most: f64) -> (Vec<Tick>, f64) {
    let step = match unit {
        Unit::Bytes | Unit::Rate => byte_step(most),
        Unit::Span => span_step(most),
    };
    let count = (most / step).ceil().clamp(1.0, STEPS);
    let ticks = (0..=count as u32).map(|number| {
        let at = f64::from(number) * step;
        Tick {
            at,
            step,
            words: amount(unit, at),
        }
    });
    (ticks.collect(), count * step)
}

/// A power of two, so that steps stay round across units: 512 MiB, 1 GiB, 1.5 GiB.
fn byte_step(most: f64) -> f64 {
    let mut steps = (0..63).map(|power| 2_f64.powi(power));
    let fits = |step: &f64| most <= step * STEPS;
    steps.find(fits).unwrap_or(most / STEPS)
}

fn span_step(most: f64) -> f64 {
    let short = [1, 2, 5, 10, 20, 50, 100, 200, 500].map(|ms| f64::from(ms) / 1_000.0);
    let days = DAYS.map(|days| f64::from(days * DAY));
    let mut steps = short.into_iter().chain(ROUND.map(f64::from)).chain(days);
    let fits = |step: &f64| most <= step * STEPS;
    steps.find(fits).unwrap_or(most / STEPS)
}

/// An amount as short as an axis wants it: `0`, `512 MiB`, `30 s`, `5 min`.
fn amount(unit: Unit, amount: f64) -> String {
    if amount <= 0.0 {
        return "0".to_owned();
    }
    if unit == Unit::Span {
        let units = [(DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (1, "s")];
        let even = units.into_iter().find(|(secs, _)| {
            let count = amount / f64::from(*secs);
            count >= 1.0 && count.fract() <= 0.0
        });
        if let Some((secs, word)) = even {
            return format!("{} {word}", amount / f64::from(secs));
        }
    }
    unit.words(amount)
}

/// Round times between two, `most` of them if that can be.
pub(super) fn times(from: Timestamp, to: Timestamp, zone: &TimeZone, most: usize) -> Vec<Tick> {
    let span = seconds(to) - seconds(from);
    let fits = |step: &u32| span / f64::from(*step) <= most as f64;
    if let Some(step) = ROUND.into_iter().find(fits) {
        return within_days(from, to, zone, step);
    }
    let step = DAYS.into_iter().find(|days| fits(&(days * DAY)));
    days(from, to, zone, step.unwrap_or(DAYS[DAYS.len() - 1]))
}

fn within_days(from: Timestamp, to: Timestamp, zone: &TimeZone, step: u32) -> Vec<Tick> {
    let offset = i64::from(zone.to_offset(to).seconds());
    let wide = i64::from(step);
    let local = from.as_second() + offset;
    let first = local + (wide - local.rem_euclid(wide)) % wide - offset;
    let mut ticks = Vec::new();
    let mut secs = first;
    while let Some(at) = Timestamp::from_second(secs).ok().filter(|at| *at <= to) {
        let there = at.to_zoned_datetime(zone.clone());
        let midnight = there.time() == jiff::civil::Time::midnight();
        let form = match step {
            _ if midnight => "%-d %b",
            ..MINUTE => "%H:%M:%S",
            _ => "%H:%M",
        };
        ticks.push(Tick {
            at: seconds(at),
            step: f64::from(step),
            words: there.strftime(form).to_string(),
        });
        secs += wide;
    }
    ticks
}

/// Midnights, counted back from the last one, which says the most.
fn days(from: Timestamp, to: Timestamp, zone: &TimeZone, step: u32) -> Vec<Tick> {
    let form = if step < 182 { "%-d %b" } else { "%b %Y" };
    let mut date = to.to_zoned_datetime(zone.clone()).date();
    let mut ticks = Vec::new();
    while let Ok(there) = date.to_zoned_datetime(zone.clone())
        && there.timestamp() >= from
    {
        ticks.push(Tick {
            at: seconds(there.timestamp()),
            step: f64::from(step * DAY),
            words: there.strftime(form).to_string(),
        });
        let Ok(before) = date.checked_sub(i64::from(step).days()) else {
            break;
        };
        date = before;
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn words(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.words.as_str()).collect()
    }

    #[test]
    fn amounts_are_round_and_begin_at_zero() {
        for (unit, most, said) in [
            (
                Unit::Span,
                49.0,
                &["0", "15 s", "30 s", "45 s", "1 min"][..],
            ),
            (Unit::Span, 5_400.0, &["0", "30 min", "1 h", "90 min"]),
            (Unit::Span, 0.3, &["0", "100 ms", "200 ms", "300 ms"]),
            (Unit::Bytes, 0.0, &["0", "1 B"]),
            (Unit::Bytes, 3.1e9, &["0", "1 GiB", "2 GiB", "3 GiB"]),
            (
                Unit::Bytes,
                1.9e9,
                &["0", "512 MiB", "1 GiB", "1.5 GiB", "2 GiB"],
            ),
            (Unit::Rate, 9e6, &["0", "4 MiB/s", "8 MiB/s", "12 MiB/s"]),
        ] {
            let (ticks, top) = amounts(unit, most);
            assert_eq!(words(&ticks), said, "{most}");
            assert!(top >= most && top > 0.0);
        }
    }

    #[test]
    fn times_are_round_where_one_lives() {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let (from, to) = (at("2026-11-21T12:07:00Z"), at("2026-11-21T23:30:00Z"));
        let found = times(from, to, &zone, 5);
        assert_eq!(words(&found), ["18:00", "21:00", "22 Nov", "03:00"]);
        let short = times(to, at("2026-11-21T23:30:20Z"), &zone, 3);
        assert_eq!(words(&short), ["05:00:00", "05:00:10", "05:00:20"]);
    }

    #[test]
    fn days_begin_at_midnight_also_when_clocks_change() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let (from, to) = (at("2026-10-22T12:00:00Z"), at("2026-10-27T12:00:00Z"));
        let found = times(from, to, &zone, 5);
        assert_eq!(
            words(&found),
            ["27 Oct", "26 Oct", "25 Oct", "24 Oct", "23 Oct"]
        );
        let night = found.iter().find(|tick| tick.words == "25 Oct").unwrap();
        let begin = seconds(at("2026-10-24T22:00:00Z"));
        assert!((night.at - begin).abs() < 1.0);
        let years = times(at("2020-01-01T00:00:00Z"), to, &zone, 5);
        assert!(years.len() <= 5 && years.iter().all(|tick| tick.words.contains("20")));
    }
}
