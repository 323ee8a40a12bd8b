//! The world of a test: a server with a database, a folder, a repository, its keys, and a
//! configuration that names them. All of it is new, and gone afterwards.
//!
//! Whatever a program prints in it is searched for the world's secrets.

use std::{
    fs,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::Command,
};

use backup_core::postgres::{Host, Programs, ScratchCluster};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use crate::program::{Ran, backupctl, clean, stock};

/// The one job of the configuration.
pub(crate) const JOB: &str = "app";

/// A small database: what a dump treats in its own way, and little of it.
const SMALL: &str = r#"
create role reader;
create table note (id serial primary key, title text not null, body bytea);
insert into note (title, body)
    select 'note ' || n, decode(md5(n::text), 'hex') from generate_series(1, 2000) n;
create index on note (title);
create view titles as select title from note;
create function twice(n int) returns int language sql immutable as 'select 2 * n';
create table "Odd "" name" (v text);
insert into "Odd "" name" values (E'tab\t, line\n, ü');
select lo_from_bytea(0, 'a large object');
grant select on note to reader;
"#;

/// A server, a repository and a configuration.
pub(crate) struct World {
    program: PathBuf,
    /// Its folder; `$W` in scripts.
    pub(crate) dir: PathBuf,
    /// The root public key: what the repository must be signed by.
    pub(crate) trust: String,
    socket: PathBuf,
    password: String,
    secrets: Vec<String>,
    // In this order: the server ends before its folder goes.
    _cluster: ScratchCluster,
    _folder: TempDir,
}

impl World {
    /// A world with a small database `app` and a folder `src` with some files.
    pub(crate) fn new() -> Self {
        let world = Self::empty();
        world.psql("app", SMALL);
        let src = world.dir.join("src");
        fs::create_dir(&src).unwrap();
        fs::write(src.join("settings.toml"), "colour = \"blue\"\n").unwrap();
        fs::write(src.join(".env"), "PORT=8080\n").unwrap();
        world
    }

    /// A world whose database `app` is empty, and whose folder `src` is not there yet.
    pub(crate) fn empty() -> Self {
        let program = backupctl();
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().to_owned();
        // The server is not root, and its socket is below.
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        let (cluster, socket, password) = start(&dir);
        let mut world = Self {
            program,
            dir,
            trust: String::new(),
            socket,
            secrets: vec![password.clone()],
            password,
            _cluster: cluster,
            _folder: folder,
        };
        write_private(&world.dir.join("pg.password"), &world.password);
        fs::create_dir(world.dir.join("tmp")).unwrap();
        world.psql("postgres", "create database app");
        world.init();
        let config = world.config();
        fs::write(world.dir.join("config.toml"), config).unwrap();
        world
    }

    fn init(&mut self) {
        let [repo, keys, state] = ["repo", "keys", "state"].map(|name| self.dir.join(name));
        let mut command = clean(&self.program);
        command.args(["init", "--json", "--repository"]);
        command.arg(repo).arg("--keys").arg(&keys);
        command.arg("--state").arg(state);
        let made = Ran::of(command).expect(0).message("init");
        made["trust"].as_str().unwrap().clone_into(&mut self.trust);
        for name in ["admin.key", "root.key"] {
            let text = fs::read_to_string(keys.join(name)).unwrap();
            let secret = text.lines().last().unwrap().to_owned();
            assert!(secret.len() > 40, "{name} has no secret");
            self.secrets.push(secret);
        }
        assert!(holds_no_secret(&made.to_string(), &self.secrets));
    }

    fn config(&self) -> String {
        format!(
            r#"version = 1
state = "{dir}/state"

[repository.main]
url = "file://{dir}/repo"
trust = "{trust}"

[job.{JOB}]
[[job.{JOB}.source]]
kind = "postgres"
connection = {{ host = "{socket}", user = "postgres", dbname = "app" }}
password = {{ file = "{dir}/pg.password" }}

[[job.{JOB}.source]]
kind = "files"
name = "config"
paths = ["{dir}/src"]
"#,
            dir = self.dir.display(),
            trust = self.trust,
            socket = self.socket.display(),
        )
    }

    /// The folder of the server's socket.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// The password of the server's user `postgres`.
    pub(crate) fn password(&self) -> &str {
        &self.password
    }

    /// The real program.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Replaces the job's sources; `§` begins one with its kind.
    pub(crate) fn sources(&self, sources: &str) {
        let path = self.dir.join("config.toml");
        let text = fs::read_to_string(&path).unwrap();
        let (head, _) = text.split_once("[[job.").unwrap();
        let sources = sources.replace('§', &format!("[[job.{JOB}.source]]\nkind = "));
        fs::write(path, format!("{head}{sources}")).unwrap();
    }

    /// Adds a table `[defaults]` with this policy, by the calendar of Berlin; in the place of the
    /// one that was added before.
    pub(crate) fn policy(&self, policy: &str) {
        let path = self.dir.join("config.toml");
        let text = fs::read_to_string(&path).unwrap();
        let (head, _) = text.split_once("\n[defaults]").unwrap_or((&text, ""));
        let defaults = format!("timezone = \"Europe/Berlin\"\nretention = {{ {policy} }}\n");
        fs::write(path, format!("{head}\n[defaults]\n{defaults}")).unwrap();
    }

