//! Restore: what was planned, into new places or in place, in quarantine until every digest agrees.
//!
//! Each stream is read once, or once for each of its roots in place. A pack's bytes are checked
//! before they are used, and the stream's own digest at its end, or the digest of each entry if only
//! some are restored; only then does a folder or database get its name. Whatever fails before that
//! is removed again, and what was published before stays, as it is whole.

use std::{
    future,
    io::{self, Read as _},
    path::PathBuf,
    sync::Arc,
    time::Instant,
};

use backup_model::{
    BackupReport, Code, Event, Failure, Phase, Progress, RestoreReport, RestoreStep, RestoreTarget,
    RestoredStream, StreamInfo,
};
use tokio_util::sync::CancellationToken;

use super::{OpError, Prepared, RestoreRequest, choose::Chosen, in_place, protect::protected};
use crate::{
    format::RecipeStream,
    pipeline::{Fetcher, SnapshotReader, on_thread},
    repo::Repository,
    sink::{
        database::DatabaseTarget,
        directory::{DirectoryError, DirectoryTarget, ExtractOptions, Extracted, Extraction},
    },
};

/// Carries a plan out.
pub async fn restore(
    repository: &Repository,
    prepared: Prepared,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<RestoreReport, OpError> {
    let nothing = future::ready(Ok(None));
    restore_after(repository, prepared, nothing, progress, cancel).await
}

/// Carries a plan out after something else, for which the snapshot is protected, too: a backup of
/// what is about to be replaced. It is not begun if anything speaks against the restore, and if it
/// fails, nothing is restored.
pub async fn restore_after(
    repository: &Repository,
    prepared: Prepared,
    before: impl Future<Output = Result<Option<BackupReport>, Failure>>,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<RestoreReport, OpError> {
    may_begin(&prepared)?;
    let record = prepared.record.clone();
    let restored = Box::pin(async {
        let safety = before.await.map_err(OpError::Refused)?;
        if safety.is_some() {
            in_place::look_again(&prepared.plan.steps, &prepared.request).await?;
        }
        carry_out(repository, prepared, safety, progress, cancel).await
    });
    protected(repository, &record, restored).await
}

/// Nothing speaks against it, there is something to do, and what is replaced was named.
fn may_begin(prepared: &Prepared) -> Result<(), OpError> {
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
    match &plan.confirm {
        Some(wanted) if prepared.request.confirm.as_ref() != Some(wanted) => {
            let text = format!("this replaces what is there: `{wanted}` was not confirmed");
            Err(OpError::Refused(Failure::new(Code::NotConfirmed, text)))
        }
        _ => Ok(()),
    }
}

async fn carry_out(
    repository: &Repository,
    prepared: Prepared,
    safety: Option<BackupReport>,
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
        chosen,
    } = prepared;
    let snapshot = SnapshotReader::new(Fetcher::spawn(repository.store().clone()), epoch, recipe);
    let (safety, warnings) = match safety {
        Some(made) => (Some(made.snapshot), made.warnings),
        None => (None, Vec::new()),
    };
    let mut report = RestoreReport {
        snapshot: plan.snapshot,
        streams: Vec::new(),
        safety,
        warnings,
        took_secs: 0.0,
    };
    let steps = plan.steps.into_iter().zip(chosen).collect();
    let hears = (progress, cancel);
    let done = all_steps(&snapshot, steps, &request, &mut report, hears).await;
    match done {
        Err(source) if request.in_place && !report.streams.is_empty() => Err(OpError::InPart {
            done: report.streams.iter().map(in_place_now).collect(),
            source: Box::new(source),
        }),
        done => done,
    }?;
    report.took_secs = started.elapsed().as_secs_f64();
    Ok(report)
}

fn in_place_now(stream: &RestoredStream) -> String {
    let place = match &stream.target {
        RestoreTarget::Database { database, .. } => database.clone(),
        RestoreTarget::Folder { path } => path.display().to_string(),
        _ => stream.name.clone(),
    };
    match &stream.kept_as {
        Some(kept) => format!("`{place}` (the old one is `{kept}`)"),
        None => format!("`{place}`"),
    }
}

async fn all_steps(
    snapshot: &SnapshotReader,
    steps: Vec<(RestoreStep, Option<Chosen>)>,
    request: &RestoreRequest,
    report: &mut RestoreReport,
    (progress, cancel): (&Arc<dyn Progress>, &CancellationToken),
) -> Result<(), OpError> {
    let mut steps = steps.into_iter().peekable();
    while let Some((step, chosen)) = steps.next() {
        let snapshot = snapshot.clone();
        if request.in_place && matches!(step.target, RestoreTarget::Folder { .. }) {
            let name = step.stream.name.clone();
            let mut roots = vec![(step, chosen)];
            while let Some(root) = steps.next_if(|(step, _)| step.stream.name == name) {
                roots.push(root);
            }
            let hears = (progress, cancel);
            in_place::into_place(snapshot, roots, request, report, hears).await?;
            continue;
        }
        let object = step.stream.name.clone();
        progress.event(Event::Began {
            phase: Phase::Restore,
            object: object.clone(),
            total_bytes: Some(match step.chosen {
                Some(chosen) => chosen.length_bytes,
                None => step.stream.length_bytes,
            }),
        });
        let (restored, warnings) = match &step.target {
            RestoreTarget::Folder { path } => {
                let path = path.clone();
                let what = (step.stream, chosen);
                into_folder(snapshot, what, path, request, progress, cancel).await?
            }
            RestoreTarget::Database { .. } => {
                into_database(snapshot, step, request, progress, cancel).await?
            }
            other => return Err(OpError::unknown_target(other)),
        };
        report.streams.push(restored);
        report.warnings.extend(warnings);
        progress.event(Event::Ended { object });
    }
    Ok(())
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
        let mut extraction = DirectoryTarget::new(&path)
            .and_then(|target| target.begin())
            .map_err(failed)?;
        let what = (&source, chosen.as_ref());
        let extracted = extract_into(
            &mut extraction,
            &snapshot,
            what,
            options,
            &progress,
            &cancel,
        )?;
        let (read_bytes, extracted) = extracted.map_err(failed)?;
        if cancel.is_cancelled() {
            return Err(OpError::Cancelled);
        }
        let published = extraction.publish().map_err(failed)?;
        let restored = RestoredStream {
            name: stream.name,
            target: RestoreTarget::Folder { path: published },
            kept_as: None,
            read_bytes,
            entries: Some(extracted.entries),
        };
        Ok((restored, extracted.warnings))
    })
    .await?
}

