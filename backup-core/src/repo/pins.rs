//! Pins: whoever reads a snapshot says so, and prune leaves what it names.
//!
//! A pin is created first and then looked whether it came too late: a prune that has not read the
//! pins yet will see it, and of one that has, the plan is there to be read. What a pin does not
//! cover may still be read; a pack that is then missing of a snapshot that was forgotten meanwhile
//! is no damage.

use backup_keys::{Record, Role, SecretKey, Writer};
use backup_model::{JobName, Nonce};
use jiff::Timestamp;

use super::{
    RepoError, Repository, RunRecord, load_refs, open::invalid, run::random_nonce, sign::sign,
    unended::after,
};
use crate::{
    format::{Pin, layout},
    store::Put,
};

/// After so many seconds a pin no longer counts, whatever it says: whoever wrote it has died, or
/// reads very slowly.
const LIMIT_SECS: u64 = 24 * 60 * 60;

/// A snapshot that is protected while it is read.
#[derive(Debug)]
pub(crate) struct Pinned(Nonce);

/// A pin that is stored.
#[derive(Debug)]
pub(crate) struct StoredPin {
    pub(crate) id: Nonce,
    /// Until when it counts, by the store's clock.
    pub(crate) until: Timestamp,
    /// What it says, if it can be read. While one that cannot might count, nobody knows what it
    /// protects.
    pub(crate) pin: Result<Pin, RepoError>,
}

impl Repository {
    /// Protects a snapshot while it is read. `None` if nobody here may write pins, if that does not
    /// work now, or if a prune is about to delete something of it: it may be read all the same,
    /// unless it was forgotten, which is an error.
    pub(crate) async fn pin(&self, record: &RunRecord) -> Result<Option<Pinned>, RepoError> {
        let name = &record.name;
        let Some(key) = self.reader() else {
            return Ok(None);
        };
        if !self.may_pin(key.public().key_id(), &name.job) {
            return Ok(None);
        }
        let Ok((pinned, covered)) = self.create_pin(key, record).await else {
            // Damage is for the reader to find and to tell; and he can do without a pin.
            return Ok(None);
        };
        // Plans were looked at; now whether the run is dead.
        let forgotten = self.forgotten().await;
        let dead = forgotten.as_ref().ok();
        let dead = dead.and_then(|forgotten| forgotten.dead(&name.job, name.seq));
        if let Some(dead) = dead {
            self.unpin(pinned).await;
            let run = name.clone();
            return Err(RepoError::Forgotten { run, why: dead.why });
        }
        if covered && forgotten.is_ok() {
            return Ok(Some(pinned));
        }
        self.unpin(pinned).await;
        Ok(None)
    }

    /// Creates a pin, and says whether no prune was there first.
    async fn create_pin(
        &self,
        key: &SecretKey,
        record: &RunRecord,
    ) -> Result<(Pinned, bool), RepoError> {
        let commit = record.commit()?;
        let refs = load_refs(self, commit).await?;
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
        if self.store().put_new(&object, bytes.into()).await? == Put::Taken {
            return Err(RepoError::Contended(layout::PINS));
        }
        let doomed = self.doomed().await;
        let covered = doomed.is_ok_and(|doomed| doomed.spares(&pin, &refs));
        Ok((Pinned(pin.id), covered))
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

    /// All pins, whether or not they still count. One that was taken away meanwhile is none.
    pub(crate) async fn pins(&self) -> Result<Vec<StoredPin>, RepoError> {
        let mut pins = Vec::new();
        for object in self.store().list(layout::PINS).await? {
            let Some(id) = layout::parse_pin(&object.key) else {
                continue;
            };
            let Some(bytes) = self.store().find(&object.key).await? else {
                continue;
            };
            let (limit_secs, pin) = match self.read_pin(&bytes, id) {
                Ok(Some(pin)) => (pin.limit_secs.min(LIMIT_SECS), Ok(pin)),
                // Its writer was removed.
                Ok(None) => continue,
                Err(error) => (LIMIT_SECS, Err(error)),
            };
            let until = after(object.modified, limit_secs);
            pins.push(StoredPin { id, until, pin });
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
