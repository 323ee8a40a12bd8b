//! Restore: what was planned, into new places, in quarantine until every digest agrees.
//!
//! Each stream is read once. A pack's bytes are checked before they are used, and the stream's
//! own digest at its end, or the digest of each entry if only some are restored; only then does a folder or database get its name. Whatever fails before
//! that is removed again, and what was published before stays, as it is whole.

use std::{
    io::{self, Read as _},
    path::PathBuf,
    sync::Arc,
    time::Instant,
};

use backup_model::{
    Code, Event, Failure, Phase, Progress, RestoreReport, RestoreTarget, RestoredStream, StreamInfo,
};
use tokio_util::sync::CancellationToken;

use super::{OpError, Prepared, RestoreRequest, choose::Chosen, protect::protected};
use crate::{
    format::RecipeStream,
    pipeline::{Fetcher, SnapshotReader, on_thread},
    repo::Repository,
    sink::{database::DatabaseTarget, directory::DirectoryTarget},
};

/// Carries a plan out.
pub async fn restore(
    repository: &Repository,
    prepared: Prepared,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<RestoreReport, OpError> {
    let plan = &prepared.plan;
    let obstacle = plan.steps.iter().flat_map(|step| &step.obstacles).next();
    if let Some(obstacle) = obstacle {
        return Err(OpError::Refused(obstacle.clone()));
    }
    if plan.steps.is_empty() {
        let text = format!(
            "nothing of {} was chosen: it has {}",
            plan.snapshot,
            plan.left_out.join(", ")
        );
        return Err(OpError::Refused(Failure::new(Code::Usage, text)));
    }
    let record = prepared.record.clone();
    let restored = Box::pin(carry_out(repository, prepared, progress, cancel));
    protected(repository, &record, restored).await
}

async fn carry_out(
    repository: &Repository,
    prepared: Prepared,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<RestoreReport, OpError> {
    let started = Instant::now();
    let Prepared {
        plan,
        request,
        record: _,
        epoch,
        recipe,
        mut chosen,
    } = prepared;
    let fetcher = Fetcher::spawn(repository.store().clone());
    let mut report = RestoreReport {
        snapshot: plan.snapshot,
        streams: Vec::new(),
        warnings: Vec::new(),
        took_secs: 0.0,
    };
    for step in plan.steps {
        let object = step.stream.name.clone();
        progress.event(Event::Began {
            phase: Phase::Restore,
            object: object.clone(),
            total_bytes: Some(match step.chosen {
                Some(chosen) => chosen.length_bytes,
                None => step.stream.length_bytes,
            }),
        });
        let snapshot = SnapshotReader::new(fetcher.clone(), epoch.clone(), Arc::clone(&recipe));
        let (restored, warnings) = match &step.target {
            RestoreTarget::Folder { path } => {
                let path = path.clone();
                let what = (step.stream, chosen.remove(&object));
                into_folder(snapshot, what, path, &request, progress, cancel).await?
            }
            RestoreTarget::Database { database, .. } => {
                let name = database.clone();
                into_database(snapshot, step.stream, name, &request, progress, cancel).await?
            }
            other => {
                let text = format!("this program cannot restore to {other:?}");
                return Err(OpError::Refused(Failure::new(Code::TargetRefused, text)));
            }
        };
        report.streams.push(restored);
        report.warnings.extend(warnings);
        progress.event(Event::Ended { object });
    }
    report.took_secs = started.elapsed().as_secs_f64();
    Ok(report)
}

/// The two blocks of zeros that end a tar.
const TAR_END: u64 = 1024;

type Restored = (RestoredStream, Vec<Failure>);

async fn into_folder(
    snapshot: SnapshotReader,
    (stream, chosen): (StreamInfo, Option<Chosen>),
    path: PathBuf,
    request: &RestoreRequest,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<Restored, OpError> {
    if let Some(folder) = request.folder.as_ref().filter(|folder| **folder != path) {
        std::fs::create_dir_all(folder).map_err(|source| OpError::Io {
            what: format!("make {}", folder.display()),
            source,
        })?;
    }
    let (options, cancel, progress) = (request.extract, cancel.clone(), Arc::clone(progress));
    on_thread("restore", move || {
        let failed = |source| OpError::directory(&path, source);
        let source = find(&snapshot, &stream)?;
        let name = stream.name.clone();
        let checked = match &chosen {
            None => snapshot.open(&source)?,
            Some(chosen) => snapshot.open_parts(&source, &chosen.parts)?,
        };
        let mut reader = Observed::new(checked, name, progress);
        let mut extraction = DirectoryTarget::new(&path)
            .and_then(|target| target.begin())
            .map_err(failed)?;
        let extracted = match &chosen {
            None => extraction.extract(&mut reader, options, &cancel),
            Some(chosen) => {
                // Parts of a tar have no end of their own.
                let mut tar = reader.by_ref().chain(io::repeat(0).take(TAR_END));
                extraction.extract_renamed(&mut tar, options, &chosen.renames, &cancel)
            }
        };
        let read_bytes = reader.done;
        let extracted = extracted.map_err(failed)?;
        if cancel.is_cancelled() {
            return Err(OpError::Cancelled);
        }
        let published = extraction.publish().map_err(failed)?;
        let restored = RestoredStream {
            name: stream.name,
            target: RestoreTarget::Folder { path: published },
            read_bytes,
            entries: Some(extracted.entries),
        };
        Ok((restored, extracted.warnings))
    })
    .await?
}

async fn into_database(
    snapshot: SnapshotReader,
    stream: StreamInfo,
    name: String,
    request: &RestoreRequest,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<Restored, OpError> {
    let failed = |source| OpError::database(&name, source);
    let (Some((server, programs)), Some(facts)) = (&request.server, &stream.database) else {
        let text = format!("{} has no server to go to", stream.name);
        return Err(OpError::Refused(Failure::new(Code::Usage, text)));
    };
    let target = DatabaseTarget::create(server, &name, facts)
        .await
        .map_err(failed)?;
    let filling = {
        let (target, programs, no_owner) = (target.clone(), programs.clone(), request.no_owner);
        let (progress, cancel, name) = (Arc::clone(progress), cancel.clone(), name.clone());
        let stream = stream.clone();
        on_thread("restore", move || {
            let source = find(&snapshot, &stream)?;
            let mut reader = Observed::new(snapshot.open(&source)?, stream.name, progress);
            target
                .fill(&programs, &mut reader, no_owner, &cancel)
                .map_err(|source| OpError::database(&name, source))
        })
    };
    let filled = match filling.await.map_err(OpError::from) {
        Ok(Ok(filled)) => target.publish().await.map(|()| filled).map_err(failed),
        Ok(Err(error)) | Err(error) => Err(error),
    };
    let filled = match filled {
        Ok(filled) => filled,
        Err(error) => {
            // The first error is the one to tell; a left-over is named by the next plan.
            if let Err(second) = target.abandon().await {
                progress.event(Event::Warned(Failure::from_error(second.code(), &second)));
            }
            return Err(error);
        }
    };
    let restored = RestoredStream {
        name: stream.name,
        target: RestoreTarget::Database {
            database: name,
            server: server.server(),
        },
        read_bytes: filled.read_bytes,
        entries: None,
    };
    Ok((restored, filled.warnings))
}

/// The recipe's stream of a step.
fn find(snapshot: &SnapshotReader, stream: &StreamInfo) -> Result<RecipeStream, OpError> {
    let recipe = snapshot.recipe();
    let found = recipe.stream(&stream.name).cloned();
    found.ok_or_else(|| OpError::NoStream {
        snapshot: format!("{}/{}", recipe.head.job, recipe.head.seq),
        stream: stream.name.clone(),
        known: Vec::new(),
    })
}

/// Tells progress while a stream passes.
struct Observed<R> {
    inner: R,
    object: String,
    progress: Arc<dyn Progress>,
    done: u64,
    told: u64,
}

/// Progress is told every so many bytes.
const TELL_BYTES: u64 = 4 << 20;

impl<R> Observed<R> {
    fn new(inner: R, object: String, progress: Arc<dyn Progress>) -> Self {
        Self {
            inner,
            object,
            progress,
            done: 0,
            told: 0,
        }
    }
}

impl<R: io::Read> io::Read for Observed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.done += read as u64;
        if self.done - self.told >= TELL_BYTES || read == 0 {
            self.told = self.done;
            self.progress.event(Event::Advanced {
                object: self.object.clone(),
                done_bytes: self.done,
                stored_bytes: 0,
            });
        }
        Ok(read)
    }
}
