//! The keys of a repository that only a bucket has.

use super::{RawSecret, secret};
use crate::config::{
    problem::{Findings, Located, Spot},
    table::{Field, Key, Table},
};

const ENDPOINT: Key = Key("endpoint", "endpoint = \"https://s3.example.org\"");
const REGION: Key = Key("region", "region = \"eu-central-1\"");
const PATH_STYLE: Key = Key("path_style", "path_style = true");
const READ_BACK: Key = Key("read_back", "read_back = true");
const CREDENTIALS: Key = Key(
    "credentials",
    "credentials = { access_key_id = { … }, secret_access_key = { … } }",
);
const ACCESS_KEY_ID: Key = Key(
    "access_key_id",
    "access_key_id = { file = \"secrets/s3-id\" }",
);
const SECRET_ACCESS_KEY: Key = Key(
    "secret_access_key",
    "secret_access_key = { file = \"secrets/s3-key\" }",
);
const SESSION_TOKEN: Key = Key(
    "session_token",
    "session_token = { env = \"AWS_SESSION_TOKEN\" }",
);
const LIMITS: Key = Key("limits", "limits = { upload = \"20MiB/s\" }");
const UPLOAD: Key = Key("upload", "upload = \"20MiB/s\"");
const DOWNLOAD: Key = Key("download", "download = \"20MiB/s\"");
const CONNECTIONS: Key = Key("connections", "connections = 8");

/// What only a bucket has.
#[derive(Debug)]
pub(crate) struct RawS3 {
    /// The keys that are there, whatever they hold.
    pub(crate) given: Vec<(&'static str, Spot)>,
    pub(crate) endpoint: Option<Located<String>>,
    pub(crate) region: Option<Located<String>>,
    pub(crate) path_style: Option<bool>,
    pub(crate) read_back: Option<bool>,
    pub(crate) credentials: Field<RawCredentials>,
    pub(crate) limits: Option<RawLimits>,
}

/// `credentials = { … }`.
#[derive(Debug)]
pub(crate) struct RawCredentials {
    pub(crate) access_key_id: Option<RawSecret>,
    pub(crate) secret_access_key: Option<RawSecret>,
    pub(crate) session_token: Field<RawSecret>,
}

/// `limits = { … }`.
#[derive(Debug)]
pub(crate) struct RawLimits {
    pub(crate) upload: Option<Located<String>>,
    pub(crate) download: Option<Located<String>>,
    pub(crate) connections: Option<Located<i64>>,
}

pub(super) fn read(table: &mut Table<'_>, findings: &mut Findings) -> RawS3 {
    let keys = [ENDPOINT, REGION, PATH_STYLE, READ_BACK, CREDENTIALS, LIMITS];
    let given = keys.iter().filter_map(|key| {
        let found = table.value(*key)?;
        Some((key.0, found.at))
    });
    RawS3 {
        given: given.collect(),
        endpoint: table.text(ENDPOINT, findings).got(),
        region: table.text(REGION, findings).got(),
        path_style: table.flag(PATH_STYLE, findings).got().map(|f| f.value),
        read_back: table.flag(READ_BACK, findings).got().map(|f| f.value),
        credentials: credentials(table, findings),
        limits: limits(table, findings),
    }
}

fn credentials(table: &mut Table<'_>, findings: &mut Findings) -> Field<RawCredentials> {
    if let Some(given) = table
        .value(CREDENTIALS)
        .filter(|given| !given.value.is_table())
    {
        findings.mask(given.at.file, given.at.span);
    }
    let Located {
        value: mut inner,
        at,
    } = match table.table(CREDENTIALS, findings) {
        Field::Absent => return Field::Absent,
        Field::Wrong => return Field::Wrong,
        Field::Got(inner) => inner,
    };
    // Whatever stands here in place of a reference may be the secret itself.
    inner.mask_values(findings);
    let mut both = [ACCESS_KEY_ID, SECRET_ACCESS_KEY].map(|key| {
        if inner.value(key).is_none() {
            inner.missing(key, findings);
        }
        secret(&mut inner, key, findings)
    });
    let token = inner.value(SESSION_TOKEN).map(|token| token.at);
    let raw = RawCredentials {
        access_key_id: both[0].take(),
        secret_access_key: both[1].take(),
        session_token: match token {
            None => Field::Absent,
            Some(at) => match secret(&mut inner, SESSION_TOKEN, findings) {
                None => Field::Wrong,
                Some(value) => Field::Got(Located { value, at }),
            },
        },
    };
    inner.finish(findings);
    Field::Got(Located { value: raw, at })
}

fn limits(table: &mut Table<'_>, findings: &mut Findings) -> Option<RawLimits> {
    let mut inner = table.table(LIMITS, findings).got()?.value;
    let raw = RawLimits {
        upload: inner.text(UPLOAD, findings).got(),
        download: inner.text(DOWNLOAD, findings).got(),
        connections: inner.number(CONNECTIONS, findings).got(),
    };
    inner.finish(findings);
    Some(raw)
}
