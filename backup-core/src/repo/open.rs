//! Opening: from a root key that the caller trusts to the writers and epochs that count.

use std::sync::Arc;

use backup_keys::{
    PublicKey, Recipient, Record, RepositoryRecord, Role, SecretKey, TrustRecord, Writer,
};
use backup_model::{Digest, JobName, RepositoryId, Seq};

use super::{Memory, RepoError};
use crate::{format::layout, store::Store};

/// The format that this program reads and writes.
pub(super) const FORMAT: u32 = RepositoryRecord::FORMAT;

/// Which root key to accept.
#[derive(Clone, Debug)]
pub enum TrustRoot {
    /// This one, from configuration, a recovery kit or the command line.
    Key(PublicKey),
    /// None is known: opening fails and names the key that the repository claims.
    Unknown,
}

/// An open repository.
#[derive(Clone, Debug)]
pub struct Repository {
    store: Store,
    record: RepositoryRecord,
    trust: TrustRecord,
    /// The digests of all trust records, from the first on.
    trust_chain: Vec<Digest>,
    /// What this machine has seen of it, if anybody remembers.
    pub(super) memory: Option<Arc<Memory>>,
    /// Who says that he reads, if anybody may.
    reader: Option<Arc<SecretKey>>,
}

impl Repository {
    /// Opens a repository and reads its whole chain of trust.
    pub async fn open(store: Store, root: &TrustRoot) -> Result<Self, RepoError> {
        let Some(bytes) = store.find(layout::REPOSITORY).await? else {
            let place = store.place().to_owned();
            return Err(if store.is_empty().await? {
                RepoError::Missing(place)
            } else {
                RepoError::NotOurs(place)
            });
        };
        let (signed, record) = read_root(&bytes, root)?;
        let (trust, trust_chain) = read_trust(&store, &record, 1, signed.digest()).await?;
        Ok(Self {
            store,
            record,
            trust,
            trust_chain,
            memory: None,
            reader: None,
        })
    }

    /// The same, read by somebody who may say so: what is read is pinned meanwhile.
    #[must_use]
    pub fn read_by(self, key: Arc<SecretKey>) -> Self {
        Self {
            reader: Some(key),
            ..self
        }
    }

    /// Who says that he reads.
    pub(super) fn reader(&self) -> Option<&SecretKey> {
        self.reader.as_deref()
    }

    /// The objects.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The repository's id.
    pub fn id(&self) -> RepositoryId {
        self.record.repository
    }

    /// `repository.json`.
    pub fn record(&self) -> &RepositoryRecord {
        &self.record
    }

    /// The newest trust record.
    pub fn trust(&self) -> &TrustRecord {
        &self.trust
    }

    /// The digest of the newest trust record, which the next one names.
    pub(crate) fn trust_digest(&self) -> Digest {
        self.trust_chain.last().copied().unwrap_or(Digest([0; 32]))
    }

    /// The digests of all trust records, from the first on.
    pub(super) fn trust_chain(&self) -> &[Digest] {
        &self.trust_chain
    }

    /// The epoch for new data, and what to encrypt to.
    pub fn current_epoch(&self) -> Result<(u64, Recipient), RepoError> {
        let key = layout::trust(self.trust.version);
        let epoch = self
            .trust
            .current_epoch()
            .ok_or_else(|| RepoError::rule(&key, "it has no epoch"))?;
        let recipient = epoch.recipient.parse();
        recipient
            .map(|recipient| (epoch.number, recipient))
            .map_err(|_| RepoError::rule(&key, "an epoch's recipient is not one"))
    }

    /// The key that rightly signs a record of a run, or why there is none.
    pub(super) fn signer(
        &self,
        record: &Record,
        key: &str,
        roles: &[Role],
        job: &JobName,
        seq: Seq,
    ) -> Result<&PublicKey, RepoError> {
        let writer = self
            .trust
            .writer(record.key_id())
            .ok_or_else(|| RepoError::rule(key, "it is signed by a key that is not trusted"))?;
        if !roles.iter().any(|&role| writer.may(role, job)) {
            let covered = writer.jobs.as_ref().is_none_or(|jobs| jobs.contains(job));
            let why = if covered {
                "it does not have the role"
            } else {
                "it is not for this job"
            };
            let rule = format!("the key `{}` may not sign this: {why}", writer.name);
            return Err(RepoError::rule(key, rule));
        }
        if !writer.counts(job, seq, record.digest()) {
            record
                .verify(&writer.key)
                .map_err(|source| invalid(key, source))?;
            return Err(RepoError::NotAccepted {
                key: key.to_owned(),
                writer: writer.name.clone(),
                digest: record.digest(),
            });
        }
        Ok(&writer.key)
    }

    /// The key that rightly signs a record of the whole repository, a forget or a prune's, or why
    /// there is none. What a maintainer signed before its removal `counts`, or not.
    pub(super) fn maintainer(
        &self,
        record: &Record,
        key: &str,
        counts: impl FnOnce(&Writer) -> bool,
    ) -> Result<&PublicKey, RepoError> {
        let writer = self
            .trust
            .writer(record.key_id())
            .ok_or_else(|| RepoError::rule(key, "it is signed by a key that is not trusted"))?;
        if let Some(rule) = no_maintainer(writer) {
            let rule = format!("the key `{}` may not sign this: {rule}", writer.name);
            return Err(RepoError::rule(key, rule));
        }
        if !counts(writer) {
            let rule = format!("the key `{}` was removed before it", writer.name);
            return Err(RepoError::rule(key, rule));
        }
        Ok(&writer.key)
    }

