//! The same rules once more, as slowly and plainly as they can be said.
//!
//! It groups by period where the engine walks the chain, finds longest runs by looking at all
//! pairs, and has date arithmetic of its own: of jiff it takes a zone's offsets and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use backup_core::retention::{Record, plan};
use backup_model::{End, RetentionPolicy};
use jiff::{
    SignedDuration, Timestamp,
    tz::{TimeZone, TimeZoneDatabase},
};

use super::{
    history::{DAY, Random, Shape, history, random_policy},
    support::{pause_told, told},
};

const ZONES: [&str; 20] = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Moscow",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Caracas",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Antarctica/Troll",
    "Antarctica/Casey",
];

#[test]
fn ten_years_in_twenty_zones_agree_with_the_oracle() {
    let mut counts = BTreeMap::<&str, usize>::new();
    let mut random = Random(20_261_125);
    for zone in ZONES {
        for n in 0..16 {
            let runs = if n == 0 { 3_650 } else { [60, 250, 800][n % 3] };
            let shape = Shape {
                runs,
                wrong_clocks: n % 4 != 1,
                failures: n % 4 != 2,
            };
            let (records, end) = history(shape, &mut random);
            let policy = random_policy(zone, &mut random);
            let off = match random.below(4) {
                0 => random.below(800 * DAY) - 400 * DAY,
                _ => random.below(DAY),
            };
            let now = end + SignedDuration::from_secs(off);
            let made = plan(&policy, &records, now).unwrap();
            let (wanted, pause) = oracle(&policy, &records, now);
            let seed = format!("{zone}, history {n}, {policy:?}");
            assert_eq!(pause_told(made.paused.as_ref()), pause, "{seed}");
            let made = told(&made);
            for (seq, why) in &wanted {
                assert_eq!(&made[seq], why, "{seq} of {seed}");
            }
            assert_eq!(made.len(), records.len(), "{seed}");
            *counts.entry("histories").or_default() += 1;
            *counts.entry("runs").or_default() += records.len();
            *counts.entry("paused").or_default() += usize::from(pause != "no");
            for why in wanted.values() {
                let has = |word: &str| usize::from(why.iter().any(|why| why.contains(word)));
                *counts.entry("gone or would").or_default() += has("go: ");
                for word in ["future", "out of order", "held", "proven", "nothing better"] {
                    *counts.entry(word).or_default() += has(word);
                }
            }
        }
    }
    println!("20 zones, ten years each: {counts:?}");
    assert!(counts.values().all(|&count| count > 5), "{counts:?}");
}

#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Hour,
    Day,
    Week,
    Month,
    Year,
}

type Told = BTreeMap<u64, Vec<String>>;
/// The numbers of those whose dates are believed, with these.
type Believed = BTreeMap<u64, Timestamp>;

/// Why each run stays or goes, and why retention pauses.
fn oracle(policy: &RetentionPolicy, records: &[Record], now: Timestamp) -> (Told, String) {
    let zone = TimeZoneDatabase::bundled().get(&policy.time_zone).unwrap();
    let mut told: Told = records.iter().map(|it| (seq(it), Vec::new())).collect();
    let mut say = |seq: u64, why: &str| told.get_mut(&seq).unwrap().push(why.to_owned());
    let is_future = |it: &&Record| it.created.as_millisecond() > now.as_millisecond() + 600_000;
    for it in records {
        if it.held {
            say(seq(it), "held");
        }
        if it.end == End::Open {
            say(seq(it), "open");
        }
        if is_future(&it) {
            say(seq(it), "future");
        }
    }
    let mut counted: Vec<&Record> = records.iter().filter(|it| !is_future(it)).collect();
    counted.sort_by_key(|it| seq(it));
    let ended = |end| counted.iter().copied().filter(move |it| it.end == end);
    let complete: Vec<&Record> = ended(End::Complete).collect();
    let newest = complete.last().map_or(0, |it| seq(it));

    let believed = believed(&complete);
    let wanted = rules(policy, &complete, &believed, &zone);
    let mut needed: BTreeSet<u64> = wanted.iter().map(|(seq, _)| *seq).collect();
    for (seq, why) in &wanted {
        say(*seq, why);
    }
    let min_keep = usize::try_from(policy.min_keep).unwrap();
    for it in complete.iter().rev().take(min_keep) {
        say(seq(it), "min_keep");
        needed.insert(seq(it));
    }
    let only: Vec<_> = ended(End::Partial).filter(|it| seq(it) > newest).collect();
    for it in only.iter().rev().take(min_keep) {
        say(seq(it), "nothing better");
    }
    let proven = |end| ended(end).filter(|it| it.proven).map(seq).max();
    if let Some(seq) = proven(End::Complete).or(proven(End::Partial)) {
        say(seq, "proven");
    }
    let oldest = needed.first().copied().unwrap_or(0);
    for it in ended(End::Aborted).chain(ended(End::Fenced)) {
        if seq(it) > oldest {
            say(seq(it), "history");
        }
    }

    let pause = pause(&counted, &complete);
    let before = if pause == "no" { "" } else { "paused, " };
    for it in records {
        let why = told.get_mut(&seq(it)).unwrap();
        if why.is_empty() {
            why.push(match it.end {
                End::Partial if seq(it) < newest => format!("{before}go: completed by {newest}"),
                End::Partial => format!("{before}go: newer partial"),
                End::Complete => format!("{before}go: no rule"),
                _ => format!("{before}go: failed"),
            });
        }
    }
    for it in complete
        .iter()
        .filter(|it| !believed.contains_key(&seq(it)))
    {
        told.get_mut(&seq(it))
            .unwrap()
            .push("out of order".to_owned());
    }
    for why in told.values_mut() {
        why.sort();
    }
    (told, pause)
}

