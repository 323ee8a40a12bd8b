//! The keys of a retention policy, and the table `[defaults]` that may hold one.

use super::{RawTiming, RawVerify, timing, upkeep};
use crate::config::{
    problem::{Findings, Located, Spot},
    table::{Field, Key, Table},
};

const TIMEZONE: Key = Key("timezone", "timezone = \"Europe/Berlin\"");
const RETENTION: Key = Key("retention", "retention = { keep_daily = 14 }");
const COUNTS: [Key; 7] = [
    Key("keep_last", "keep_last = 3"),
    Key("keep_hourly", "keep_hourly = 24"),
    Key("keep_daily", "keep_daily = 14"),
    Key("keep_weekly", "keep_weekly = 8"),
    Key("keep_monthly", "keep_monthly = 12"),
    Key("keep_yearly", "keep_yearly = 5"),
    Key("min_keep", "min_keep = 2"),
];
const TIMES: [Key; 6] = [
    Key("keep_within", "keep_within = \"2d\""),
    Key("keep_within_hourly", "keep_within_hourly = \"7d\""),
    Key("keep_within_daily", "keep_within_daily = \"30d\""),
    Key("keep_within_weekly", "keep_within_weekly = \"90d\""),
    Key("keep_within_monthly", "keep_within_monthly = \"365d\""),
    Key("keep_within_yearly", "keep_within_yearly = \"3650d\""),
];

/// The table `[defaults]`.
#[derive(Debug)]
pub(crate) struct RawDefaults {
    pub(crate) timezone: Field<String>,
    pub(crate) timing: RawTiming,
    pub(crate) retention: Field<RawRetention>,
    pub(crate) verify: Field<RawVerify>,
}

/// `retention = { … }`: what is there, by its key.
#[derive(Debug)]
pub(crate) struct RawRetention {
    pub(crate) counts: Vec<(Key, Located<i64>)>,
    pub(crate) times: Vec<(Key, Located<String>)>,
    /// Whether every key is known and of its type.
    pub(crate) whole: bool,
}

impl RawRetention {
    /// Where a key's value stands.
    pub(crate) fn at(&self, key: &str) -> Option<&Spot> {
        let counts = self.counts.iter().map(|(key, count)| (key, &count.at));
        let times = self.times.iter().map(|(key, time)| (key, &time.at));
        let mut spots = counts.chain(times);
        spots.find(|(name, _)| name.0 == key).map(|(_, at)| at)
    }
}

pub(super) fn defaults(mut table: Table<'_>, findings: &mut Findings) -> RawDefaults {
    let raw = RawDefaults {
        timezone: table.text(TIMEZONE, findings),
        timing: timing::read(&mut table, findings),
        retention: retention(&mut table, findings),
        verify: upkeep::verify(&mut table, findings),
    };
    table.finish(findings);
    raw
}

pub(super) fn retention(table: &mut Table<'_>, findings: &mut Findings) -> Field<RawRetention> {
    let inner = match table.table(RETENTION, findings) {
        Field::Absent => return Field::Absent,
        Field::Wrong => return Field::Wrong,
        Field::Got(inner) => inner,
    };
    let (at, mut inner) = (inner.at, inner.value);
    let before = findings.count();
    let counts = COUNTS.map(|key| (key, inner.number(key, findings).got()));
    let times = TIMES.map(|key| (key, inner.text(key, findings).got()));
    inner.finish(findings);
    let value = RawRetention {
        counts: given(counts),
        times: given(times),
        whole: findings.count() == before,
    };
    Field::Got(Located { value, at })
}

fn given<T>(fields: impl IntoIterator<Item = (Key, Option<T>)>) -> Vec<(Key, T)> {
    let given = fields
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)));
    given.collect()
}
