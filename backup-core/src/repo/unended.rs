//! Runs that have begun and have no end: how long they may go on, and how others end them.
//!
//! Of such a run no more is needed than its number and when its session was stored, so a session
//! that cannot be read, or is of a removed writer, keeps nobody waiting for ever.

use std::collections::BTreeSet;

use backup_keys::{Record, Role, SecretKey};
use backup_model::{Code, Digest, JobName, Nonce, Seq, SnapshotName};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::{
    RepoError, Repository,
    open::invalid,
    sign::{record_digest, sign},
};
use crate::{
    format::{Aborted, Fence, RunEnd, Session, layout},
    store::{Object, Put, store_time},
};

/// How long a run may take that does not say so, or whose session cannot be read.
pub(super) const DEFAULT_LIMIT_SECS: u64 = 24 * 60 * 60;
/// No limit counts for more than a week, whatever a session says.
pub(super) const LONGEST_LIMIT_SECS: u64 = 7 * 24 * 60 * 60;

/// A run that has begun and has no end.
#[derive(Debug)]
pub struct Unended {
    name: SnapshotName,
    /// When its session was stored, by the store's clock.
    stored: Timestamp,
    claim: Claim,
}

/// What a session claims, and whether that can be believed.
#[derive(Debug)]
pub(super) enum Claim {
    /// A valid session, and the id of the key that signed it.
    Valid([u8; 8], Session),
    /// Its writer was removed, and no end of its would count.
    Removed,
    /// Nobody knows what it said.
    Unreadable(RepoError),
}

impl Claim {
    pub(super) fn limit_secs(&self) -> u64 {
        match self {
            Self::Valid(_, session) => session.limit_secs.min(LONGEST_LIMIT_SECS),
            Self::Removed => 0,
            Self::Unreadable(_) => DEFAULT_LIMIT_SECS,
        }
    }

    /// Its nonce; zeros if it cannot be read.
    fn nonce(&self) -> Nonce {
        match self {
            Self::Valid(_, session) => session.nonce,
            Self::Removed | Self::Unreadable(_) => Nonce([0; 16]),
        }
    }
}

impl Unended {
    /// Which run.
    pub fn name(&self) -> &SnapshotName {
        &self.name
    }

    /// When it began: by its own clock, or else by the store's.
    pub fn began(&self) -> Timestamp {
        match &self.claim {
            Claim::Valid(_, session) => session.created,
            Claim::Removed | Claim::Unreadable(_) => self.stored,
        }
    }

    /// When its session was stored, by the store's clock.
    pub(crate) fn stored(&self) -> Timestamp {
        self.stored
    }

    /// Until when it may go on, by the store's clock.
    pub fn limit(&self) -> Timestamp {
        after(self.stored, self.claim.limit_secs())
    }

    /// Why its session cannot be read, if it cannot.
    pub fn fault(&self) -> Option<&RepoError> {
        match &self.claim {
            Claim::Unreadable(error) => Some(error),
            Claim::Valid(..) | Claim::Removed => None,
        }
    }

    /// The same, to be told.
    pub(crate) fn into_fault(self) -> Option<RepoError> {
        match self.claim {
            Claim::Unreadable(error) => Some(error),
            Claim::Valid(..) | Claim::Removed => None,
        }
    }

    fn is_of(&self, key: &SecretKey) -> bool {
        matches!(&self.claim, Claim::Valid(id, _) if *id == key.public().key_id())
    }
}

/// What has become of a run without an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It may still go on.
    Goes,
    /// It has ended by itself, or somebody else has ended it.
    Ended,
    /// We have.
    EndedByUs,
}

impl Repository {
    /// A run that has begun. Whether it has an end is not looked at.
    pub(super) async fn unended(&self, job: &JobName, seq: Seq) -> Result<Unended, RepoError> {
        let key = layout::session(job, seq);
        let stored = self.store().modified(&key).await?;
        let stored = stored.ok_or_else(|| RepoError::ObjectMissing(key.clone()))?;
        Ok(Unended {
            name: SnapshotName {
                job: job.clone(),
                seq,
            },
            stored,
            claim: self.claim(job, seq).await?,
        })
    }