fn seq(record: &Record) -> u64 {
    record.name.seq.0
}

fn pause(counted: &[&Record], complete: &[&Record]) -> String {
    let mut failures = 0;
    for it in counted.iter().rev().filter(|it| it.end != End::Open) {
        if it.end == End::Complete || it.end == End::Partial {
            break;
        }
        failures += 1;
    }
    if failures >= 3 {
        return format!("{failures} failures");
    }
    if complete.len() < 4 {
        return "no".to_owned();
    }
    let (newest, before) = complete.split_last().unwrap();
    let mut sizes: Vec<_> = before
        .iter()
        .rev()
        .take(7)
        .map(|it| it.stored_bytes)
        .collect();
    sizes.sort_unstable();
    let (size, usual) = (newest.stored_bytes, sizes[sizes.len() / 2]);
    if u128::from(size) * 2 < u128::from(usual) {
        return format!("{} has {size} of {usual}", seq(newest));
    }
    "no".to_owned()
}

/// Those in every longest run of dates that never falls.
fn believed(complete: &[&Record]) -> Believed {
    let n = complete.len();
    let date = |i: usize| complete[i].created;
    // Ten minutes are as good as one moment.
    let step = |i: usize| date(i).as_second().div_euclid(600);
    let (mut to, mut from) = (vec![1; n], vec![1; n]);
    for i in 0..n {
        for j in 0..i {
            if step(j) <= step(i) {
                to[i] = to[i].max(to[j] + 1);
            }
        }
    }
    for i in (0..n).rev() {
        for j in i + 1..n {
            if step(i) <= step(j) {
                from[i] = from[i].max(from[j] + 1);
            }
        }
    }
    let longest = to.iter().max().copied().unwrap_or(0);
    let within: Vec<usize> = (0..n).filter(|&i| to[i] + from[i] == longest + 1).collect();
    let alone = |i: &&usize| within.iter().filter(|j| to[**i] == to[**j]).count() == 1;
    let alone = within.iter().filter(alone);
    alone.map(|&i| (seq(complete[i]), date(i))).collect()
}

/// Which complete snapshot is wanted, and what for.
fn rules(
    policy: &RetentionPolicy,
    complete: &[&Record],
    believed: &Believed,
    zone: &TimeZone,
) -> Vec<(u64, String)> {
    let mut wanted = Vec::new();
    for it in complete.iter().rev().take(policy.keep_last as usize) {
        wanted.push((seq(it), "keep_last".to_owned()));
    }
    let counts = [
        ("keep_hourly", Unit::Hour, policy.keep_hourly),
        ("keep_daily", Unit::Day, policy.keep_daily),
        ("keep_weekly", Unit::Week, policy.keep_weekly),
        ("keep_monthly", Unit::Month, policy.keep_monthly),
        ("keep_yearly", Unit::Year, policy.keep_yearly),
    ];
    for (rule, unit, count) in counts {
        let count = count as usize;
        if count == 0 {
            continue;
        }
        // The periods of those believed, and the newest that are enough.
        let mut periods = BTreeMap::<String, u64>::new();
        for it in complete.iter().filter(|it| believed.contains_key(&seq(it))) {
            periods.insert(period(it.created, unit, zone), seq(it));
        }
        let mut newest: Vec<u64> = periods.into_values().collect();
        newest.sort_unstable_by(|a, b| b.cmp(a));
        let past = newest.get(count).copied().unwrap_or(0);
        for (seq, period) in newest_of_stretches(complete, unit, zone) {
            if seq > past {
                wanted.push((seq, format!("{rule} {period}")));
            }
        }
    }
    wanted.extend(rules_of_time(policy, complete, believed, zone));
    wanted
}