    /// Fails if trust has changed since this repository was opened: who decides something for all
    /// must know who may.
    pub(super) async fn trust_is_newest(&self) -> Result<(), RepoError> {
        let next = layout::trust(self.trust.version.saturating_add(1));
        match self.store.size(&next).await? {
            None => Ok(()),
            Some(_) => Err(RepoError::Outdated(next)),
        }
    }

    /// The newest trust record, if there is a newer one than when this repository was opened.
    pub(super) async fn newer_trust(&self) -> Result<Option<TrustRecord>, RepoError> {
        let next = layout::trust(self.trust.version.saturating_add(1));
        if self.store.size(&next).await?.is_none() {
            return Ok(None);
        }
        let before = self.trust_digest();
        let first = self.trust.version + 1;
        let (trust, _) = read_trust(&self.store, &self.record, first, before).await?;
        Ok(Some(trust))
    }

    /// Whether a key may forget, prune and fence.
    pub(crate) fn may_maintain(&self, key: &SecretKey) -> Result<(), RepoError> {
        let rule = match self.trust.writer(key.public().key_id()) {
            None => Some("the repository does not know it"),
            Some(writer) if writer.removed.is_some() => Some("it was removed"),
            Some(writer) => no_maintainer(writer),
        };
        rule.map_or(Ok(()), |rule| {
            Err(RepoError::Maintainer {
                key: key.public().clone(),
                rule,
            })
        })
    }
}

/// Why a writer is no maintainer of the whole repository, and was none before its removal.
fn no_maintainer(writer: &Writer) -> Option<&'static str> {
    if !writer.roles.contains(&Role::Maintain) {
        Some("it does not have the role `maintain`")
    } else if writer.jobs.is_some() {
        Some("it has the role `maintain` for some jobs only")
    } else {
        None
    }
}

fn read_root(bytes: &[u8], root: &TrustRoot) -> Result<(Record, RepositoryRecord), RepoError> {
    let key = layout::REPOSITORY;
    // The format is looked at first: whatever else a newer one changes, it says so.
    if let Some(found) = format_of(bytes).filter(|&found| found > FORMAT) {
        return Err(RepoError::Newer {
            found,
            known: FORMAT,
        });
    }
    let (signed, record) =
        Record::parse_root::<RepositoryRecord>(bytes, key, |record| record.repository)
            .map_err(|source| invalid(key, source))?;
    match root {
        TrustRoot::Key(expected) if *expected == record.root => {}
        TrustRoot::Key(expected) => {
            return Err(RepoError::OtherRoot {
                found: record.root,
                expected: expected.clone(),
            });
        }
        TrustRoot::Unknown => return Err(RepoError::Untrusted(record.root)),
    }
    signed
        .verify(&record.root)
        .map_err(|source| invalid(key, source))?;
    Ok((signed, record))
}

fn format_of(bytes: &[u8]) -> Option<u32> {
    let line = bytes.split(|&b| b == b'\n').next()?;
    let value: serde_json::Value = serde_json::from_slice(line).ok()?;
    u32::try_from(value.get("format")?.as_u64()?).ok()
}

/// Reads all versions from one on: each must name the one before.
async fn read_trust(
    store: &Store,
    repository: &RepositoryRecord,
    first: u64,
    before: Digest,
) -> Result<(TrustRecord, Vec<Digest>), RepoError> {
    let mut versions: Vec<u64> = store
        .list(layout::TRUST)
        .await?
        .iter()
        .filter_map(|object| layout::parse_trust(&object.key))
        .collect();
    versions.sort_unstable();
    let highest = versions.last().copied().unwrap_or(first);
    let mut prev = before;
    let mut chain = Vec::new();
    let mut newest = None;
    // A listing may be late, so what follows is asked for by name.
    for version in first.. {
        let key = layout::trust(version);
        let Some(bytes) = store.find(&key).await? else {
            if version > highest {
                break;
            }
            return Err(RepoError::RecordMissing(key));
        };
        let signed = Record::parse_list(&bytes, repository.repository, &key)
            .map_err(|source| invalid(&key, source))?;
        let trust: TrustRecord = signed
            .open(&repository.root)
            .map_err(|source| invalid(&key, source))?;
        if trust.version != version || trust.repository != repository.repository {
            return Err(RepoError::rule(&key, "it is the record of another place"));
        }
        if trust.prev != prev {
            return Err(RepoError::rule(&key, "it does not follow the one before"));
        }
        if let Some(rule) = trust.broken_rule() {
            return Err(RepoError::rule(&key, rule));
        }
        prev = signed.digest();
        chain.push(prev);
        newest = Some(trust);
    }
    let newest = newest.ok_or_else(|| RepoError::RecordMissing(layout::trust(first)))?;
    Ok((newest, chain))
}

pub(super) fn invalid(key: &str, source: backup_keys::RecordError) -> RepoError {
    RepoError::Record {
        key: key.to_owned(),
        source,
    }
}
