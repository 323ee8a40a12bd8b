//! The sources of a backup: servers are asked first, then sources are read side by side into the
//! snapshot that is being assembled.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use backup_model::{Code, DatabaseFacts, Event, Failure, FilesFacts, Phase, Progress, StreamKind};
use tokio_util::sync::CancellationToken;

use super::{BackupJob, OpError};
use crate::{
    format::{Entry, Node},
    pipeline::{
        Assembled, Assembly, FilesWriter, NewStream, Observer, PipelineError, StoredStream,
    },
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

/// So many sources are read at once: each takes the memory of a pack.
const READERS: usize = 2;

/// What one source gave.
struct Read {
    streams: Vec<StoredStream>,
    warnings: Vec<Failure>,
    complete: bool,
}

/// Reads the sources side by side. Blocks; runs on a thread of its own. The first failure stops
/// the others, and is the one that is told.
pub(super) fn read_sources(
    sources: Vec<Prepared>,
    assembly: Assembly,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<(Assembled, Outcome), OpError> {
    let cancel = cancel.child_token();
    let readers = READERS.min(sources.len());
    let queue = Mutex::new(sources.into_iter().enumerate());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let done: Mutex<BTreeMap<usize, Read>> = Mutex::default();
    let failed: Mutex<Option<OpError>> = Mutex::default();
    let fail = |error| {
        let mut first = failed.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(error);
        cancel.cancel();
    };
    let read_all = || {
        while let Some((number, source)) = next().filter(|_| !cancel.is_cancelled()) {
            match read_source(&assembly, source, progress, &cancel) {
                Ok(read) => {
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.insert(number, read);
                }
                Err(error) => fail(error),
            }
        }
    };
    thread::scope(|scope| {
        for number in 0..readers {
            let name = format!("source-{number}");
            let started = thread::Builder::new()
                .name(name)
                .spawn_scoped(scope, read_all);
            if let Err(error) = started {
                fail(PipelineError::Thread(error).into());
            }
        }
    });
    if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    if cancel.is_cancelled() {
        return Err(OpError::Cancelled);
    }
    let mut outcome = Outcome {
        complete: true,
        warnings: Vec::new(),
    };
    let mut streams = Vec::new();
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    for read in done.into_values() {
        outcome.complete &= read.complete;
        outcome.warnings.extend(read.warnings);
        streams.extend(read.streams);
    }
    Ok((assembly.finish(streams)?, outcome))
}

fn read_source(
    assembly: &Assembly,
    source: Prepared,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<Read, OpError> {
    match source {
        Prepared::Files { name, spec } => {
            let (facts, stream) = read_files(assembly, &name, &spec, progress, cancel)?;
            Ok(Read {
                streams: vec![stream],
                warnings: Vec::from_iter(unreadable(&name, &facts)),
                complete: facts.unreadable == 0,
            })
        }
        Prepared::Command { name, spec } => {
            let (warnings, stream) = read_command(assembly, &name, &spec, progress, cancel)?;
            Ok(Read {
                streams: vec![stream],
                warnings,
                complete: true,
            })
        }
        Prepared::Postgres(source, facts) => {
            read_database(assembly, &source, &facts, progress, cancel)
        }
    }
}

/// The dump, and roles and tablespaces if they are wanted.
fn read_database(
    assembly: &Assembly,
    source: &PostgresSource,
    facts: &DatabaseFacts,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<Read, OpError> {
    let PostgresSource {
        name,
        connection,
        programs,
        globals,
        stall,
    } = source;
    let stream = NewStream {
        kind: StreamKind::Postgres,
        name: format!("{name}.dump"),
        expected_bytes: facts.size_bytes,
    };
    let object = stream.name.clone();
    let observer = observe(progress, &object, Some(facts.size_bytes));
    let (mut warnings, stream) = assembly.store(stream, observer, |out| {
        postgres::dump(connection, programs, facts, *stall, out, cancel)
            .map(|summary| (summary.warnings, to_json(facts)))
            .map_err(|error| OpError::dump(name, error))
    })?;
    ended(progress, &object);
    let mut streams = vec![stream];
    if *globals {
        let stream = NewStream {
            kind: StreamKind::Globals,
            name: format!("{name}.globals.sql"),
            expected_bytes: 0,
        };
        let mut sql = Vec::new();
        let summary = postgres::globals(connection, programs, *stall, &mut sql, cancel)
            .map_err(|error| OpError::dump(name, error))?;
        streams.push(assembly.store_small(stream, &sql)?);
        warnings.extend(summary.warnings);
    }
    Ok(Read {
        streams,
        warnings,
        complete: true,
    })
}

/// What a command writes, as one stream.
fn read_command(
    assembly: &Assembly,
    name: &str,
    spec: &CommandSpec,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<(Vec<Failure>, StoredStream), OpError> {
    let stream = NewStream {
        kind: StreamKind::Command,
        name: format!("{name}.out"),
        expected_bytes: 0,
    };
    let object = stream.name.clone();
    let observer = observe(progress, &object, None);
    let stored = assembly.store(stream, observer, |out| {
        command::command(spec, out, cancel)
            .map(|summary| (summary.warnings, None))
            .map_err(|error| OpError::command(name, error))
    })?;
    ended(progress, &object);
    Ok(stored)
}

fn read_files(
    assembly: &Assembly,
    name: &str,
    spec: &FilesSpec,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<(FilesFacts, StoredStream), OpError> {
    let stream = NewStream {
        kind: StreamKind::Files,
        name: format!("{name}.tar"),
        expected_bytes: 0,
    };
    let object = stream.name.clone();
    let observer = observe(progress, &object, None);
    let stored = assembly.store_files(stream, observer, |out| {
        files::archive(spec, &mut TarSink(out), cancel)
            .map(|facts| (facts.clone(), to_json(&facts)))
            .map_err(|error| OpError::files(name, error))
    })?;
    ended(progress, &object);
    Ok(stored)
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
        self.0.end_entry(entry).map_err(io::Error::other)
    }

    fn take_over(&mut self, node: &Node) -> io::Result<bool> {
        self.0.take_over(node).map_err(io::Error::other)
    }
}

/// What is said of a source of which something could not be read.
fn unreadable(name: &str, facts: &FilesFacts) -> Option<Failure> {
    let examples = facts.examples.iter();
    (facts.unreadable > 0).then(|| Failure {
        causes: examples
            .map(|example| format!("{}: {}", example.path, example.error))
            .collect(),
        ..Failure::new(
            Code::Source,
            format!("{} things of `{name}` could not be read", facts.unreadable),
        )
    })
}

fn observe(progress: &Arc<dyn Progress>, object: &str, total_bytes: Option<u64>) -> Observer {
    progress.event(Event::Began {
        phase: Phase::Store,
        object: object.to_owned(),
        total_bytes,
    });
    let (progress, object) = (Arc::clone(progress), object.to_owned());
    Box::new(move |done_bytes, stored_bytes| {
        progress.event(Event::Advanced {
            object: object.clone(),
            done_bytes,
            stored_bytes,
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
