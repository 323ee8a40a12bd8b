//! The protocol of a run: begin, then commit or abort; creating the end decides.
//!
//! Why the order is safe. The number follows the highest that any session, snapshot or forget has,
//! and the run before must have an end: so every record's `prev` names its true predecessor, and a
//! run that died is closed before another begins. Two writers that choose one number meet at the
//! session object, which only one creates. Plans of prunes are read after it exists: of a plan
//! that is made later, the pruner sees the session and waits. A commit is created only after all
//! that it names is durable, and whoever else ended the run meanwhile holds that key already. Only
//! a forget could have taken that end away again, so the newest one has the last word.

use std::collections::HashSet;

use backup_keys::{Role, SecretKey};
use backup_model::{Code, Digest, JobName, Nonce, Seq, SnapshotName};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::{
    Forgotten, JobLock, RepoError, Repository,
    sign::{record_digest, sign},
};
use crate::{
    format::{Aborted, Commit, Fence, ObjectRef, RunEnd, Session, layout},
    store::{Put, store_time},
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

/// However often a job's runs were fenced, a limit does not grow over a week.
const LONGEST_LIMIT_SECS: u64 = 7 * 24 * 60 * 60;
/// How often the end of the run before is looked for, while others end it.
const LOOKS: u32 = 4;

/// How often the last look is tried.
const LAST_LOOKS: u32 = 3;

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
    forgotten: Forgotten,
    doomed: HashSet<Digest>,
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
        let known = repository.forgotten().await?;
        let listed = repository.listed(&job, &known).await?.last().copied();
        let forgotten = repository.forgotten_since(&known).await?;
        let dead = forgotten.dead_of(&job).map(|(seq, _)| seq).last();
        let seq = listed.max(dead).map_or(Seq::FIRST, Seq::next);
        let before = match seq.previous() {
            None => None,
            Some(before) => Some(end_before(repository, key, &job, before, now).await?),
        };
        let limit_secs = before.as_ref().map_or(0, |before| before.next_limit_secs);
        let session = Session {
            repository: repository.id(),
            job: job.clone(),
            seq,
            nonce: random_nonce()?,
            created: now,
            limit_secs: limits.limit_secs.max(limit_secs),
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
        let mut run = Self {
            repository,
            key,
            prev: before.map(|before| before.digest),
            session,
            forgotten,
            doomed: HashSet::new(),
            _lock: lock,
        };
        match run.look_around().await {
            Ok(()) => Ok(run),
            Err(error) => {
                // The first error is the one to tell; without an end the next run closes this one.
                drop(run.abort(error.code(), now).await);
                Err(error)
            }
        }
    }

    /// What must be known before anything is built on, now that our session can be seen.
    async fn look_around(&mut self) -> Result<(), RepoError> {
        self.forgotten = self.not_forgotten(None).await?;
        self.doomed = self.repository.doomed().await?.packs;
        Ok(())
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

    /// What was forgotten when the run began.
    pub(crate) fn forgotten(&self) -> &Forgotten {
        &self.forgotten
    }

    /// Whether a prune may delete a pack, or has: then the run must not count on it.
    pub(crate) fn is_doomed(&self, pack: &Digest) -> bool {
        self.doomed.contains(pack)
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
        let digest = self.end(&RunEnd::Commit(commit)).await?;
        self.stands(digest).await?;
        Ok(digest)
    }

    /// The last look, after which a commit is a success. It only reads, so a store that fails for
    /// a moment need not make a failure of a snapshot that is there.
    async fn stands(&self, digest: Digest) -> Result<(), RepoError> {
        let mut look = self.not_forgotten(Some(digest)).await;
        for _ in 1..LAST_LOOKS {
            match look {
                Err(RepoError::Store(_)) => look = self.not_forgotten(Some(digest)).await,
                Ok(_) | Err(_) => break,
            }
        }
        match look {
            Ok(_) => Ok(()),
            Err(error @ RepoError::ForgottenMeanwhile { .. }) => Err(error),
            Err(error) => Err(RepoError::Unconfirmed {
                run: self.name(),
                source: Box::new(error),
            }),
        }
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

    /// Reads the newest forget. If it names this run with another end than ours, somebody ended
    /// the run and forgot it, and a commit of ours counts for nothing.
    async fn not_forgotten(&self, ours: Option<Digest>) -> Result<Forgotten, RepoError> {
        let forgotten = self.repository.forgotten_since(&self.forgotten).await?;
        let dead = forgotten.dead(&self.session.job, self.session.seq);
        if dead.is_some_and(|dead| Some(dead.digest) != ours) {
            return Err(RepoError::ForgottenMeanwhile { run: self.name() });
        }
        Ok(forgotten)
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

/// The end of the run before.
struct Before {
    digest: Digest,
    /// After a fence the next run gets twice the time.
    next_limit_secs: u64,
}

/// The end of run `seq`. One that was ours and has none has died: the job's lock is ours now, so
/// nobody works on it, and it is closed here. One of somebody else keeps the job busy until it is
/// past its limit; then it is fenced, and whatever has ended it first is taken.
async fn end_before(
    repository: &Repository,
    key: &SecretKey,
    job: &JobName,
    seq: Seq,
    now: Timestamp,
) -> Result<Before, RepoError> {
    let run = SnapshotName {
        job: job.clone(),
        seq,
    };
    for _ in 0..LOOKS {
        if let Some((digest, end)) = repository.end_of(job, seq).await? {
            let next_limit_secs = match end {
                Some(RunEnd::Fence(_)) => {
                    let (_, fenced) = repository.session(job, seq).await?;
                    fenced.limit_secs.saturating_mul(2).min(LONGEST_LIMIT_SECS)
                }
                _ => 0,
            };
            return Ok(Before {
                digest,
                next_limit_secs,
            });
        }
        let (signed, session) = repository.session(job, seq).await?;
        if signed.key_id() == key.public().key_id() {
            let prev = prev_of(repository, job, seq).await?;
            let end = aborted(&session, prev, Code::Failed, now);
            create_end(repository, key, &end).await?;
        } else if !fence(repository, key, &session, now).await? {
            return Err(RepoError::Busy { run });
        }
    }
    Err(RepoError::Busy { run })
}

/// Ends a run that is past its limit by the store's clock; false if it is not, or if the store
/// does not keep its writer from ending it too.
pub(crate) async fn fence(
    repository: &Repository,
    key: &SecretKey,
    session: &Session,
    now: Timestamp,
) -> Result<bool, RepoError> {
    let (job, seq) = (&session.job, session.seq);
    let limit = limit_of(repository, session).await?;
    if !repository.store().is_conditional() || store_time(repository.store()).await? <= limit {
        return Ok(false);
    }
    let end = RunEnd::Fence(Fence {
        repository: session.repository,
        job: job.clone(),
        seq,
        prev: prev_of(repository, job, seq).await?,
        nonce: session.nonce,
        created: now,
    });
    // Whoever was first has ended it.
    create_end(repository, key, &end).await?;
    Ok(true)
}

/// Until when a run may go on, by the store's clock.
pub(crate) async fn limit_of(
    repository: &Repository,
    session: &Session,
) -> Result<Timestamp, RepoError> {
    let key = layout::session(&session.job, session.seq);
    let began = repository.store().modified(&key).await?;
    let began = began.ok_or(RepoError::ObjectMissing(key))?;
    Ok(after(began, session.limit_secs))
}

/// So many seconds later, or the end of time.
pub(super) fn after(time: Timestamp, secs: u64) -> Timestamp {
    let secs = i64::try_from(secs).unwrap_or(i64::MAX);
    time.checked_add(SignedDuration::from_secs(secs))
        .unwrap_or(Timestamp::MAX)
}

/// What the end of run `seq` must name as its predecessor.
async fn prev_of(
    repository: &Repository,
    job: &JobName,
    seq: Seq,
) -> Result<Option<Digest>, RepoError> {
    let Some(before) = seq.previous() else {
        return Ok(None);
    };
    match repository.end_of(job, before).await? {
        Some((digest, _)) => Ok(Some(digest)),
        None => Err(RepoError::ObjectMissing(layout::snapshot(job, before))),
    }
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

pub(super) fn random_nonce() -> Result<Nonce, RepoError> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(|_| RepoError::Random)?;
    Ok(Nonce(nonce))
}
