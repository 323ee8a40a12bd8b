//! Makes a database, fills it from an archive, and gives it its name or removes it.
//!
//! Dropping a [`DatabaseTarget`] leaves the temporary database: talking to a server cannot be
//! done in a drop. Whoever creates one must call `publish` or `abandon`; after a crash the
//! left-over is named by [`preflight`](super::preflight).

use std::{
    io::{self, Read, Write as _},
    process::Stdio,
};

use backup_model::{Code, DatabaseFacts, Failure};
use tokio_postgres::error::SqlState;
use tokio_util::sync::CancellationToken;

use crate::{
    child::{ChildError, Running},
    postgres::{Connection, ConnectionError, Programs, Said, environment::ChildEnvironment, said},
};

/// The server cuts longer names without asking.
const NAME_BYTES: usize = 63;
const SUFFIX: &str = ".partial";
const PIECE_BYTES: usize = 1 << 18;

/// Why a database was not restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// No session, or a query failed.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// No database can have this name.
    #[error("`{name}` cannot be the name of a database: 1 to {NAME_BYTES} bytes, none of them NUL")]
    Name {
        /// The name.
        name: String,
    },
    /// There is such a database, or a left-over of an earlier restore.
    #[error("there is a database `{name}` already")]
    Exists {
        /// The database that is in the way.
        name: String,
    },
    /// Somebody is connected to the database that is to be replaced.
    #[error(
        "`{name}` is in use and is as it was: end all connections to it, keep new ones out, and \
         restore again"
    )]
    InUse {
        /// The database.
        name: String,
        /// What the server said.
        #[source]
        source: Said,
    },
    /// The server does not make a database like this.
    #[error("the server does not create the database `{name}`")]
    Refused {
        /// The temporary database.
        name: String,
        /// What the server said.
        #[source]
        source: Said,
    },
    /// `pg_restore` failed.
    #[error(transparent)]
    Program(#[from] ChildError),
    /// The archive could not be read to its end; `pg_restore` was stopped.
    #[error("cannot read the archive to its end")]
    Read(#[source] io::Error),
    /// The archive could not be handed to `pg_restore`.
    #[error("cannot write to `pg_restore`")]
    Pipe(#[source] io::Error),
    /// Stopped on request.
    #[error("the restore was cancelled")]
    Cancelled,
}

impl TargetError {
    /// The stable code. `Read` has none of its own: ask its source.
    pub fn code(&self) -> Code {
        match self {
            Self::Connection(error) => error.code(),
            Self::Name { .. } | Self::Refused { .. } | Self::InUse { .. } => Code::TargetRefused,
            Self::Exists { .. } => Code::TargetNotEmpty,
            Self::Program(ChildError::Start { .. }) => Code::ProgramMissing,
            Self::Program(_) | Self::Pipe(_) => Code::PgRestore,
            Self::Read(_) => Code::Damaged,
            Self::Cancelled => Code::Interrupted,
        }
    }
}

/// What was restored into the temporary database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// Bytes of the archive, read to its end.
    pub read_bytes: u64,
    /// What `pg_restore` said although it succeeded.
    pub warnings: Vec<Failure>,
}

/// A database that is being made.
#[derive(Clone, Debug)]
pub struct DatabaseTarget {
    maintenance: Connection,
    name: String,
    partial: String,
}

impl DatabaseTarget {
    /// Creates the temporary database, for what will be `name`, with the encoding and locale of
    /// `facts`. `maintenance` is a connection to another database of the server.
    pub async fn create(
        maintenance: &Connection,
        name: &str,
        facts: &DatabaseFacts,
    ) -> Result<Self, TargetError> {
        Self::create_unless(maintenance, name, facts, &[name]).await
    }

    /// The same for a `name` that a database may have, which then is to be replaced.
    pub async fn create_beside(
        maintenance: &Connection,
        name: &str,
        facts: &DatabaseFacts,
    ) -> Result<Self, TargetError> {
        Self::create_unless(maintenance, name, facts, &[]).await
    }

    async fn create_unless(
        maintenance: &Connection,
        name: &str,
        facts: &DatabaseFacts,
        others: &[&str],
    ) -> Result<Self, TargetError> {
        let partial = partial_name(name)?;
        let session = maintenance.connect().await?;
        let client = session.client();
        let taken = [others, &[partial.as_str()]].concat();
        let known = client
            .query_opt(
                "select datname::text from pg_database where datname::text = any($1) limit 1",
                &[&taken],
            )
            .await
            .map_err(ConnectionError::query("list the databases"))?;
        if let Some(row) = known {
            return Err(TargetError::Exists { name: row.get(0) });
        }
        // No connection is allowed until the public may not connect: there is no moment at which
        // a stranger could get in.
        let made = client
            .batch_execute(&format!(
                "create database {} template template0 encoding {} lc_collate {} lc_ctype {} \
                 allow_connections false",
                identifier(&partial),
                literal(&facts.encoding),
                literal(&facts.collate),
                literal(&facts.ctype),
            ))
            .await;
        made.map_err(|source| match source.code() {
            Some(&SqlState::DUPLICATE_DATABASE) => TargetError::Exists {
                name: partial.clone(),
            },
            _ => TargetError::Refused {
                name: partial.clone(),
                source: said(source),
            },
        })?;
        let target = Self {
            maintenance: maintenance.clone(),
            name: name.to_owned(),
            partial,
        };
        let database = identifier(&target.partial);
        let closed = client
            .batch_execute(&format!(
                "revoke connect on database {database} from public; \
                 alter database {database} allow_connections true"
            ))
            .await;
        if let Err(source) = closed {
            // The first error is the one to tell; a left-over is found by the next preflight.
            target.abandon().await.ok();
            let what = "close the new database to others";
            return Err(ConnectionError::query(what)(source).into());
        }
        Ok(target)
    }

    pub(super) const fn maintenance(&self) -> &Connection {
        &self.maintenance
    }

    /// The name that the database has until it is published.
    pub fn partial_name(&self) -> &str {
        &self.partial
    }

    /// The name that it will have.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A connection to the temporary database.
    pub fn connection(&self) -> Connection {
        self.maintenance.with_database(&self.partial)
    }

    /// Restores an archive, read to its end, into the temporary database. Blocks; for a plain
    /// thread. With `no_owner` everything belongs to the connection's user and nothing is granted
    /// to anybody, so that no role of the archive has to exist.
    ///
    /// An error of `archive` is returned as it is, whatever `pg_restore` says about the stream
    /// that then fell short.
    pub fn fill(
        &self,
        programs: &Programs,
        archive: &mut dyn Read,
        no_owner: bool,
        cancel: &CancellationToken,
    ) -> Result<Filled, TargetError> {
        let environment = ChildEnvironment::new(&self.connection())?;
        let mut command = environment.command(programs.pg_restore())?;
        // The empty name makes it a restore, and stands for the database in the environment.
        command
            .args(["--dbname=", "--exit-on-error", "--no-password"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        if no_owner {
            command.args(["--no-owner", "--no-privileges"]);
        }
        let mut running = Running::start("pg_restore", command, cancel)?;
        let fed = feed(&mut running, archive, cancel);
        if fed.is_err() {
            running.stop();
        }
        let ended = running.end();
        let read_bytes = match fed {
            Err(TargetError::Pipe(_)) | Ok(_) if cancel.is_cancelled() && ended.is_err() => {
                return Err(TargetError::Cancelled);
            }
            other => other?,
        };
        let stderr = ended?;
        // It may have stopped reading after the last block it wanted; the rest still has to be
        // read, or nobody would learn that it is damaged.
        let rest = io::copy(archive, &mut io::sink()).map_err(TargetError::Read)?;
        Ok(Filled {
            read_bytes: read_bytes + rest,
            warnings: Vec::from_iter(stderr.warning(Code::PgRestore, "pg_restore")),
        })
    }

    /// Gives the database its name and lets everybody connect who could to a new one.
    ///
    /// Both in one transaction: the server has transactional renames and grants. A rename first
    /// and alone could leave a finished database closed; a grant first could let somebody in, and
    /// a database with connections cannot be renamed. The rename's lock keeps everybody out until
    /// the commit. If the name was taken meanwhile, the server refuses and nothing has changed.
    pub async fn publish(&self) -> Result<(), TargetError> {
        let session = self.maintenance.connect().await?;
        let (partial, name) = (identifier(&self.partial), identifier(&self.name));
        let renamed = session
            .client()
            .batch_execute(&format!(
                "begin; alter database {partial} rename to {name}; \
                 grant connect on database {name} to public; commit"
            ))
            .await;
        renamed.map_err(|source| match source.code() {
            Some(&SqlState::DUPLICATE_DATABASE) => TargetError::Exists {
                name: self.name.clone(),
            },
            _ => ConnectionError::query("give the database its name")(source).into(),
        })
    }

    /// Removes the temporary database, if it is there, also from under a session that a killed
    /// `pg_restore` left busy.
    pub async fn abandon(&self) -> Result<(), TargetError> {
        let session = self.maintenance.connect().await?;
        let drop = format!("drop database if exists {}", identifier(&self.partial));
        let forced = format!("{drop} with (force)");
        let dropped = match session.client().batch_execute(&forced).await {
            // PostgreSQL 12 cannot: it waits some seconds for sessions to end.
            Err(error) if error.code() == Some(&SqlState::SYNTAX_ERROR) => {
                session.client().batch_execute(&drop).await
            }
            other => other,
        };
        dropped.map_err(ConnectionError::query("drop the unfinished database"))?;
        Ok(())
    }
}

/// Hands the archive over; tells how much of it was read.
fn feed(
    running: &mut Running,
    archive: &mut dyn Read,
    cancel: &CancellationToken,
) -> Result<u64, TargetError> {
    let mut pipe = running
        .take_stdin()
        .expect("standard input was just asked to be a pipe");
    let mut piece = vec![0; PIECE_BYTES];
    let mut read_bytes = 0;
    while !cancel.is_cancelled() {
        let len = match archive.read(&mut piece) {
            Ok(0) => break,
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(TargetError::Read(error)),
        };
        read_bytes += len as u64;
        match pipe.write_all(&piece[..len]) {
            Ok(()) => {}
            // It takes no more: done, or about to say why not.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            Err(error) => return Err(TargetError::Pipe(error)),
        }
    }
    Ok(read_bytes)
}

/// `<name>.partial`; a name too long for that is cut, and told apart by a digest of the whole.
pub(super) fn partial_name(name: &str) -> Result<String, TargetError> {
    if name.is_empty() || name.len() > NAME_BYTES || name.contains('\0') {
        let name = name.to_owned();
        return Err(TargetError::Name { name });
    }
    if name.len() + SUFFIX.len() <= NAME_BYTES {
        return Ok(format!("{name}{SUFFIX}"));
    }
    let digest = blake3::hash(name.as_bytes()).to_hex();
    let cut = name.floor_char_boundary(NAME_BYTES - SUFFIX.len() - 9);
    Ok(format!("{}~{}{SUFFIX}", &name[..cut], &digest[..8]))
}

pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A string that means the same whether or not backslashes are special to the server.
pub(super) fn literal(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('\'', "''");
    format!(" E'{text}'")
}
