//! The configuration as it is written: which keys there are, and of which type.
//!
//! Reading is by hand and not by serde: serde stops at the first problem, and knows no place of
//! a table. What the values mean, and whether they fit together, is not known here.

mod audit;
mod health;
mod hooks;
mod notify;
mod retention;
mod s3;
mod server;
mod timing;
mod upkeep;

use toml::de::{DeTable, DeValue};

pub(crate) use audit::RawAudit;
pub(crate) use health::RawHealth;
pub(crate) use hooks::{RawHook, RawHooks};
pub(crate) use notify::{RawChannel, RawMetrics};
pub(crate) use retention::{RawDefaults, RawRetention};
pub(crate) use s3::{RawCredentials, RawLimits, RawS3};
pub(crate) use server::{RawServer, RawTls};
pub(crate) use timing::{RawRetry, RawTiming};
pub(crate) use upkeep::{RawUpkeep, RawVerify};

use super::{
    problem::{Findings, Located, Spot},
    table::{Field, Key, Table, suggestion},
};

const VERSION: Key = Key("version", "version = 1");
const STATE: Key = Key("state", "state = \"/var/lib/backupd\"");
const SERVER: Key = Key("server", "[server]");
const DEFAULTS: Key = Key("defaults", "[defaults]");
const AUDIT: Key = Key("audit", "[audit]");
const UPKEEP: Key = Key("upkeep", "[upkeep]");
const HEALTH: Key = Key("health", "[health]");
const METRICS: Key = Key("metrics", "[metrics]");
const CHANNELS: Key = Key("notify", "[notify.ops]");
const REPOSITORIES: Key = Key("repository", "[repository.main]");
const URL: Key = Key("url", "url = \"file:///var/lib/backupd/repo\"");
const TRUST: Key = Key("trust", "trust = \"RW…\"");
const SINGLE_WRITER: Key = Key("single_writer", "single_writer = true");
const JOBS: Key = Key("job", "[job.webui]");
const REPOSITORY: Key = Key("repository", "repository = \"main\"");
const LIMIT: Key = Key("limit", "limit = \"12h\"");
const SOURCES: Key = Key("source", "[[job.webui.source]]");
const KIND: Key = Key(
    "kind",
    "kind = \"postgres\"`, `kind = \"files\"` or `kind = \"command\"",
);
const NAME: Key = Key("name", "name = \"webui\"");
const CONNECTION: Key = Key(
    "connection",
    "connection = { host = \"db\", user = \"backup\", dbname = \"webui\" }",
);
const HOST: Key = Key("host", "host = \"/var/run/postgresql\"");
const PORT: Key = Key("port", "port = 5432");
const USER: Key = Key("user", "user = \"backup\"");
const DBNAME: Key = Key("dbname", "dbname = \"webui\"");
const PASSWORD: Key = Key("password", "password = { file = \"secrets/pg\" }");
const BIN_DIR: Key = Key("bin_dir", "bin_dir = \"/usr/lib/postgresql/15/bin\"");
const GLOBALS: Key = Key("globals", "globals = true");
const PATHS: Key = Key("paths", "paths = [\"/srv/webui\"]");
const EXCLUDE: Key = Key("exclude", "exclude = [\"**/.cache/**\", \"*.sock\"]");
const PRESET: Key = Key("preset", "preset = \"open-webui\"");
const MAX_FILE_SIZE: Key = Key("max_file_size", "max_file_size = \"100MiB\"");
const PROGRAM: Key = Key("command", "command = [\"program\", \"argument\"]");
const STALL_TIMEOUT: Key = Key("stall_timeout", "stall_timeout = \"30m\"");
const MAX_BYTES: Key = Key("max_bytes", "max_bytes = \"10GiB\"");
const ENV: Key = Key("env", "{ env = \"PG_PASSWORD\" }");
const FILE: Key = Key("file", "{ file = \"secrets/pg\" }");
const CREDENTIAL: Key = Key("credential", "{ credential = \"pg\" }");
const COMMAND: Key = Key("command", "{ command = [\"pass\", \"show\", \"pg\"] }");

