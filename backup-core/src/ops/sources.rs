//! The sources of a backup: servers are asked first, then one source is read after another into
//! the snapshot that is being assembled.

use std::{io, sync::Arc, time::Duration};

use backup_model::{Code, DatabaseFacts, Event, Failure, FilesFacts, Phase, Progress, StreamKind};
use tokio_util::sync::CancellationToken;

use super::{BackupJob, OpError};
use crate::{
    format::{Entry, Node},
    pipeline::{Assembled, Assembly, FilesWriter, NewStream, Observer},
    postgres::{Connection, Programs},
    source::{
        command::{self, CommandSpec},
        files::{self, EntrySink, FilesSpec},
        postgres,
    },
};

/// What is read.
#[derive(Clone, Debug)]
pub enum Source {
    /// A database, and the roles around it.
    Postgres(Box<PostgresSource>),
    /// Folders.
    Files {
        /// The source's name, from which the stream gets its own.
        name: String,
        /// What to read.
        spec: FilesSpec,
    },
    /// What a command writes.
    Command {
        /// The source's name, from which the stream gets its own.
        name: String,
        /// What to run.
        spec: CommandSpec,
    },
}

/// A database as a source.
#[derive(Clone, Debug)]
pub struct PostgresSource {
    /// The source's name, from which streams get theirs.
    pub name: String,
    /// The database.
    pub connection: Connection,
    /// The programs that dump it.
    pub programs: Programs,
    /// Whether to take roles and tablespaces along.
    pub globals: bool,
    /// A dump that writes nothing for so long is given up.
    pub stall: Duration,
}

/// What was noticed while reading.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) complete: bool,
    pub(super) warnings: Vec<Failure>,
}

/// A source whose server, if it has one, has answered.
pub(super) enum Prepared {
    Postgres(Box<PostgresSource>, Box<DatabaseFacts>),
    Files { name: String, spec: FilesSpec },
    Command { name: String, spec: CommandSpec },
}

/// Asks all servers before anything is read: a wrong password should not show up an hour later.
pub(super) async fn prepare(job: &BackupJob) -> Result<Vec<Prepared>, OpError> {
    let mut prepared = Vec::new();
    for source in job.sources.iter().cloned() {
        prepared.push(match source {
            Source::Files { name, spec } => Prepared::Files { name, spec },
            Source::Command { name, spec } => Prepared::Command { name, spec },
            Source::Postgres(source) => {
                let facts = postgres::facts(&source.connection, &source.programs).await;
                let facts = facts.map_err(|error| OpError::Facts {
                    name: source.name.clone(),
                    source: error,
                })?;
                Prepared::Postgres(source, Box::new(facts))
            }
        });
    }
    Ok(prepared)
}

