//! The table `[upkeep]`: what is done by schedule besides backups; and the key `verify` of a job
//! or of `[defaults]`.

use crate::config::{
    problem::{Findings, Located},
    table::{Field, Key, Table},
};

const RETENTION: Key = Key("retention", "retention = \"@daily\"");
const PRUNE: Key = Key("prune", "prune = \"@daily\"");
const VERIFY_SCHEDULE: Key = Key("verify", "verify = \"@daily\"");
const PROBE: Key = Key("probe", "probe = \"@weekly\"");
const JITTER: Key = Key("jitter", "jitter = \"90m\"");
const PRUNE_GRACE: Key = Key("prune_grace", "prune_grace = \"24h\"");
const VERIFY: Key = Key("verify", "verify = { full_coverage = \"30d\" }");
const AFTER: Key = Key("after", "after = \"storage\"");
const FULL_COVERAGE: Key = Key("full_coverage", "full_coverage = \"30d\"");

/// The table `[upkeep]`.
#[derive(Debug)]
pub(crate) struct RawUpkeep {
    pub(crate) retention: Field<String>,
    pub(crate) prune: Field<String>,
    pub(crate) verify: Field<String>,
    pub(crate) probe: Field<String>,
    pub(crate) jitter: Field<String>,
    pub(crate) prune_grace: Field<String>,
}

/// `verify = { … }`.
#[derive(Debug)]
pub(crate) struct RawVerify {
    pub(crate) after: Option<Located<String>>,
    pub(crate) full_coverage: Option<Located<String>>,
}

pub(super) fn upkeep(mut table: Table<'_>, findings: &mut Findings) -> RawUpkeep {
    let raw = RawUpkeep {
        retention: table.text(RETENTION, findings),
        prune: table.text(PRUNE, findings),
        verify: table.text(VERIFY_SCHEDULE, findings),
        probe: table.text(PROBE, findings),
        jitter: table.text(JITTER, findings),
        prune_grace: table.text(PRUNE_GRACE, findings),
    };
    table.finish(findings);
    raw
}

pub(super) fn verify(table: &mut Table<'_>, findings: &mut Findings) -> Field<RawVerify> {
    let inner = match table.table(VERIFY, findings) {
        Field::Absent => return Field::Absent,
        Field::Wrong => return Field::Wrong,
        Field::Got(inner) => inner,
    };
    let (at, mut inner) = (inner.at, inner.value);
    let value = RawVerify {
        after: inner.text(AFTER, findings).got(),
        full_coverage: inner.text(FULL_COVERAGE, findings).got(),
    };
    inner.finish(findings);
    Field::Got(Located { value, at })
}
