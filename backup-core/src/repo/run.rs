//! The protocol of a run: begin, then commit or abort; creating the end decides.
//!
//! Why the order is safe. The number follows the highest that any session or snapshot has, and
//! the run before must have an end: so every record's `prev` names its true predecessor, and a
//! run that died is closed before another begins. Two writers that choose one number meet at the
//! session object, which only one creates. A commit is created only after all that it names is
//! durable, and whoever else ended the run meanwhile holds that key already.

use backup_keys::{Role, SecretKey};
use backup_model::{Code, Digest, JobName, Nonce, Seq, SnapshotName};
use bytes::Bytes;
use jiff::Timestamp;

use super::{
    JobLock, RepoError, Repository,
    sign::{record_digest, sign},
};
use crate::{
    format::{Aborted, Commit, ObjectRef, RunEnd, Session, layout},
    store::Put,
};

/// How long a run may take.
#[derive(Clone, Copy, Debug)]
pub struct RunLimits {
    /// After so many seconds without an end, by the store's clock, others may end it.
    pub limit_secs: u64,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self {
            limit_secs: 24 * 60 * 60,
        }
    }
}

/// What a finished backup adds to the commit.
#[derive(Debug)]
pub struct CommitFacts {
    /// The epoch of its data.
    pub epoch: u64,
    /// When it is written.
    pub created: Timestamp,
    /// The recipe.
    pub recipe: ObjectRef,
    /// The refs.
    pub refs: ObjectRef,
    /// Packs in refs, and their stored size.
    pub packs: (u64, u64),
    /// Those that the run stored, and their stored size.
    pub added: (u64, u64),
    /// The kinds of its streams.
    pub kinds: Vec<String>,
    /// Whether everything could be read.
    pub complete: bool,
}

/// A run that has begun. Holds the job's local lock until its end.
#[derive(Debug)]
pub struct Run<'a> {
    repository: &'a Repository,
    key: &'a SecretKey,
    prev: Option<Digest>,
    session: Session,
    _lock: JobLock,
}