/// One file.
#[derive(Debug)]
pub(crate) struct RawFile {
    pub(crate) start: Spot,
    pub(crate) version: Field<i64>,
    pub(crate) state: Option<Located<String>>,
    pub(crate) server: Option<RawServer>,
    pub(crate) defaults: Option<RawDefaults>,
    pub(crate) audit: Option<RawAudit>,
    pub(crate) upkeep: Option<RawUpkeep>,
    pub(crate) health: Option<RawHealth>,
    pub(crate) metrics: Option<RawMetrics>,
    pub(crate) channels: Vec<RawChannel>,
    pub(crate) repositories: Vec<RawRepository>,
    pub(crate) jobs: Vec<RawJob>,
}

/// A table `[repository.…]`.
#[derive(Debug)]
pub(crate) struct RawRepository {
    pub(crate) name: Located<String>,
    pub(crate) url: Option<Located<String>>,
    pub(crate) trust: Option<Located<String>>,
    pub(crate) single_writer: bool,
    pub(crate) s3: RawS3,
}

/// A table `[job.…]`.
#[derive(Debug)]
pub(crate) struct RawJob {
    pub(crate) name: Located<String>,
    pub(crate) repository: Field<String>,
    pub(crate) timing: RawTiming,
    pub(crate) limit: Option<Located<String>>,
    pub(crate) retention: Field<RawRetention>,
    pub(crate) hooks: Option<RawHooks>,
    pub(crate) verify: Field<RawVerify>,
    pub(crate) sources: Field<Vec<RawSource>>,
}

/// A table `[[job.….source]]`.
#[derive(Debug)]
pub(crate) struct RawSource {
    pub(crate) at: Spot,
    pub(crate) name: Field<String>,
    pub(crate) kind: RawKind,
}

/// What depends on a source's kind.
#[derive(Debug)]
pub(crate) enum RawKind {
    Postgres(Box<RawPostgres>),
    Files(Box<RawFiles>),
    Command(Box<RawCommand>),
    /// A kind that is not known; reported already.
    Unknown,
}

/// What only a database source has.
#[derive(Debug)]
pub(crate) struct RawPostgres {
    pub(crate) connection: Option<RawConnection>,
    pub(crate) password: Option<RawSecret>,
    pub(crate) bin_dir: Option<Located<String>>,
    pub(crate) globals: bool,
    pub(crate) stall_timeout: Option<Located<String>>,
}

/// What only a source of files has.
#[derive(Debug)]
pub(crate) struct RawFiles {
    pub(crate) paths: Field<Vec<Located<String>>>,
    pub(crate) exclude: Option<Located<Vec<Located<String>>>>,
    pub(crate) preset: Option<Located<String>>,
    pub(crate) max_file_size: Option<Located<String>>,
}

/// What only a command has.
#[derive(Debug)]
pub(crate) struct RawCommand {
    pub(crate) command: Field<Vec<Located<String>>>,
    pub(crate) stall_timeout: Option<Located<String>>,
    pub(crate) max_bytes: Option<Located<String>>,
}

/// `connection = { … }`.
#[derive(Debug)]
pub(crate) struct RawConnection {
    pub(crate) host: Option<Located<String>>,
    pub(crate) port: Option<Located<i64>>,
    pub(crate) user: Option<Located<String>>,
    pub(crate) dbname: Option<Located<String>>,
}

/// A reference to a secret; exactly one of the four should be there.
#[derive(Debug)]
pub(crate) struct RawSecret {
    pub(crate) at: Spot,
    pub(crate) given: usize,
    pub(crate) env: Option<Located<String>>,
    pub(crate) file: Option<Located<String>>,
    pub(crate) credential: Option<Located<String>>,
    pub(crate) command: Option<Located<Vec<Located<String>>>>,
}