/// The same by the rules that reach so far back.
fn rules_of_time(
    policy: &RetentionPolicy,
    complete: &[&Record],
    believed: &Believed,
    zone: &TimeZone,
) -> Vec<(u64, String)> {
    let mut wanted = Vec::new();
    let anchor = believed.values().next_back().copied();
    let times = [
        ("keep_within", None, policy.keep_within),
        (
            "keep_within_hourly",
            Some(Unit::Hour),
            policy.keep_within_hourly,
        ),
        (
            "keep_within_daily",
            Some(Unit::Day),
            policy.keep_within_daily,
        ),
        (
            "keep_within_weekly",
            Some(Unit::Week),
            policy.keep_within_weekly,
        ),
        (
            "keep_within_monthly",
            Some(Unit::Month),
            policy.keep_within_monthly,
        ),
        (
            "keep_within_yearly",
            Some(Unit::Year),
            policy.keep_within_yearly,
        ),
    ];
    for (rule, unit, time) in times {
        let Some(time) = time else { continue };
        let young = |it: &&&Record| {
            let near = |date: Timestamp| anchor.is_none_or(|anchor| anchor - time <= date);
            let next = believed.range(seq(it)..).next();
            let doubtful = !believed.contains_key(&seq(it));
            near(it.created) || doubtful && next.is_none_or(|(_, next)| near(*next))
        };
        let young: Vec<&Record> = complete.iter().filter(young).copied().collect();
        match unit {
            None => wanted.extend(young.iter().map(|it| (seq(it), rule.to_owned()))),
            Some(unit) => {
                let all = newest_of_stretches(&young, unit, zone).into_iter();
                wanted.extend(all.map(|(seq, period)| (seq, format!("{rule} {period}"))));
            }
        }
    }
    wanted
}

/// The newest of each stretch of the chain in which all are of one period.
fn newest_of_stretches(complete: &[&Record], unit: Unit, zone: &TimeZone) -> Vec<(u64, String)> {
    let named = complete
        .iter()
        .map(|it| (seq(it), period(it.created, unit, zone)));
    let named: Vec<_> = named.collect();
    let stretches = named.chunk_by(|a, b| a.1 == b.1);
    stretches
        .filter_map(|stretch| stretch.last().cloned())
        .collect()
}

/// The name of the period that a moment is in.
fn period(at: Timestamp, unit: Unit, zone: &TimeZone) -> String {
    let offset = i64::from(zone.to_offset(at).seconds());
    let local = at.as_millisecond().div_euclid(1000) + offset;
    let days = local.div_euclid(DAY);
    let (year, month, day) = civil(days);
    match unit {
        Unit::Hour => {
            let hour = local.rem_euclid(DAY) / 3_600;
            let (sign, size) = if offset < 0 {
                ('-', -offset)
            } else {
                ('+', offset)
            };
            let (hours, minutes) = (size / 3_600, size % 3_600 / 60);
            format!("{year}-{month:02}-{day:02}T{hour:02}{sign}{hours:02}:{minutes:02}")
        }
        Unit::Day => format!("{year}-{month:02}-{day:02}"),
        Unit::Week => {
            // The week belongs to the year that has its Thursday; day 0 was one.
            let thursday = days - (days + 3).rem_euclid(7) + 3;
            let (year, ..) = civil(thursday);
            let first = (thursday - 366..=thursday).find(|&day| civil(day).0 == year);
            format!("{year}-W{:02}", (thursday - first.unwrap()) / 7 + 1)
        }
        Unit::Month => format!("{year}-{month:02}"),
        Unit::Year => format!("{year}"),
    }
}

/// Year, month and day of a day since 1970, by counting years and months.
fn civil(mut days: i64) -> (i64, i64, i64) {
    let mut year = 1970;
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    while days < 0 {
        year -= 1;
        days += 365 + i64::from(leap(year));
    }
    while days >= 365 + i64::from(leap(year)) {
        days -= 365 + i64::from(leap(year));
        year += 1;
    }
    let february = 28 + i64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}
