//! The keys of the table `[server]`.

use super::{RawSecret, required, secret};
use crate::config::{
    problem::{Findings, Located},
    table::{Field, Key, Table},
};

const NAME: Key = Key("name", "name = \"vault01\"");
const PARALLEL: Key = Key("parallel", "parallel = 2");
const LISTEN: Key = Key("listen", "listen = [\"unix:/run/backupd/api.sock\"]");
const HOSTS: Key = Key("hosts", "hosts = [\"vault01.example.org\"]");
const GROUP_SCOPES: Key = Key("group_scopes", "group_scopes = [\"status\"]");
const TRUSTED_PROXIES: Key = Key("trusted_proxies", "trusted_proxies = [\"10.0.0.1\"]");
const RESTORE_FOLDERS: Key = Key("restore_folders", "restore_folders = [\"/srv/restore\"]");
const TLS: Key = Key("tls", "[server.tls]");
const CERTIFICATE: Key = Key("certificate", "certificate = \"/etc/backupd/tls/cert.pem\"");
const KEY: Key = Key("key", "key = { file = \"/etc/backupd/tls/key.pem\" }");

type Texts = Vec<Located<String>>;

/// The table `[server]`.
#[derive(Debug)]
pub(crate) struct RawServer {
    pub(crate) name: Field<String>,
    pub(crate) parallel: Field<i64>,
    pub(crate) listen: Field<Texts>,
    pub(crate) hosts: Field<Texts>,
    pub(crate) group_scopes: Field<Texts>,
    pub(crate) trusted_proxies: Field<Texts>,
    pub(crate) restore_folders: Field<Texts>,
    pub(crate) tls: Field<RawTls>,
}

/// The table `[server.tls]`.
#[derive(Debug)]
pub(crate) struct RawTls {
    pub(crate) certificate: Option<Located<String>>,
    pub(crate) key: Option<RawSecret>,
}

pub(super) fn read(mut table: Table<'_>, findings: &mut Findings) -> RawServer {
    let raw = RawServer {
        name: table.text(NAME, findings),
        parallel: table.number(PARALLEL, findings),
        listen: table.texts(LISTEN, findings),
        hosts: table.texts(HOSTS, findings),
        group_scopes: table.texts(GROUP_SCOPES, findings),
        trusted_proxies: table.texts(TRUSTED_PROXIES, findings),
        restore_folders: table.texts(RESTORE_FOLDERS, findings),
        tls: tls(&mut table, findings),
    };
    table.finish(findings);
    raw
}

fn tls(table: &mut Table<'_>, findings: &mut Findings) -> Field<RawTls> {
    let Located {
        value: mut inner,
        at,
    } = match table.table(TLS, findings) {
        Field::Absent => return Field::Absent,
        Field::Wrong => return Field::Wrong,
        Field::Got(inner) => inner,
    };
    let certificate = required(&mut inner, CERTIFICATE, findings);
    if inner.value(KEY).is_none() {
        inner.missing(KEY, findings);
    }
    let key = secret(&mut inner, KEY, findings);
    inner.finish(findings);
    let value = RawTls { certificate, key };
    Field::Got(Located { value, at })
}
