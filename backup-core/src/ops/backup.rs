//! Backup: read every source of a job into one snapshot.
//!
//! The job's lock is taken, the run begins, sources are read and stored, recipe and refs follow,
//! then the commit, and only after it the local index. Whatever fails after the run began ends it
//! with an abort that says why; a process that dies without saying so is closed by the next run.

use std::{
    collections::BTreeSet,
    num::NonZero,
    sync::{Arc, Mutex},
    thread,
    time::Instant,
};

use backup_keys::Recipient;
use backup_model::{BackupReport, Code, Digest, Event, Failure, JobName, Progress};
use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::{
    OpError,
    ground::{Ground, Local, ground, keep},
    list::stream_infos,
    sources::{Outcome, Prepared, Source, prepare, read_sources},
};
use crate::{
    codec::compress_frame,
    crypt::Sealer,
    format::{ObjectRef, Recipe, RecipeHead, Refs, RefsHead, layout},
    pipeline::{
        Assembled, Assembly, Budget, LevelMode, PackOptions, Pipeline, PipelineError, Pool, Usage,
        on_thread, put_checked, uploader,
    },
    repo::{CommitFacts, Host, RepoError, Repository, Run, RunLimits},
};

/// Where an operation gets the time from.
pub type Clock = fn() -> Timestamp;

/// Threads that compress. More would take more memory than they are worth.
const MOST_WORKERS: usize = 4;
/// Packs of full size whose memory there is at once.
const PACKS_IN_MEMORY: usize = 3;

/// A job: what belongs together.
#[derive(Clone, Debug)]
pub struct BackupJob {
    /// Its name.
    pub name: JobName,
    /// What it reads. Sources are read side by side, and stored in this order.
    pub sources: Vec<Source>,
    /// How strongly to compress.
    pub level: LevelMode,
    /// How long a run may take: what its session says to others. Nobody is stopped by it here.
    pub limits: RunLimits,
    /// The head of this host's audit log, which the snapshot is to vouch for.
    pub audit: Option<Digest>,
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
    let run = Run::begin(repository, host.key(), lock, job.limits, clock()).await?;
    let context = Context {
        repository,
        host,
        run: &run,
        clock,
        progress,
        cancel,
    };
    let stored = context.store_and_commit(prepared, job).await;
    match stored {
        Ok(mut report) => {
            report.took_secs = started.elapsed().as_secs_f64();
            Ok(report)
        }
        // It has an end, or had one and was forgotten.
        Err(OpError::Repo(
            error @ (RepoError::Unconfirmed { .. }
            | RepoError::Ended { .. }
            | RepoError::ForgottenMeanwhile { .. }),
        )) => Err(error.into()),
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

/// What one run works with.
struct Context<'a> {
    repository: &'a Repository,
    host: &'a Host,
    run: &'a Run<'a>,
    clock: Clock,
    progress: &'a Arc<dyn Progress>,
    cancel: &'a CancellationToken,
}

impl Context<'_> {
    async fn store_and_commit(
        &self,
        prepared: Vec<Prepared>,
        job: &BackupJob,
    ) -> Result<BackupReport, OpError> {
        let (epoch, recipient) = self.repository.current_epoch()?;
        let local = Local::new(self.host, self.run.name().job, epoch)?;
        let (repository, progress) = (self.repository, self.progress);
        let ground = ground(repository, &local, self.run, progress).await?;
        let (assembled, outcome) = self
            .read_and_store(prepared, job.level, &recipient, &local, ground)
            .await?;
        if self.cancel.is_cancelled() {
            return Err(OpError::Cancelled);
        }
        let written = Written::store(repository, self.run, epoch, &recipient, &assembled).await?;
        let facts = CommitFacts {
            epoch,
            created: (self.clock)(),
            recipe: written.recipe_ref,
            refs: written.refs_ref,
            packs: (
                assembled.packs.len() as u64,
                assembled.packs.iter().map(|pack| pack.size).sum(),
            ),
            added: (assembled.added.packs, assembled.added.bytes),
            kinds: kinds(&written.recipe),
            complete: outcome.complete,
            audit: job.audit,
        };
        let report = BackupReport {
            snapshot: self.run.name(),
            complete: outcome.complete,
            created: facts.created,
            read_bytes: assembled.read_bytes,
            new_bytes: assembled.new_bytes,
            added_bytes: facts.added.1 + facts.recipe.size + facts.refs.size,
            resumed_bytes: assembled.added.adopted_bytes,
            stored_bytes: facts.packs.1,
            took_secs: 0.0,
            streams: stream_infos(&written.recipe)?,
            warnings: outcome.warnings,
        };
        let record = self.run.commit(facts).await?;
        keep(repository, local, record, assembled, progress).await;
        Ok(report)
    }

    /// Sources to packs in the store.
    async fn read_and_store(
        &self,
        prepared: Vec<Prepared>,
        level: LevelMode,
        recipient: &Recipient,
        local: &Local,
        ground: Ground,
    ) -> Result<(Assembled, Outcome), OpError> {
        let journal = Arc::new(ground.journal);
        let (uploads, upload) = uploader(self.repository.store().clone(), Arc::clone(&journal));
        // Whatever stops this stops the sources: a failed upload, or nobody waiting any more.
        let cancel = self.cancel.child_token();
        let _stop = cancel.clone().drop_guard();
        let options = pack_options(self.repository, recipient);
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let assembly = Assembly::new(Pipeline {
            budget: Budget::new(Assembly::memory(&options, PACKS_IN_MEMORY)),
            options,
            pool: Pool::start(cores.min(MOST_WORKERS), level)?,
            dedup: Arc::new(ground.dedup),
            secret: Arc::clone(&local.secret),
            uploads,
            scratch: local.scratch.clone(),
            began_secs: (self.clock)().as_second(),
            usage: Mutex::new(Usage::new(&local.scratch)),
        });
        let reading = {
            let (progress, cancel) = (Arc::clone(self.progress), cancel.clone());
            on_thread("backup", move || {
                read_sources(prepared, assembly, &progress, &cancel)
            })
        };
        let upload = async {
            let uploaded = upload.await;
            if uploaded.is_err() {
                cancel.cancel();
            }
            uploaded
        };
        let (read, uploaded) = tokio::join!(reading, upload);
        if let Some(fault) = journal.fault() {
            let text = "no journal is kept: a broken run would have to start again";
            self.progress.event(Event::Warned(Failure {
                causes: vec![fault],
                ..Failure::new(Code::LocalIo, text)
            }));
        }
        // The upload's error comes first where it is why the sources stopped.
        match (read?, uploaded) {
            (
                Ok(_) | Err(OpError::Cancelled | OpError::Pipeline(PipelineError::UploadStopped)),
                Err(error),
            ) => Err(error.into()),
            (read, _) => read,
        }
    }
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
        let refs = Refs::derive(head, &assembled.packs, &assembled.used);
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

fn pack_options(repository: &Repository, recipient: &Recipient) -> PackOptions {
    let record = repository.record();
    let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    PackOptions {
        recipient: recipient.clone(),
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