/// Reads a parsed file. Of a file of another version nothing more is read.
pub(crate) fn read(table: &DeTable<'_>, file: usize, findings: &mut Findings) -> RawFile {
    let start = Spot {
        file,
        span: 0..0,
        key: String::new(),
    };
    let mut table = Table::new(table, start.clone());
    let mut raw = RawFile {
        start,
        version: table.number(VERSION, findings),
        state: None,
        server: None,
        defaults: None,
        audit: None,
        upkeep: None,
        health: None,
        metrics: None,
        channels: Vec::new(),
        repositories: Vec::new(),
        jobs: Vec::new(),
    };
    if matches!(&raw.version, Field::Got(version) if version.value != 1) {
        return raw;
    }
    raw.state = table.text(STATE, findings).got();
    let server = table.table(SERVER, findings).got();
    raw.server = server.map(|inner| server::read(inner.value, findings));
    let defaults = table.table(DEFAULTS, findings).got();
    raw.defaults = defaults.map(|inner| retention::defaults(inner.value, findings));
    let audit = table.table(AUDIT, findings).got();
    raw.audit = audit.map(|inner| audit::read(inner.value, findings));
    let upkeep = table.table(UPKEEP, findings).got();
    raw.upkeep = upkeep.map(|inner| upkeep::upkeep(inner.value, findings));
    let health = table.table(HEALTH, findings).got();
    raw.health = health.map(|inner| health::read(inner.value, findings));
    let metrics = table.table(METRICS, findings).got();
    raw.metrics = metrics.map(|inner| notify::metrics(inner.value, findings));
    for (name, table) in table.named(CHANNELS, findings) {
        raw.channels.push(notify::channel(name, table, findings));
    }
    for (name, table) in table.named(REPOSITORIES, findings) {
        raw.repositories.push(repository(name, table, findings));
    }
    for (name, table) in table.named(JOBS, findings) {
        raw.jobs.push(job(name, table, findings));
    }
    table.finish(findings);
    raw
}

fn required(table: &mut Table<'_>, key: Key, findings: &mut Findings) -> Option<Located<String>> {
    let field = table.text(key, findings);
    if matches!(field, Field::Absent) {
        table.missing(key, findings);
    }
    field.got()
}

fn repository(
    name: Located<String>,
    mut table: Table<'_>,
    findings: &mut Findings,
) -> RawRepository {
    let url = required(&mut table, URL, findings);
    let trust = required(&mut table, TRUST, findings);
    let single_writer = table.flag(SINGLE_WRITER, findings).got();
    let s3 = s3::read(&mut table, findings);
    table.finish(findings);
    RawRepository {
        name,
        url,
        trust,
        single_writer: single_writer.is_some_and(|flag| flag.value),
        s3,
    }
}

fn job(name: Located<String>, mut table: Table<'_>, findings: &mut Findings) -> RawJob {
    let repository = table.text(REPOSITORY, findings);
    let timing = timing::read(&mut table, findings);
    let limit = table.text(LIMIT, findings).got();
    let retention = retention::retention(&mut table, findings);
    let hooks = hooks::read(&mut table, findings);
    let verify = upkeep::verify(&mut table, findings);
    let sources = match table.tables(SOURCES, findings) {
        Field::Absent => Field::Absent,
        Field::Wrong => Field::Wrong,
        Field::Got(Located { value, at }) => Field::Got(Located {
            value: value
                .into_iter()
                .map(|table| source(table, findings))
                .collect(),
            at,
        }),
    };
    table.finish(findings);
    RawJob {
        name,
        repository,
        timing,
        limit,
        retention,
        hooks,
        verify,
        sources,
    }
}

