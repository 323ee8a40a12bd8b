//! Backup: read every source of a job into one snapshot.
//!
//! The job's lock is taken, the run begins, sources are read and stored, recipe and refs follow,
//! then the commit, and only after it the local index. Whatever fails after the run began ends it
//! with an abort that says why; a process that dies without saying so is closed by the next run.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Instant,
};

use backup_keys::Recipient;
use backup_model::{BackupReport, Digest, Event, Failure, JobName, Progress};
use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::{
    OpError,
    list::stream_infos,
    sources::{Prepared, Source, prepare, read_sources},
};
use crate::{
    codec::compress_frame,
    crypt::Sealer,
    format::{ObjectRef, Recipe, RecipeHead, Refs, RefsHead, layout},
    pipeline::{Assembled, Assembly, LaneOptions, PipelineError, on_thread, put_checked, uploader},
    repo::{CommitFacts, Host, Index, IndexHead, Repository, Run, RunLimits},
};

/// Where an operation gets the time from.
pub type Clock = fn() -> Timestamp;

/// The level of blocks.
const LEVEL: i32 = 3;

/// A job: what belongs together.
#[derive(Clone, Debug)]
pub struct BackupJob {
    /// Its name.
    pub name: JobName,
    /// What it reads, in order.
    pub sources: Vec<Source>,
}