    /// All runs that are not dead and have no end. Sessions are listed first, each end is then
    /// asked for, and the newest forget has the last word.
    pub(crate) async fn unended_runs(&self) -> Result<Vec<Unended>, RepoError> {
        let runs = |folder, objects: Vec<Object>| -> BTreeSet<(JobName, Seq)> {
            let runs = objects.iter();
            runs.filter_map(|object| layout::parse_run(folder, &object.key))
                .collect()
        };
        let store = self.store();
        let begun = runs(layout::SESSIONS, store.list(layout::SESSIONS).await?);
        let ended = runs(layout::SNAPSHOTS, store.list(layout::SNAPSHOTS).await?);
        let mut open = Vec::new();
        for (job, seq) in begun.difference(&ended) {
            if store.size(&layout::snapshot(job, *seq)).await?.is_none() {
                open.push((job, *seq));
            }
        }
        if open.is_empty() {
            return Ok(Vec::new());
        }
        let forgotten = self.forgotten().await?;
        open.retain(|(job, seq)| forgotten.dead(job, *seq).is_none());
        let mut unended = Vec::new();
        for (job, seq) in open {
            unended.push(self.unended(job, seq).await?);
        }
        Ok(unended)
    }

    /// What the session of a run claims. Only a store that fails is an error.
    pub(super) async fn claim(&self, job: &JobName, seq: Seq) -> Result<Claim, RepoError> {
        let key = layout::session(job, seq);
        let Some(bytes) = self.store().find(&key).await? else {
            return Ok(Claim::Unreadable(RepoError::ObjectMissing(key)));
        };
        let claim = self.read_session(&bytes, &key, job, seq);
        Ok(claim.unwrap_or_else(Claim::Unreadable))
    }

    fn read_session(
        &self,
        bytes: &[u8],
        key: &str,
        job: &JobName,
        seq: Seq,
    ) -> Result<Claim, RepoError> {
        let record = Record::parse(bytes, self.id(), key).map_err(|source| invalid(key, source))?;
        let writer = self.trust().writer(record.key_id());
        if writer.is_some_and(|writer| writer.removed.is_some()) {
            return Ok(Claim::Removed);
        }
        let signer = self.signer(&record, key, &[Role::Write], job, seq)?;
        let session: Session = record.open(signer).map_err(|source| invalid(key, source))?;
        if (session.repository, &session.job, session.seq) != (self.id(), job, seq) {
            return Err(RepoError::rule(key, "it is the record of another run"));
        }
        Ok(Claim::Valid(record.key_id(), session))
    }
}

/// Ends a run that has died. Whoever holds the job's lock knows that of one of his own; of any other
/// it is taken for granted past its limit, by the store's clock. Where the store does not keep a
/// late commit away, only the lock does.
pub(crate) async fn end_unended(
    repository: &Repository,
    key: &SecretKey,
    run: &Unended,
    has_lock: bool,
    now: Timestamp,
) -> Result<Outcome, RepoError> {
    let store = repository.store();
    let ours = has_lock && run.is_of(key);
    let kept_out = has_lock || store.is_conditional();
    // No end of a removed key counts: there is nothing to wait for.
    let over = ours || matches!(run.claim, Claim::Removed);
    if !over && (!kept_out || store_time(store).await? <= run.limit()) {
        return Ok(Outcome::Goes);
    }
    let (name, nonce) = (&run.name, run.claim.nonce());
    let prev = prev_of(repository, &name.job, name.seq).await?;
    let end = if ours {
        RunEnd::Aborted(Aborted {
            repository: repository.id(),
            job: name.job.clone(),
            seq: name.seq,
            prev,
            nonce,
            created: now,
            reason: Code::Failed.as_str().to_owned(),
        })
    } else {
        RunEnd::Fence(Fence {
            repository: repository.id(),
            job: name.job.clone(),
            seq: name.seq,
            prev,
            nonce,
            created: now,
        })
    };
    Ok(match create_end(repository, key, &end).await? {
        Some(_) => Outcome::EndedByUs,
        None => Outcome::Ended,
    })
}

/// Creates the record that ends a run; `None` if another one has ended it.
pub(super) async fn create_end(
    repository: &Repository,
    key: &SecretKey,
    end: &RunEnd,
) -> Result<Option<Digest>, RepoError> {
    let (_, job, seq, _) = end.run();
    let object = layout::snapshot(job, seq);
    let bytes = Bytes::from(sign(end, repository.id(), &object, key)?);
    let digest = record_digest(&bytes);
    let put = repository.store().put_deciding(&object, bytes).await?;
    Ok((put == Put::Stored).then_some(digest))
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