fn source(mut table: Table<'_>, findings: &mut Findings) -> RawSource {
    let at = table.at().clone();
    let kind = required(&mut table, KIND, findings);
    let name = table.text(NAME, findings);
    let kind = match kind.as_ref().map(|kind| kind.value.as_str()) {
        Some("postgres") => RawKind::Postgres(Box::new(postgres(&mut table, findings))),
        Some("files") => RawKind::Files(Box::new(RawFiles {
            paths: table.texts(PATHS, findings),
            exclude: table.texts(EXCLUDE, findings).got(),
            preset: table.text(PRESET, findings).got(),
            max_file_size: table.text(MAX_FILE_SIZE, findings).got(),
        })),
        Some("command") => RawKind::Command(Box::new(RawCommand {
            command: table.texts(PROGRAM, findings),
            stall_timeout: table.text(STALL_TIMEOUT, findings).got(),
            max_bytes: table.text(MAX_BYTES, findings).got(),
        })),
        _ => {
            if let Some(kind) = kind {
                let help = suggestion(&kind.value, &["postgres", "files", "command"]);
                findings.at(&kind.at, format!("unknown kind `{}`", kind.value), help);
            }
            // Which other keys are right depends on the kind.
            return RawSource {
                at,
                name,
                kind: RawKind::Unknown,
            };
        }
    };
    table.finish(findings);
    RawSource { at, name, kind }
}

fn postgres(table: &mut Table<'_>, findings: &mut Findings) -> RawPostgres {
    RawPostgres {
        connection: connection(table, findings),
        password: secret(table, PASSWORD, findings),
        bin_dir: table.text(BIN_DIR, findings).got(),
        globals: table
            .flag(GLOBALS, findings)
            .got()
            .is_none_or(|flag| flag.value),
        stall_timeout: table.text(STALL_TIMEOUT, findings).got(),
    }
}

fn connection(table: &mut Table<'_>, findings: &mut Findings) -> Option<RawConnection> {
    let given = table.value(CONNECTION);
    if let Some(given) = given.as_ref().filter(|given| given.value.is_str()) {
        // Whatever it is, a connection in one string may hold a password.
        findings.mask(given.at.file, given.at.span.clone());
    }
    let mut inner = match table.table(CONNECTION, findings) {
        Field::Absent => {
            table.missing(CONNECTION, findings);
            return None;
        }
        Field::Wrong => return None,
        Field::Got(inner) => inner.value,
    };
    let raw = RawConnection {
        host: inner.text(HOST, findings).got(),
        port: inner.number(PORT, findings).got(),
        user: required(&mut inner, USER, findings),
        dbname: required(&mut inner, DBNAME, findings),
    };
    if let Some(password) = inner.value(PASSWORD) {
        findings.mask(password.at.file, password.at.span.clone());
        let help = "Put `password = { file = \"…\" }` beside `connection`: it must be a reference.";
        findings.at(&password.at, "a password inside `connection`", help);
    }
    inner.finish(findings);
    Some(raw)
}

fn secret(table: &mut Table<'_>, key: Key, findings: &mut Findings) -> Option<RawSecret> {
    let given = table.value(key)?;
    if let DeValue::String(_) | DeValue::Integer(_) = given.value {
        findings.mask(given.at.file, given.at.span.clone());
        let help = format!(
            "Put it into a file that only its owner can read and write `{}`; \
             `env`, `credential` and `command` are the other ways. Then change the secret.",
            key.1
        );
        findings.at(
            &given.at,
            format!("`{}` holds a secret in clear", key.0),
            help,
        );
        return None;
    }
    let mut inner = table.table(key, findings).got()?.value;
    let fields = [ENV, FILE, CREDENTIAL, COMMAND];
    let given = fields
        .iter()
        .filter(|key| inner.value(**key).is_some())
        .count();
    let raw = RawSecret {
        at: inner.at().clone(),
        given,
        env: inner.text(ENV, findings).got(),
        file: inner.text(FILE, findings).got(),
        credential: inner.text(CREDENTIAL, findings).got(),
        command: inner.texts(COMMAND, findings).got(),
    };
    inner.finish(findings);
    Some(raw)
}
