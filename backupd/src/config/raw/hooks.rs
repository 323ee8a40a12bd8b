//! The table `hooks` of a job: programs around its backups.

use crate::config::{
    problem::{Findings, Located, Spot},
    table::{Field, Key, Table},
};

const HOOKS: Key = Key(
    "hooks",
    "hooks = { before = [{ run = [\"program\", \"argument\"] }] }",
);
const BEFORE: Key = Key("before", "before = [{ run = [\"program\", \"argument\"] }]");
const AFTER: Key = Key("after", "after = [{ run = [\"program\", \"argument\"] }]");
const FAILED: Key = Key("failed", "failed = [{ run = [\"program\", \"argument\"] }]");
const FINALLY: Key = Key(
    "finally",
    "finally = [{ run = [\"program\", \"argument\"] }]",
);
const RUN: Key = Key("run", "run = [\"program\", \"argument\"]");
const TIMEOUT: Key = Key("timeout", "timeout = \"5m\"");
const ON_FAILURE: Key = Key("on_failure", "on_failure = \"warn\"");

/// The programs around a job's backups.
#[derive(Debug)]
pub(crate) struct RawHooks {
    pub(crate) before: Vec<RawHook>,
    pub(crate) after: Vec<RawHook>,
    pub(crate) failed: Vec<RawHook>,
    pub(crate) finally: Vec<RawHook>,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct RawHook {
    pub(crate) at: Spot,
    pub(crate) run: Field<Vec<Located<String>>>,
    pub(crate) timeout: Option<Located<String>>,
    pub(crate) on_failure: Option<Located<String>>,
}

pub(super) fn read(table: &mut Table<'_>, findings: &mut Findings) -> Option<RawHooks> {
    let mut inner = table.table(HOOKS, findings).got()?.value;
    let raw = RawHooks {
        before: hooks(&mut inner, BEFORE, findings),
        after: hooks(&mut inner, AFTER, findings),
        failed: hooks(&mut inner, FAILED, findings),
        finally: hooks(&mut inner, FINALLY, findings),
    };
    inner.finish(findings);
    Some(raw)
}

fn hooks(table: &mut Table<'_>, key: Key, findings: &mut Findings) -> Vec<RawHook> {
    let tables = table.tables(key, findings).got();
    let tables = tables.map(|tables| tables.value).unwrap_or_default();
    tables
        .into_iter()
        .map(|table| hook(table, findings))
        .collect()
}

fn hook(mut table: Table<'_>, findings: &mut Findings) -> RawHook {
    let raw = RawHook {
        at: table.at().clone(),
        run: table.texts(RUN, findings),
        timeout: table.text(TIMEOUT, findings).got(),
        on_failure: table.text(ON_FAILURE, findings).got(),
    };
    table.finish(findings);
    raw
}