impl<'a> Run<'a> {
    /// Begins a run of a job.
    pub async fn begin(
        repository: &'a Repository,
        key: &'a SecretKey,
        lock: JobLock,
        limits: RunLimits,
        now: Timestamp,
    ) -> Result<Self, RepoError> {
        let job = lock.job().clone();
        may_write(repository, key, &job, now)?;
        refuse_newer(repository).await?;
        let highest = repository.listed(&job).await?.last().copied();
        let seq = highest.map_or(Seq::FIRST, Seq::next);
        let prev = match seq.previous() {
            None => None,
            Some(before) => Some(end_of(repository, key, &job, before, now).await?),
        };
        let session = Session {
            repository: repository.id(),
            job: job.clone(),
            seq,
            nonce: random_nonce()?,
            created: now,
            limit_secs: limits.limit_secs,
            program: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let object = layout::session(&job, seq);
        let bytes = sign(&session, repository.id(), &object, key)?;
        match repository.store().put_new(&object, bytes.into()).await? {
            Put::Stored => {}
            Put::Taken => {
                return Err(RepoError::Busy {
                    run: SnapshotName { job, seq },
                });
            }
        }
        let run = Self {
            repository,
            key,
            prev,
            session,
            _lock: lock,
        };
        // Looked at again now that our session can be seen: a plan made before it would not wait
        // for it.
        if let Err(error) = refuse_newer(repository).await {
            run.abort(error.code(), now).await?;
            return Err(error);
        }
        Ok(run)
    }

    /// The snapshot that this run will make.
    pub fn name(&self) -> SnapshotName {
        SnapshotName {
            job: self.session.job.clone(),
            seq: self.session.seq,
        }
    }

    /// The run's nonce, for recipe and refs.
    pub fn nonce(&self) -> Nonce {
        self.session.nonce
    }

    /// Ends the run with a snapshot; gives its record's digest. Everything that `facts` names
    /// must be durable.
    pub async fn commit(&self, facts: CommitFacts) -> Result<Digest, RepoError> {
        let commit = Commit {
            repository: self.session.repository,
            job: self.session.job.clone(),
            seq: self.session.seq,
            prev: self.prev,
            nonce: self.session.nonce,
            epoch: facts.epoch,
            trust: self.repository.trust().version,
            created: facts.created,
            recipe: facts.recipe,
            refs: facts.refs,
            packs: facts.packs.0,
            bytes: facts.packs.1,
            added_packs: facts.added.0,
            added_bytes: facts.added.1,
            kinds: facts.kinds,
            complete: facts.complete,
            audit: None,
        };
        self.end(&RunEnd::Commit(commit)).await
    }

    /// Ends the run without a snapshot.
    pub async fn abort(&self, reason: Code, now: Timestamp) -> Result<(), RepoError> {
        let end = aborted(&self.session, self.prev, reason, now);
        self.end(&end).await.map(|_| ())
    }

    async fn end(&self, end: &RunEnd) -> Result<Digest, RepoError> {
        create_end(self.repository, self.key, end)
            .await?
            .ok_or_else(|| RepoError::Ended { run: self.name() })
    }
}

/// Creates the record that ends a run; `None` if another one has ended it.
async fn create_end(
    repository: &Repository,
    key: &SecretKey,
    end: &RunEnd,
) -> Result<Option<Digest>, RepoError> {
    let (_, job, seq, _) = end.run();
    let object = layout::snapshot(job, seq);
    let bytes = Bytes::from(sign(end, repository.id(), &object, key)?);
    let digest = record_digest(&bytes);
    let store = repository.store();
    let mut put = store.put_new(&object, bytes.clone()).await;
    if put.is_err() {
        // The answer and the look after it can both be lost. The same bytes once more are settled
        // like any put: they are there, or somebody else's are, or they are not.
        put = store.put_new(&object, bytes).await;
    }
    Ok(match put? {
        Put::Stored => Some(digest),
        Put::Taken => None,
    })
}

/// The digest of the end of run `seq`. If it has none and was ours, it died: the job's lock is
/// ours now, so nobody works on it, and it is closed here.
async fn end_of(
    repository: &Repository,
    key: &SecretKey,
    job: &JobName,
    seq: Seq,
    now: Timestamp,
) -> Result<Digest, RepoError> {
    if let Some(record) = repository.run_end(job, seq).await? {
        return Ok(record.digest);
    }
    let (signed, session) = repository.session(job, seq).await?;
    let run = SnapshotName {
        job: job.clone(),
        seq,
    };
    if signed.key_id() != key.public().key_id() {
        return Err(RepoError::Busy { run });
    }
    let prev = match seq.previous() {
        None => None,
        Some(before) => Some(
            repository
                .run_end(job, before)
                .await?
                .ok_or_else(|| RepoError::ObjectMissing(layout::snapshot(job, before)))?
                .digest,
        ),
    };
    let end = aborted(&session, prev, Code::Failed, now);
    create_end(repository, key, &end)
        .await?
        .ok_or(RepoError::Busy { run })
}

fn aborted(session: &Session, prev: Option<Digest>, reason: Code, now: Timestamp) -> RunEnd {
    RunEnd::Aborted(Aborted {
        repository: session.repository,
        job: session.job.clone(),
        seq: session.seq,
        prev,
        nonce: session.nonce,
        created: now,
        reason: reason.as_str().to_owned(),
    })
}

fn may_write(
    repository: &Repository,
    key: &SecretKey,
    job: &JobName,
    now: Timestamp,
) -> Result<(), RepoError> {
    let refuse = |rule| {
        Err(RepoError::Writer {
            key: key.public().clone(),
            job: job.clone(),
            rule,
        })
    };
    let Some(writer) = repository.trust().writer(key.public().key_id()) else {
        return refuse("the repository does not know it");
    };
    if writer.removed.is_some() {
        return refuse("it was removed");
    }
    if !writer.may(Role::Write, job) {
        return refuse("it has no role for this job");
    }
    if now < writer.from {
        return refuse("it is not valid yet");
    }
    if writer.until.is_some_and(|until| now >= until) {
        return refuse("it has expired");
    }
    Ok(())
}

/// Newer programs forget and prune; a writer that does not read their plans could name what they
/// are about to delete.
async fn refuse_newer(repository: &Repository) -> Result<(), RepoError> {
    for folder in layout::NEWER {
        if !repository.store().list(folder).await?.is_empty() {
            return Err(RepoError::NewerObjects(folder));
        }
    }
    Ok(())
}

fn random_nonce() -> Result<Nonce, RepoError> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(|_| RepoError::Random)?;
    Ok(Nonce(nonce))
}
