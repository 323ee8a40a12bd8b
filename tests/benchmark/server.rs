//! The throw-away PostgreSQL server that data set P lives on and is restored into.
//!
//! It has given up durability for speed, the same for everybody who is measured.

use std::{fs, path::Path, path::PathBuf, process::Command};

use backup_core::postgres::{Host, Programs, ScratchCluster};
use secrecy::ExposeSecret as _;
use tokio::runtime::Runtime;

use crate::{error::BenchError, program::Runner};

/// A running server.
pub(crate) struct Server {
    runner: Runner,
    programs: Programs,
    /// The folder of its socket.
    pub(crate) socket: PathBuf,
    password: String,
    // The server needs it to be stopped.
    runtime: Runtime,
    cluster: ScratchCluster,
}

impl Server {
    /// Starts one below `parent`.
    pub(crate) fn start(runner: &Runner, parent: &Path) -> Result<Self, BenchError> {
        let programs = Programs::find(None, &[]).map_err(BenchError::Programs)?;
        let runtime = Runtime::new().map_err(BenchError::io("run in", parent))?;
        let cluster = runtime
            .block_on(ScratchCluster::start(&programs, parent))
            .map_err(BenchError::Server)?;
        let connection = cluster.connection("postgres");
        let (Host::Socket(socket), Some(password)) = (connection.host, connection.password) else {
            return Err(BenchError::Strange {
                what: "the throw-away server's address",
                text: String::new(),
            });
        };
        Ok(Self {
            runner: runner.clone(),
            programs,
            socket,
            password: password.expose_secret().to_owned(),
            runtime,
            cluster,
        })
    }

    /// Stops it and removes all that is in it.
    pub(crate) fn stop(self) -> Result<(), BenchError> {
        self.runtime
            .block_on(self.cluster.stop())
            .map_err(BenchError::Server)
    }

    /// Writes its password to a file that only we can read.
    pub(crate) fn write_password(&self, path: &Path) -> Result<(), BenchError> {
        use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
        let mut options = fs::File::options();
        options.write(true).create(true).truncate(true).mode(0o600);
        options
            .open(path)
            .and_then(|mut file| file.write_all(self.password.as_bytes()))
            .map_err(BenchError::io("write", path))
    }

    /// The major version.
    pub(crate) fn major(&self) -> u32 {
        self.programs.version().major
    }

    /// `pg_dump` of a database.
    pub(crate) fn pg_dump(&self, database: &str) -> Command {
        self.client(self.programs.pg_dump(), database)
    }

    /// `pg_restore` into a database.
    pub(crate) fn pg_restore(&self, database: &str) -> Command {
        let mut command = self.client(self.programs.pg_restore(), database);
        command.args(["--exit-on-error", "--dbname", database]);
        command
    }

    /// `psql`, which stops at the first error.
    pub(crate) fn psql(&self, database: &str) -> Command {
        // Beside `pg_dump`, so that all are of one version.
        let psql = self.programs.pg_dump().with_file_name("psql");
        let mut command = self.client(&psql, database);
        command.args(["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1"]);
        command
    }

    /// Runs a statement and gives what it answers.
    pub(crate) fn query(&self, database: &str, sql: &str) -> Result<String, BenchError> {
        let mut command = self.psql(database);
        command.args(["-c", sql]);
        self.runner.read(vec![command])
    }

    /// Makes an empty database, in place of one of that name.
    pub(crate) fn renew(&self, database: &str) -> Result<(), BenchError> {
        self.drop_database(database)?;
        let sql = format!("create database {database} template template0");
        self.query("postgres", &sql).map(drop)
    }

    pub(crate) fn drop_database(&self, database: &str) -> Result<(), BenchError> {
        let sql = format!("drop database if exists {database}");
        self.query("postgres", &sql).map(drop)
    }

    fn client(&self, program: &Path, database: &str) -> Command {
        let mut command = self.runner.command(program);
        command
            .env("PGHOST", &self.socket)
            .env("PGUSER", "postgres")
            .env("PGPASSWORD", &self.password)
            .env("PGDATABASE", database);
        command
    }
}
