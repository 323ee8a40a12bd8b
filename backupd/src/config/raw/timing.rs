//! The keys that say when jobs run, in a job or in `[defaults]`.

use crate::config::{
    problem::{Findings, Located},
    table::{Field, Key, Table},
};

const SCHEDULE: Key = Key("schedule", "schedule = \"15 2 * * *\"");
const RPO: Key = Key("rpo", "rpo = \"6h\"");
const JITTER: Key = Key("jitter", "jitter = \"10m\"");
const CATCH_UP: Key = Key("catch_up", "catch_up = \"once\"");
const RETRY: Key = Key("retry", "retry = { attempts = 3, backoff = \"5m..1h\" }");
const ATTEMPTS: Key = Key("attempts", "attempts = 3");
const BACKOFF: Key = Key("backoff", "backoff = \"5m..1h\"");

/// When a job runs.
#[derive(Debug)]
pub(crate) struct RawTiming {
    pub(crate) schedule: Field<String>,
    pub(crate) rpo: Field<String>,
    pub(crate) jitter: Field<String>,
    pub(crate) catch_up: Field<String>,
    pub(crate) retry: Field<RawRetry>,
}

/// `retry = { … }`.
#[derive(Debug)]
pub(crate) struct RawRetry {
    pub(crate) attempts: Option<Located<i64>>,
    pub(crate) backoff: Option<Located<String>>,
}

pub(super) fn read(table: &mut Table<'_>, findings: &mut Findings) -> RawTiming {
    RawTiming {
        schedule: table.text(SCHEDULE, findings),
        rpo: table.text(RPO, findings),
        jitter: table.text(JITTER, findings),
        catch_up: table.text(CATCH_UP, findings),
        retry: retry(table, findings),
    }
}

fn retry(table: &mut Table<'_>, findings: &mut Findings) -> Field<RawRetry> {
    let inner = match table.table(RETRY, findings) {
        Field::Absent => return Field::Absent,
        Field::Wrong => return Field::Wrong,
        Field::Got(inner) => inner,
    };
    let (at, mut inner) = (inner.at, inner.value);
    let value = RawRetry {
        attempts: inner.number(ATTEMPTS, findings).got(),
        backoff: inner.text(BACKOFF, findings).got(),
    };
    inner.finish(findings);
    Field::Got(Located { value, at })
}