/// Runs a job once.
pub async fn backup(
    repository: &Repository,
    host: &Host,
    job: &BackupJob,
    clock: Clock,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<BackupReport, OpError> {
    let started = Instant::now();
    let lock = host.lock(&job.name)?;
    let prepared = prepare(job).await?;
    let run = Run::begin(repository, host.key(), lock, RunLimits::default(), clock()).await?;
    let stored = store_and_commit(repository, host, prepared, &run, clock, progress, cancel).await;
    match stored {
        Ok(mut report) => {
            report.took_secs = started.elapsed().as_secs_f64();
            Ok(report)
        }
        Err(error) => {
            // The first error is the one to tell. If even the abort cannot be written, the next
            // run will find this one open and close it.
            if let Err(second) = run.abort(error.code(), clock()).await {
                progress.event(Event::Warned(Failure::from_error(second.code(), &second)));
            }
            Err(error)
        }
    }
}

async fn store_and_commit(
    repository: &Repository,
    host: &Host,
    prepared: Vec<Prepared>,
    run: &Run<'_>,
    clock: Clock,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<BackupReport, OpError> {
    let (epoch, recipient) = repository.current_epoch()?;
    let secret = host.dedup_secret(epoch)?;
    let index = load_index(repository, host, run, epoch).await?;

    let options = lane_options(repository, &recipient);
    let (uploads, upload) = uploader(repository.store().clone());
    let assembly = Assembly::new(options, secret, index, uploads);
    let reading = {
        let (progress, cancel) = (Arc::clone(progress), cancel.clone());
        on_thread("backup", move || {
            read_sources(prepared, assembly, &progress, &cancel)
        })
    };
    // The upload's error comes first: it is why the lanes stopped.
    let (read, uploaded) = tokio::join!(reading, upload);
    let (assembled, outcome) = match (read?, uploaded) {
        (Ok(_) | Err(OpError::Pipeline(PipelineError::UploadStopped)), Err(error)) => {
            return Err(error.into());
        }
        (read, _) => read?,
    };
    if cancel.is_cancelled() {
        return Err(OpError::Cancelled);
    }
    let written = Written::store(repository, run, epoch, &recipient, &assembled).await?;
    let streams = stream_infos(&written.recipe)?;
    let facts = CommitFacts {
        epoch,
        created: clock(),
        recipe: written.recipe_ref,
        refs: written.refs_ref,
        packs: (
            assembled.packs.len() as u64,
            assembled.packs.iter().map(|pack| pack.size).sum(),
        ),
        added: assembled.added,
        kinds: kinds(&written.recipe),
        complete: outcome.complete,
    };
    let (created, stored_bytes) = (facts.created, facts.packs.1);
    let record = run.commit(facts).await?;
    keep_index(
        repository,
        host,
        &run.name().job,
        epoch,
        record,
        &assembled.index,
        progress,
    );
    Ok(BackupReport {
        snapshot: run.name(),
        complete: outcome.complete,
        created,
        read_bytes: assembled.read_bytes,
        new_bytes: assembled.new_bytes,
        added_bytes: assembled.added.1 + written.recipe_ref.size + written.refs_ref.size,
        stored_bytes,
        took_secs: 0.0,
        streams,
        warnings: outcome.warnings,
    })
}

/// Recipe and refs, stored.
struct Written {
    recipe: Recipe,
    recipe_ref: ObjectRef,
    refs_ref: ObjectRef,
}

impl Written {
    async fn store(
        repository: &Repository,
        run: &Run<'_>,
        epoch: u64,
        recipient: &Recipient,
        assembled: &Assembled,
    ) -> Result<Self, OpError> {
        let name = run.name();
        let recipe = Recipe {
            head: RecipeHead {
                repository: repository.id(),
                job: name.job.clone(),
                seq: name.seq,
                nonce: run.nonce(),
                epoch,
                packs: assembled.packs.len() as u64,
                streams: assembled.streams.len() as u64,
            },
            packs: assembled.packs.clone(),
            streams: assembled.streams.clone(),
        };
        let lines = recipe.to_lines();
        // What a reader would refuse must not be committed.
        Recipe::parse(&lines).map_err(PipelineError::Recipe)?;
        let frame = compress_frame(&lines).map_err(PipelineError::Compress)?;
        let mut sealer = Sealer::new(recipient, frame.len()).map_err(PipelineError::Seal)?;
        sealer.write(&frame).map_err(PipelineError::Seal)?;
        let sealed = sealer.finish().map_err(PipelineError::Seal)?;
        let recipe_ref = object_ref(&sealed.bytes);
        let key = layout::recipe(&recipe_ref.sha256);
        put_checked(repository.store(), &key, Bytes::from(sealed.bytes)).await?;

        let head = RefsHead {
            repository: repository.id(),
            job: name.job,
            seq: name.seq,
            nonce: run.nonce(),
            packs: assembled.packs.len() as u64,
        };
        let refs = Refs::derive(head, &assembled.packs, assembled.extents.iter().copied());
        let bytes = compress_frame(&refs.to_lines()).map_err(PipelineError::Compress)?;
        let refs_ref = object_ref(&bytes);
        let key = layout::refs(&refs_ref.sha256);
        put_checked(repository.store(), &key, Bytes::from(bytes)).await?;
        Ok(Self {
            recipe,
            recipe_ref,
            refs_ref,
        })
    }
}

/// The index of the snapshot just before this run, less the packs that are not as it says.
async fn load_index(
    repository: &Repository,
    host: &Host,
    run: &Run<'_>,
    epoch: u64,
) -> Result<Index, OpError> {
    let name = run.name();
    let secret = host.dedup_secret(epoch)?;
    let Some(bytes) = host.read_index(&name.job) else {
        return Ok(Index::default());
    };
    let runs = repository.runs(&name.job).await?;
    let Some(latest) = runs.latest() else {
        return Ok(Index::default());
    };
    let head = IndexHead {
        repository: repository.id(),
        epoch,
        job: name.job,
        record: latest.digest,
    };
    let Some(mut index) = Index::from_bytes(&bytes, &head, &secret) else {
        return Ok(Index::default());
    };
    let listed: HashMap<Digest, u64> = repository
        .store()
        .list(layout::PACKS)
        .await?
        .iter()
        .filter_map(|object| Some((layout::parse_pack(&object.key)?, object.size)))
        .collect();
    index.retain_packs(|pack| listed.get(&pack.sha256) == Some(&pack.size));
    Ok(index)
}

/// The snapshot is committed, so a lost index is a warning: the next backup is full.
fn keep_index(
    repository: &Repository,
    host: &Host,
    job: &JobName,
    epoch: u64,
    record: Digest,
    index: &Index,
    progress: &Arc<dyn Progress>,
) {
    let head = IndexHead {
        repository: repository.id(),
        epoch,
        job: job.clone(),
        record,
    };
    let kept = host
        .dedup_secret(epoch)
        .and_then(|secret| host.write_index(job, &index.to_bytes(&head, &secret)));
    if let Err(error) = kept {
        progress.event(Event::Warned(Failure::from_error(error.code(), &error)));
    }
}

fn lane_options(repository: &Repository, recipient: &Recipient) -> LaneOptions {
    let record = repository.record();
    let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    LaneOptions {
        recipient: recipient.clone(),
        level: LEVEL,
        block_bytes: size(record.block_bytes.clamp(1 << 16, 8 << 20)),
        pack_bytes: size(record.pack_bytes.clamp(1 << 20, 48 << 20)),
    }
}

fn kinds(recipe: &Recipe) -> Vec<String> {
    let kinds: BTreeSet<&str> = recipe
        .source_streams()
        .map(|stream| stream.line.kind.as_str())
        .collect();
    kinds.into_iter().map(str::to_owned).collect()
}

fn object_ref(bytes: &[u8]) -> ObjectRef {
    ObjectRef {
        sha256: Digest(Sha256::digest(bytes).into()),
        size: bytes.len() as u64,
    }
}