/// Extracts a stream, or what was chosen of it, and gives the bytes that were read and compared.
pub(super) fn extract_into(
    extraction: &mut Extraction,
    snapshot: &SnapshotReader,
    (source, chosen): (&RecipeStream, Option<&Chosen>),
    options: ExtractOptions,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<Result<(u64, Extracted), DirectoryError>, OpError> {
    let checked = match chosen {
        None => snapshot.open(source)?,
        Some(chosen) => snapshot.open_parts(source, &chosen.parts)?,
    };
    let name = source.line.name.clone();
    let mut reader = Observed::new(checked, name, Arc::clone(progress));
    let extracted = match chosen {
        None => extraction.extract(&mut reader, options, cancel),
        Some(chosen) => {
            // Parts of a tar have no end of their own.
            let mut tar = reader.by_ref().chain(io::repeat(0).take(TAR_END));
            extraction.extract_renamed(&mut tar, options, &chosen.renames, cancel)
        }
    };
    Ok(extracted.map(|extracted| (reader.done, extracted)))
}

async fn into_database(
    snapshot: SnapshotReader,
    step: RestoreStep,
    request: &RestoreRequest,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<Restored, OpError> {
    let RestoreStep {
        stream,
        target,
        kept_as,
        ..
    } = step;
    let RestoreTarget::Database { database: name, .. } = &target else {
        return Err(OpError::unknown_target(&target));
    };
    let failed = |source| OpError::database(name, source);
    let (Some((server, programs)), Some(facts)) = (&request.server, &stream.database) else {
        let text = format!("{} has no server to go to", stream.name);
        return Err(OpError::Refused(Failure::new(Code::Usage, text)));
    };
    let made = match &kept_as {
        None => DatabaseTarget::create(server, name, facts).await,
        Some(_) => DatabaseTarget::create_beside(server, name, facts).await,
    };
    let made = made.map_err(failed)?;
    let filling = {
        let (made, programs, no_owner) = (made.clone(), programs.clone(), request.no_owner);
        let (progress, cancel, name) = (Arc::clone(progress), cancel.clone(), name.clone());
        let stream = stream.clone();
        on_thread("restore", move || {
            let source = find(&snapshot, &stream)?;
            let mut reader = Observed::new(snapshot.open(&source)?, stream.name, progress);
            made.fill(&programs, &mut reader, no_owner, &cancel)
                .map_err(|source| OpError::database(&name, source))
        })
    };
    let filled = match filling.await.map_err(OpError::from) {
        Ok(Ok(mut filled)) => {
            let published = match &kept_as {
                None => made.publish().await.map(|()| Vec::new()),
                Some(kept) => made.replace(kept).await,
            };
            published.map_err(failed).map(|warnings| {
                filled.warnings.extend(warnings);
                filled
            })
        }
        Ok(Err(error)) | Err(error) => Err(error),
    };
    let filled = match filled {
        Ok(filled) => filled,
        Err(error) => {
            // The first error is the one to tell; a left-over is named by the next plan.
            if let Err(second) = made.abandon().await {
                progress.event(Event::Warned(Failure::from_error(second.code(), &second)));
            }
            return Err(error);
        }
    };
    let restored = RestoredStream {
        name: stream.name,
        target,
        kept_as,
        read_bytes: filled.read_bytes,
        entries: None,
    };
    Ok((restored, filled.warnings))
}

/// The recipe's stream of a step.
pub(super) fn find(
    snapshot: &SnapshotReader,
    stream: &StreamInfo,
) -> Result<RecipeStream, OpError> {
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