/// Reads one source after another. Blocks; runs on a thread of its own.
pub(super) fn read_sources(
    sources: Vec<Prepared>,
    mut assembly: Assembly,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<(Assembled, Outcome), OpError> {
    let mut outcome = Outcome {
        complete: true,
        warnings: Vec::new(),
    };
    for source in sources {
        match source {
            Prepared::Files { name, spec } => {
                let facts = read_files(&mut assembly, &name, &spec, progress, cancel)?;
                note_unreadable(&facts, &mut outcome);
            }
            Prepared::Command { name, spec } => {
                let warnings = read_command(&mut assembly, &name, &spec, progress, cancel)?;
                outcome.warnings.extend(warnings);
            }
            Prepared::Postgres(source, facts) => {
                let warnings = read_database(&mut assembly, &source, &facts, progress, cancel)?;
                outcome.warnings.extend(warnings);
            }
        }
    }
    Ok((assembly.finish()?, outcome))
}

/// The dump, and roles and tablespaces if they are wanted.
fn read_database(
    assembly: &mut Assembly,
    source: &PostgresSource,
    facts: &DatabaseFacts,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<Vec<Failure>, OpError> {
    let PostgresSource {
        name,
        connection,
        programs,
        globals,
        stall,
    } = source;
    let stream = new_stream(StreamKind::Postgres, format!("{name}.dump"));
    let object = stream.name.clone();
    let observer = observe(progress, &object, Some(facts.size_bytes));
    let mut warnings = assembly.store(stream, observer, |out| {
        postgres::dump(connection, programs, facts, *stall, out, cancel)
            .map(|summary| (summary.warnings, to_json(facts)))
            .map_err(|error| OpError::dump(name, error))
    })?;
    ended(progress, &object);
    if *globals {
        let stream = new_stream(StreamKind::Globals, format!("{name}.globals.sql"));
        let more = assembly.store(stream, Box::new(|_| ()), |out| {
            postgres::globals(connection, programs, *stall, out, cancel)
                .map(|summary| (summary.warnings, None))
                .map_err(|error| OpError::dump(name, error))
        })?;
        warnings.extend(more);
    }
    Ok(warnings)
}

/// What a command writes, as one stream.
fn read_command(
    assembly: &mut Assembly,
    name: &str,
    spec: &CommandSpec,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<Vec<Failure>, OpError> {
    let stream = new_stream(StreamKind::Command, format!("{name}.out"));
    let object = stream.name.clone();
    let observer = observe(progress, &object, None);
    let warnings = assembly.store(stream, observer, |out| {
        command::command(spec, out, cancel)
            .map(|summary| (summary.warnings, None))
            .map_err(|error| OpError::command(name, error))
    })?;
    ended(progress, &object);
    Ok(warnings)
}

fn read_files(
    assembly: &mut Assembly,
    name: &str,
    spec: &FilesSpec,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<FilesFacts, OpError> {
    let stream = new_stream(StreamKind::Files, format!("{name}.tar"));
    let object = stream.name.clone();
    let observer = observe(progress, &object, None);
    let facts = assembly.store_files(stream, observer, |out| {
        files::archive(spec, &mut TarSink(out), cancel)
            .map(|facts| (facts.clone(), to_json(&facts)))
            .map_err(|error| OpError::files(name, error))
    })?;
    ended(progress, &object);
    Ok(facts)
}

/// Hands a tar and its entries to the pipeline.
struct TarSink<'a, 'b>(&'a mut FilesWriter<'b>);

impl io::Write for TarSink<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl EntrySink for TarSink<'_, '_> {
    fn end_entry(&mut self, entry: &Entry) -> io::Result<()> {
        let line = entry.to_line();
        self.0
            .end_entry(&line, &entry.sha256)
            .map_err(io::Error::other)
    }

    fn take_over(&mut self, _: &Node) -> io::Result<bool> {
        Ok(false)
    }
}

fn note_unreadable(facts: &FilesFacts, outcome: &mut Outcome) {
    if facts.unreadable == 0 {
        return;
    }
    outcome.complete = false;
    let text = format!("{} things could not be read", facts.unreadable);
    outcome.warnings.push(Failure {
        causes: facts
            .examples
            .iter()
            .map(|example| format!("{}: {}", example.path, example.error))
            .collect(),
        ..Failure::new(Code::Source, text)
    });
}

fn new_stream(kind: StreamKind, name: String) -> NewStream {
    NewStream { kind, name }
}

fn observe(progress: &Arc<dyn Progress>, object: &str, total_bytes: Option<u64>) -> Observer {
    progress.event(Event::Began {
        phase: Phase::Store,
        object: object.to_owned(),
        total_bytes,
    });
    let (progress, object) = (Arc::clone(progress), object.to_owned());
    Box::new(move |done_bytes| {
        progress.event(Event::Advanced {
            object: object.clone(),
            done_bytes,
            stored_bytes: 0,
        });
    })
}

fn ended(progress: &Arc<dyn Progress>, object: &str) {
    progress.event(Event::Ended {
        object: object.to_owned(),
    });
}

fn to_json<T: serde::Serialize>(facts: &T) -> Option<serde_json::Value> {
    serde_json::to_value(facts).ok()
}
