//! The tables `[metrics]` and `[notify.…]`.

use super::{RawSecret, required, secret};
use crate::config::{
    problem::{Findings, Located},
    table::{Field, Key, Table},
};

const LISTEN: Key = Key("listen", "listen = \"127.0.0.1:9898\"");
const KIND: Key = Key(
    "kind",
    "kind = \"webhook\"`, `kind = \"ntfy\"`, `kind = \"smtp\"` or `kind = \"healthchecks\"",
);
const URL: Key = Key("url", "url = { file = \"secrets/ntfy.url\" }");
const TOKEN: Key = Key("token", "token = { file = \"secrets/ntfy.token\" }");
const EVENTS: Key = Key("events", "events = [\"breached\", \"recovered\"]");
const JOBS: Key = Key("jobs", "jobs = [\"webui\"]");
const DIGEST: Key = Key("digest", "digest = \"08:00\"");
const FROM: Key = Key("from", "from = \"backupd@example.net\"");
const TO: Key = Key("to", "to = [\"ops@example.net\"]");

/// The table `[metrics]`.
#[derive(Debug)]
pub(crate) struct RawMetrics {
    pub(crate) listen: Field<String>,
}

/// A table `[notify.…]`.
#[derive(Debug)]
pub(crate) struct RawChannel {
    pub(crate) name: Located<String>,
    pub(crate) kind: Option<Located<String>>,
    pub(crate) url: Option<RawSecret>,
    pub(crate) token: Option<RawSecret>,
    pub(crate) events: Option<Located<Vec<Located<String>>>>,
    pub(crate) jobs: Option<Located<Vec<Located<String>>>>,
    pub(crate) digest: Option<Located<String>>,
    pub(crate) from: Option<Located<String>>,
    pub(crate) to: Option<Located<Vec<Located<String>>>>,
}

pub(super) fn metrics(mut table: Table<'_>, findings: &mut Findings) -> RawMetrics {
    let listen = table.text(LISTEN, findings);
    if matches!(listen, Field::Absent) {
        table.missing(LISTEN, findings);
    }
    table.finish(findings);
    RawMetrics { listen }
}

pub(super) fn channel(
    name: Located<String>,
    mut table: Table<'_>,
    findings: &mut Findings,
) -> RawChannel {
    let kind = required(&mut table, KIND, findings);
    if table.value(URL).is_none() {
        table.missing(URL, findings);
    }
    let is_mail = |kind: &Located<String>| kind.value == "smtp";
    for key in [FROM, TO] {
        if kind.as_ref().is_some_and(is_mail) && table.value(key).is_none() {
            table.missing(key, findings);
        }
    }
    let raw = RawChannel {
        name,
        kind,
        url: secret(&mut table, URL, findings),
        token: secret(&mut table, TOKEN, findings),
        events: table.texts(EVENTS, findings).got(),
        jobs: table.texts(JOBS, findings).got(),
        digest: table.text(DIGEST, findings).got(),
        from: table.text(FROM, findings).got(),
        to: table.texts(TO, findings).got(),
    };
    table.finish(findings);
    raw
}