    /// The administrator's identity file.
    pub(crate) fn identity(&self) -> String {
        self.path("keys/admin.key")
    }

    /// A path in the world's folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    /// Runs `backupctl` with the world's configuration.
    pub(crate) fn backupctl(&self, args: &[&str]) -> Ran {
        let mut command = clean(&self.program);
        command.arg("--config").arg(self.path("config.toml"));
        command.args(args);
        self.run(command)
    }

    /// The same, with the administrator's identity.
    pub(crate) fn as_admin(&self, args: &[&str]) -> Ran {
        let identity = self.identity();
        self.backupctl(&[args, &["--identity", &identity]].concat())
    }

    /// Fails the test when something was left where temporary files are.
    #[track_caller]
    pub(crate) fn assert_tidy(&self) {
        let left: Vec<_> = fs::read_dir(self.dir.join("tmp")).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }

    /// Backs up, and gives the report.
    pub(crate) fn backup(&self) -> serde_json::Value {
        let ran = self.backupctl(&["--json", "backup", JOB]);
        ran.expect(0).message("backup")
    }

    /// Runs a script with `$BACKUPCTL`, `$W`, `$TRUST`, `$ID`, and what else is given. A script
    /// that takes more than two minutes hangs, and is ended.
    pub(crate) fn shell(&self, script: &str, variables: &[(&str, &str)]) -> Ran {
        let mut command = stock("timeout");
        command.args(["120", "sh", "-c", script]);
        command
            .env("BACKUPCTL", &self.program)
            .env("W", &self.dir)
            .env("TRUST", &self.trust)
            .env("ID", self.identity())
            .envs(variables.iter().copied());
        self.run(command)
    }

    /// Runs SQL.
    pub(crate) fn psql(&self, database: &str, sql: &str) -> String {
        let mut command = self.client("psql", database);
        command.args(["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-c", sql]);
        Ran::of(command).expect(0).text()
    }

    /// Runs a file of SQL.
    pub(crate) fn psql_file(&self, database: &str, file: &Path) {
        let mut command = self.client("psql", database);
        command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"]);
        command.arg(file);
        Ran::of(command).expect(0);
    }

    /// A database as SQL, without what differs from dump to dump: words against injection, and
    /// the order of rows, which is no property of a table.
    pub(crate) fn dumped(&self, database: &str) -> String {
        let sql = Ran::of(self.client("pg_dump", database)).expect(0).text();
        let mut kept = Vec::new();
        let mut rows = None;
        for line in sql.lines() {
            if line == "\\." {
                let from = rows.take().unwrap_or(kept.len());
                kept[from..].sort_unstable();
            }
            if !line.starts_with("\\restrict ") && !line.starts_with("\\unrestrict ") {
                kept.push(line);
            }
            if line.starts_with("COPY ") && line.ends_with(" FROM stdin;") {
                rows = Some(kept.len());
            }
        }
        kept.join("\n")
    }

    /// A database's URL, without the password.
    pub(crate) fn url(&self, database: &str) -> String {
        let socket = self.socket.display();
        format!("postgres://postgres@localhost/{database}?host={socket}")
    }

    /// A client program that finds the server.
    pub(crate) fn client(&self, program: &str, database: &str) -> Command {
        let mut command = stock(program);
        command
            .env("PGHOST", &self.socket)
            .env("PGUSER", "postgres")
            .env("PGPASSWORD", &self.password)
            .env("PGDATABASE", database);
        command
    }

    /// Runs a command; fails the test when a secret is in what it prints.
    #[track_caller]
    pub(crate) fn run(&self, mut command: Command) -> Ran {
        command.env("TMPDIR", self.dir.join("tmp"));
        let ran = Ran::of(command);
        for text in [&ran.text(), &ran.stderr] {
            assert!(
                holds_no_secret(text, &self.secrets),
                "a secret was printed by {}",
                ran.line
            );
        }
        ran
    }
}

fn holds_no_secret(text: &str, secrets: &[String]) -> bool {
    // A hint may name the start of every identity; what follows it must be no key.
    let mut keys = text.split("AGE-SECRET-KEY-1").skip(1);
    !keys.any(|rest| rest.starts_with(|letter: char| letter.is_ascii_alphanumeric()))
        && !secrets.iter().any(|secret| text.contains(secret))
}

fn start(dir: &Path) -> (ScratchCluster, PathBuf, String) {
    let programs = Programs::find(None, &[]).unwrap_or_else(|error| {
        panic!("{error}: sudo apt-get install --no-install-recommends postgresql")
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cluster = runtime.block_on(ScratchCluster::start(&programs, dir));
    let cluster = cluster.unwrap();
    let connection = cluster.connection("postgres");
    let Host::Socket(socket) = connection.host else {
        panic!("the scratch cluster has no socket");
    };
    let password = connection.password.unwrap().expose_secret().to_owned();
    (cluster, socket, password)
}

/// A file that only its owner can read.
fn write_private(path: &Path, text: &str) {
    let mut options = fs::File::options();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    std::io::Write::write_all(&mut file.unwrap(), text.as_bytes()).unwrap();
}
