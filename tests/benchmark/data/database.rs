//! Data set P: a database in three states: before, after a day of changes, and with rows added
//! at the end only. What is measured is always named the same; the others wait under names of
//! their own, so that a change of state is a change of names.

use std::{
    cell::Cell,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{chat::Chat, tree::make_whole};
use crate::{error::BenchError, options::Options, program::Runner, server::Server};

/// The database that everybody backs up.
pub(crate) const NAME: &str = "bench";

/// At scale 1.
const MESSAGES: u64 = 1_500_000;
const ACCOUNTS: u64 = 6_000_000;
const LARGE_OBJECTS: u64 = 100;
const PLAIN_DUMP_BYTES: u64 = 1_920_000_000;
/// The plain dump may differ by so many per cent, or it is another data set.
const PLAIN_DUMP_TOLERANCE: u64 = 6;

const TABLES_SQL: &str = include_str!("tables.sql");
const CHAT_SQL: &str = include_str!("chat.sql");
const CHANGE_SQL: &str = include_str!("change.sql");
const ADD_SQL: &str = include_str!("add.sql");

/// A state of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// As it was made.
    Before,
    /// 1 % of the rows of both large tables changed, and 1 % added.
    Changed,
    /// 1 % of the rows added, and nothing else.
    Grown,
}

impl State {
    /// Its database, while another one is placed.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Before => "bench_before",
            Self::Changed => "bench_changed",
            Self::Grown => "bench_grown",
        }
    }
}

/// The database on its server.
pub(crate) struct Database {
    pub(crate) server: Server,
    /// An unencrypted, uncompressed directory dump of the state before.
    pub(crate) dump_folder: PathBuf,
    /// Bytes of the plain dump of the state before.
    pub(crate) plain_bytes: u64,
    placed: Cell<State>,
}

impl Database {
    /// Makes all states; from the dump that a benchmark before this one kept, if there is one.
    pub(crate) fn make(
        options: &Options,
        folder: &Path,
        runner: &Runner,
        server: Server,
    ) -> Result<Self, BenchError> {
        let kept = folder.join(format!("P-{}-{}", options.scale, options.seed));
        let making = Making {
            options,
            runner,
            server: &server,
        };
        make_whole(&kept, |folder| making.generate(folder))?;
        let dump_folder = kept.join("dump");
        // The same rows in the same order, whether the dump is new or not.
        server.renew(NAME)?;
        let mut restore = server.pg_restore(NAME);
        restore.arg("-j2").arg(&dump_folder);
        runner.run(vec![restore])?;
        server.query(NAME, "vacuum analyze")?;
        making.derive()?;
        let plain = runner.read(vec![server.pg_dump(NAME), wc(runner)])?;
        let plain_bytes = number("the size of the dump", &plain)?;
        let expected = options.scale.of(PLAIN_DUMP_BYTES);
        if plain_bytes.abs_diff(expected) > expected / 100 * PLAIN_DUMP_TOLERANCE {
            return Err(BenchError::Wrong(format!(
                "the plain dump has {plain_bytes} bytes and should have about {expected}"
            )));
        }
        Ok(Self {
            server,
            dump_folder,
            plain_bytes,
            placed: Cell::new(State::Before),
        })
    }

    /// Puts a state under the name that everybody backs up.
    pub(crate) fn place(&self, state: State) -> Result<(), BenchError> {
        if state == self.placed.get() {
            return Ok(());
        }
        for (from, to) in [(NAME, self.placed.get().name()), (state.name(), NAME)] {
            let sql = format!("alter database {from} rename to {to}");
            self.server.query("postgres", &sql)?;
        }
        self.placed.set(state);
        Ok(())
    }
}

/// Counts bytes.
fn wc(runner: &Runner) -> Command {
    let mut command = runner.command("wc");
    command.arg("-c");
    command
}

/// A number that a program printed.
fn number(what: &'static str, text: &str) -> Result<u64, BenchError> {
    let text = text.trim();
    text.parse().ok().ok_or_else(|| BenchError::Strange {
        what,
        text: text.to_owned(),
    })
}

/// What making the states needs.
struct Making<'a> {
    options: &'a Options,
    runner: &'a Runner,
    server: &'a Server,
}

impl Making<'_> {
    /// Fills a database, dumps it into `folder`, and drops it.
    fn generate(&self, folder: &Path) -> Result<(), BenchError> {
        let database = "generated";
        self.server.renew(database)?;
        self.script(database, TABLES_SQL)?;
        let messages = self.options.scale.of(MESSAGES);
        let chat = Chat::new(self.options.seed);
        // Chats of the messages that are added later are there before them.
        let with_added = messages + messages / 100 + 1;
        let users = 1..Chat::users(with_added) + 1;
        let chats = 1..Chat::chats(with_added) + 1;
        self.copy(database, "user", |path| {
            chat.write(path, users.clone(), Chat::user)
        })?;
        self.copy(database, "chat", |path| {
            chat.write(path, chats.clone(), Chat::chat)
        })?;
        self.copy(database, "message", |path| {
            chat.write(path, 1..messages + 1, Chat::message)
        })?;
        self.script(database, CHAT_SQL)?;
        let mut dump = self.server.pg_dump(database);
        dump.args(["-Fd", "-Z0", "-j2", "--file"])
            .arg(folder.join("dump"));
        self.runner.run(vec![dump])?;
        self.server.drop_database(database)
    }

    /// Makes the other states out of the one before.
    fn derive(&self) -> Result<(), BenchError> {
        for state in [State::Changed, State::Grown] {
            let name = state.name();
            self.server.drop_database(name)?;
            // Since 15 a copy may or may not go through the log.
            let strategy = if self.server.major() >= 15 {
                "strategy file_copy"
            } else {
                ""
            };
            let sql = format!("create database {name} template {NAME} {strategy}");
            self.server.query("postgres", &sql)?;
            if state == State::Changed {
                self.script(name, CHANGE_SQL)?;
            }
            self.script(name, ADD_SQL)?;
            let chat = Chat::new(self.options.seed);
            let messages = self.options.scale.of(MESSAGES);
            let added = messages + 1..messages + messages / 100 + 2;
            self.copy(name, "message", |path| {
                chat.write(path, added.clone(), Chat::message)
            })?;
        }
        Ok(())
    }

    /// Fills a table from a file that is written for it.
    fn copy(
        &self,
        database: &str,
        table: &str,
        write: impl FnOnce(&Path) -> Result<(), BenchError>,
    ) -> Result<(), BenchError> {
        let path = self.runner.home.join(format!("{table}.rows"));
        write(&path)?;
        let mut psql = self.server.psql(database);
        psql.args([
            "-c",
            &format!("\\copy \"{table}\" from '{}'", path.display()),
        ]);
        self.runner.run(vec![psql])?;
        fs::remove_file(&path).map_err(BenchError::io("remove", &path))
    }

    fn script(&self, database: &str, sql: &str) -> Result<(), BenchError> {
        let path = self.runner.home.join("script.sql");
        fs::write(&path, sql).map_err(BenchError::io("write", &path))?;
        let accounts = self.options.scale.of(ACCOUNTS);
        let mut psql = self.server.psql(database);
        for (name, value) in [
            ("accounts", accounts),
            ("branches", accounts.div_ceil(100_000)),
            ("objects", self.options.scale.of(LARGE_OBJECTS)),
            ("seed", self.options.seed),
        ] {
            psql.args(["-v", &format!("{name}={value}")]);
        }
        psql.arg("-f").arg(&path);
        self.runner.run(vec![psql]).map(drop)
    }
}
