//! The protocol of a run: begin, then commit or abort; creating the end decides.
//!
//! Why the order is safe. The number follows the highest that any session, snapshot or forget has,
//! and the run before must have an end: so every record's `prev` names its true predecessor, and a
//! run that died is closed before another begins. Two writers that choose one number meet at the
//! session object, which only one creates. Plans of prunes are read after it exists: of a plan
//! that is made later, the pruner sees the session and waits. A commit is created only after all
//! that it names is durable, by a key that is trusted still, and whoever else ended the run meanwhile holds that key already. Only
//! a forget could have taken that end away again, so the newest one has the last word.

use backup_keys::{Role, SecretKey, Writer};
use backup_model::{Code, Digest, JobName, Nonce, Seq, SnapshotName};
use jiff::Timestamp;

use super::{
    Forgotten, JobLock, RepoError, Repository,
    prunes::Doomed,
    sign::sign,
    unended::{DEFAULT_LIMIT_SECS, LONGEST_LIMIT_SECS, Outcome, create_end, end_unended},
};
use crate::{
    format::{Aborted, Commit, ObjectRef, RunEnd, Session, layout},
    store::Put,
};

/// How long a run may take.
#[derive(Clone, Copy, Debug)]
pub struct RunLimits {
    /// After so many seconds without an end, by the store's clock, others may end it; a week at
    /// most.
    pub limit_secs: u64,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self {
            limit_secs: DEFAULT_LIMIT_SECS,
        }
    }
}

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
    /// The head of this host's audit log.
    pub audit: Option<Digest>,
}

/// A run that has begun. Holds the job's local lock until its end.
#[derive(Debug)]
pub struct Run<'a> {
    repository: &'a Repository,
    key: &'a SecretKey,
    prev: Option<Digest>,
    session: Session,
    forgotten: Forgotten,
    doomed: Doomed,
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
        repository.has_remembered(&job).await?;
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
            limit_secs: limits.limit_secs.max(limit_secs).min(LONGEST_LIMIT_SECS),
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
            doomed: Doomed::default(),
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
        self.doomed = self.repository.doomed().await?;
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
        self.doomed.has_pack(pack)
    }

    /// Why nothing that is stored may be counted on, if so.
    pub(crate) fn distrust(&self) -> Option<&RepoError> {
        self.doomed.unknown()
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
            audit: facts.audit,
        };
        let digest = self.end(&RunEnd::Commit(commit)).await?;
        self.repository
            .remember_run(self.session.seq, &self.session.job, digest);
        self.stands(digest).await?;
        Ok(digest)
    }

    /// The last look, after which a commit is a success. It only reads, so a store that fails for
    /// a moment need not make a failure of a snapshot that is there.
    async fn stands(&self, digest: Digest) -> Result<(), RepoError> {
        let mut look = self.last_look(digest).await;
        for _ in 1..LAST_LOOKS {
            match look {
                Err(RepoError::Store(_)) => look = self.last_look(digest).await,
                Ok(()) | Err(_) => break,
            }
        }
        match look {
            Ok(()) => Ok(()),
            Err(error @ RepoError::ForgottenMeanwhile { .. }) => Err(error),
            Err(error) => Err(RepoError::Unconfirmed {
                run: self.name(),
                source: Box::new(error),
            }),
        }
    }

    async fn last_look(&self, digest: Digest) -> Result<(), RepoError> {
        self.not_forgotten(Some(digest)).await?;
        self.still_trusted(Some(digest)).await
    }

    /// Ends the run without a snapshot.
    pub async fn abort(&self, reason: Code, now: Timestamp) -> Result<(), RepoError> {
        let end = RunEnd::Aborted(Aborted {
            repository: self.session.repository,
            job: self.session.job.clone(),
            seq: self.session.seq,
            prev: self.prev,
            nonce: self.session.nonce,
            created: now,
            reason: reason.as_str().to_owned(),
        });
        self.end(&end).await.map(drop)
    }

    /// A key that was removed meanwhile leaves no end behind: it would not count, and stand where
    /// somebody else's should.
    async fn end(&self, end: &RunEnd) -> Result<Digest, RepoError> {
        self.still_trusted(None).await?;
        create_end(self.repository, self.key, end)
            .await?
            .ok_or_else(|| RepoError::Ended { run: self.name() })
    }

    /// Fails if the key was removed since the repository was opened, unless our end counts.
    async fn still_trusted(&self, ours: Option<Digest>) -> Result<(), RepoError> {
        let Some(trust) = self.repository.newer_trust().await? else {
            return Ok(());
        };
        let (job, seq) = (&self.session.job, self.session.seq);
        let stays = |writer: &Writer| match ours {
            None => writer.removed.is_none(),
            Some(digest) => writer.counts(job, seq, digest),
        };
        if trust.writer(self.key.public().key_id()).is_some_and(stays) {
            return Ok(());
        }
        Err(RepoError::Writer {
            key: self.key.public().clone(),
            job: job.clone(),
            rule: "it was removed while the run was under way",
        })
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
    for _ in 0..LOOKS {
        if let Some((digest, end)) = repository.end_of(job, seq).await? {
            let next_limit_secs = match end {
                Some(RunEnd::Fence(_)) => {
                    let fenced = repository.claim(job, seq).await?;
                    fenced.limit_secs().saturating_mul(2)
                }
                _ => 0,
            };
            return Ok(Before {
                digest,
                next_limit_secs,
            });
        }
        let run = repository.unended(job, seq).await?;
        if end_unended(repository, key, &run, true, now).await? == Outcome::Goes {
            break;
        }
    }
    Err(RepoError::Busy {
        run: SnapshotName {
            job: job.clone(),
            seq,
        },
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
