//! Pins: whoever reads a snapshot says so, and prune leaves what it names.
//!
//! A pin is created first and then looked whether it came too late: a prune that has not read the
//! pins yet will see it, and of one that has, the plan is there to be read. What a pin does not
//! cover may still be read; a pack that is then missing of a snapshot that was forgotten meanwhile
//! is no damage.

use backup_keys::{Record, Role, Writer};
use backup_model::{Code, JobName, Nonce, SnapshotName};
use jiff::Timestamp;

use super::{
    RepoError, Repository, RunRecord, load_refs,
    open::invalid,
    run::{after, random_nonce},
    sign::sign,
};
use crate::{
    format::{Pin, Refs, layout},
    store::Put,
};

/// After so many seconds a pin no longer counts: whoever wrote it has died, or reads very slowly.
const LIMIT_SECS: u64 = 24 * 60 * 60;

/// A snapshot that is protected while it is read.
#[derive(Debug)]
pub(crate) struct Pinned(Nonce);

/// A pin, and until when it counts by the store's clock.
#[derive(Clone, Debug)]
pub(crate) struct StoredPin {
    pub(crate) pin: Pin,
    pub(crate) until: Timestamp,
}

impl Repository {
    /// Protects a snapshot while it is read. `None` if nobody here may write pins, or if a prune
    /// is about to delete something of it: it may be read all the same, unless it was forgotten,
    /// which is an error.
    pub(crate) async fn pin(&self, record: &RunRecord) -> Result<Option<Pinned>, RepoError> {
        let Some(key) = self.reader() else {
            return Ok(None);
        };
        if !self.may_pin(key.public().key_id(), &record.name.job) {
            return Ok(None);
        }
        let commit = record.commit()?;
        let refs = match load_refs(self, commit).await {
            Ok(refs) => refs,
            Err(RepoError::Store(error)) => return Err(error.into()),
            // Damage is for the reader to find and to tell.
            Err(_) => return Ok(None),
        };
        let pin = Pin {
            repository: self.id(),
            id: random_nonce()?,
            job: record.name.job.clone(),
            seq: record.name.seq,
            record: record.digest,
            recipe: commit.recipe,
            refs: commit.refs,
            limit_secs: LIMIT_SECS,
        };
        let object = layout::pin(&pin.id);
        let bytes = sign(&pin, self.id(), &object, key)?;
        match self.store().put_new(&object, bytes.into()).await {
            Ok(Put::Stored) => {}
            Ok(Put::Taken) => return Err(RepoError::Contended(layout::PINS)),
            Err(error) if error.code() == Code::StoreDenied => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let pinned = Pinned(pin.id);
        match self.is_covered(&pin, &refs).await {
            Ok(true) => Ok(Some(pinned)),
            Ok(false) => {
                self.unpin(pinned).await;
                Ok(None)
            }
            Err(error) => {
                self.unpin(pinned).await;
                Err(error)
            }
        }
    }

    /// Whether a pin of this key would count: one that does not would stop every prune.
    fn may_pin(&self, key_id: [u8; 8], job: &JobName) -> bool {
        let writer = self.trust().writer(key_id);
        writer.is_some_and(|writer| writer.removed.is_none() && has_a_role(writer, job))
    }

    /// Takes a pin away. One that stays is a matter of time only.
    pub(crate) async fn unpin(&self, pinned: Pinned) {
        drop(self.store().delete(&layout::pin(&pinned.0)).await);
    }

    /// Whether no prune was there first: plans are looked at, and then whether the run is dead.
    async fn is_covered(&self, pin: &Pin, refs: &Refs) -> Result<bool, RepoError> {
        let doomed = self.doomed().await?;
        let covered = !doomed.recipes.contains(&pin.recipe.sha256)
            && !doomed.refs.contains(&pin.refs.sha256)
            && refs
                .packs
                .iter()
                .all(|pack| !doomed.packs.contains(&pack.0));
        match self.forgotten().await?.dead(&pin.job, pin.seq) {
            None => Ok(covered),
            Some(dead) => Err(RepoError::Forgotten {
                run: SnapshotName {
                    job: pin.job.clone(),
                    seq: pin.seq,
                },
                why: dead.why,
            }),
        }
    }

    /// All pins of writers that count, whether or not their time is over.
    pub(crate) async fn pins(&self) -> Result<Vec<StoredPin>, RepoError> {
        let mut pins = Vec::new();
        for object in self.store().list(layout::PINS).await? {
            let Some(id) = layout::parse_pin(&object.key) else {
                continue;
            };
            let Some(bytes) = self.store().find(&object.key).await? else {
                continue;
            };
            if let Some(pin) = self.read_pin(&bytes, id)? {
                let until = after(object.modified, pin.limit_secs);
                pins.push(StoredPin { pin, until });
            }
        }
        Ok(pins)
    }

    /// A valid pin; none if its writer was removed.
    fn read_pin(&self, bytes: &[u8], id: Nonce) -> Result<Option<Pin>, RepoError> {
        let key = layout::pin(&id);
        let signed =
            Record::parse(bytes, self.id(), &key).map_err(|source| invalid(&key, source))?;
        let writer = self
            .trust()
            .writer(signed.key_id())
            .ok_or_else(|| RepoError::rule(&key, "it is signed by a key that is not trusted"))?;
        let pin: Pin = signed
            .open(&writer.key)
            .map_err(|source| invalid(&key, source))?;
        if (pin.repository, pin.id) != (self.id(), id) {
            return Err(RepoError::rule(&key, "it is the record of another place"));
        }
        if !has_a_role(writer, &pin.job) {
            let rule = format!("the key `{}` may not sign this", writer.name);
            return Err(RepoError::rule(&key, rule));
        }
        Ok(writer.removed.is_none().then_some(pin))
    }
}

fn has_a_role(writer: &Writer, job: &JobName) -> bool {
    let any = [Role::Write, Role::Maintain, Role::Prove];
    any.into_iter().any(|role| writer.may(role, job))
}
