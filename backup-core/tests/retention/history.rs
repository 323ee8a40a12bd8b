//! Ten years of a job as chance has them: gaps, bursts, streaks of failures, wrong clocks.

use backup_core::retention::Record;
use backup_model::{End, RetentionPolicy, Seq, SnapshotName};
use jiff::{SignedDuration, Timestamp};

pub(crate) const DAY: i64 = 86_400;
const YEARS: i64 = 10;

/// Numbers that look random and come again with the seed (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: i64) -> i64 {
        i64::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    pub(crate) fn one_in(&mut self, chances: i64) -> bool {
        self.below(chances) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(i64::try_from(from.len()).unwrap())).unwrap()]
    }
}

/// How a history is made.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) runs: i64,
    pub(crate) wrong_clocks: bool,
    pub(crate) failures: bool,
}

/// Runs over ten years from November 2016, and the true time after the last one.
pub(crate) fn history(shape: Shape, random: &mut Random) -> (Vec<Record>, Timestamp) {
    let usual_gap = YEARS * 365 * DAY / shape.runs;
    let mut time: i64 = 1_479_772_800_000 + random.below(30 * DAY * 1000);
    let (mut burst, mut failing, mut wrong, mut skew) = (0, 0, 0, 0);
    let mut size = 10_000_000;
    let mut records = Vec::new();
    for seq in 1..=shape.runs {
        if burst == 0 && random.one_in(40) {
            burst = 1 + random.below(30);
        }
        let gap = match burst {
            0 if random.one_in(30) => usual_gap * (1 + random.below(20)),
            0 => usual_gap / 2 + random.below(usual_gap),
            _ => 20 + random.below(3_600),
        };
        burst = (burst - 1).max(0);
        time += gap * 1000 + random.below(1000);
        if shape.wrong_clocks && wrong == 0 && random.one_in(60) {
            wrong = 1 + random.below(25);
            let far = random.pick(&[90, 3_600, DAY, 40 * DAY, 365 * DAY, 400 * DAY]);
            skew = (random.below(2 * far) - far) * 1000;
        }
        let created = if wrong > 0 { time + skew } else { time };
        wrong = (wrong - 1).max(0);
        if shape.failures && failing == 0 && random.one_in(50) {
            failing = 1 + random.below(6);
        }
        let failed = failing > 0;
        failing = (failing - 1).max(0);
        size = match random.below(60) {
            0 => size / 3,
            1 => size * 2,
            _ => size + random.below(100_000) - 45_000,
        }
        .max(1_000);
        records.push(Record {
            name: SnapshotName {
                job: "webui".parse().unwrap(),
                seq: Seq(u64::try_from(seq).unwrap()),
            },
            created: Timestamp::from_millisecond(created).unwrap(),
            end: end(shape, failed, random),
            stored_bytes: u64::try_from(size).unwrap(),
            held: random.one_in(80),
            proven: random.one_in(25),
        });
    }
    (records, Timestamp::from_millisecond(time + 60_000).unwrap())
}

fn end(shape: Shape, failed: bool, random: &mut Random) -> End {
    if !shape.failures {
        return End::Complete;
    }
    if failed {
        return random.pick(&[End::Aborted, End::Aborted, End::Fenced, End::Partial]);
    }
    match random.below(60) {
        0 => End::Open,
        1..4 => End::Partial,
        4 => End::Aborted,
        _ => End::Complete,
    }
}

/// A policy of some rules.
pub(crate) fn random_policy(zone: &str, random: &mut Random) -> RetentionPolicy {
    let mut policy = RetentionPolicy::new(zone.to_owned());
    policy.min_keep = 1 + u32::try_from(random.below(4)).unwrap();
    // Never without any rule.
    policy.keep_daily = 1 + u32::try_from(random.below(20)).unwrap();
    for count in [
        &mut policy.keep_last,
        &mut policy.keep_hourly,
        &mut policy.keep_weekly,
        &mut policy.keep_monthly,
        &mut policy.keep_yearly,
    ] {
        if random.one_in(2) {
            *count = u32::try_from(random.below(30)).unwrap();
        }
    }
    for time in [
        &mut policy.keep_within,
        &mut policy.keep_within_hourly,
        &mut policy.keep_within_daily,
        &mut policy.keep_within_weekly,
        &mut policy.keep_within_monthly,
        &mut policy.keep_within_yearly,
    ] {
        if random.one_in(3) {
            let longest = random.pick(&[DAY, 30 * DAY, 400 * DAY, 2_000 * DAY]);
            *time = Some(SignedDuration::from_secs(1 + random.below(longest)));
        }
    }
    policy
}
