//! What must be known of a repository to change its trust.
//!
//! It may come from somebody else, a daemon for example, who is not to be believed: the records
//! must bear the root key's signature, and of the files counts only what is as the newest record
//! says. What nobody but a memory can tell is whether that record is the newest; so whoever asks
//! again gives what they saw the last time.

use std::collections::BTreeMap;

use backup_model::{Code, Digest, KeyObject};

use crate::{
    Epoch, KeyFile, KeyFileName, PublicKey, Record, RecordError, RepositoryRecord, TrustRecord,
    digest::digest, names,
};

/// A trust record that was seen: no older one is believed any more, and no other of its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenTrust {
    /// Its version.
    pub version: u64,
    /// Its digest.
    pub digest: Digest,
}

/// What must be known of a repository to change its trust.
#[derive(Clone, Debug)]
pub struct Known {
    repository: RepositoryRecord,
    trust: TrustRecord,
    digest: Digest,
    objects: BTreeMap<String, Vec<u8>>,
    stored: Vec<String>,
}

/// Why what somebody tells of a repository's trust is not believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KnownError {
    /// Another root key than expected.
    #[error("repository.json is signed by {found}, not by {expected}")]
    OtherRoot {
        /// The key that it names.
        found: PublicKey,
        /// The key that was expected.
        expected: PublicKey,
    },
    /// A newer format.
    #[error("repository.json has format {0}, which this program does not know")]
    Newer(u32),
    /// A record is not what it must be.
    #[error("the record {key} is not valid")]
    Record {
        /// Its name, as far as it is known.
        key: String,
        /// Why.
        source: RecordError,
    },
    /// A record breaks a rule that signatures do not cover.
    #[error("the record {key} breaks a rule: {rule}")]
    Rule {
        /// Its name.
        key: String,
        /// Which.
        rule: &'static str,
    },
    /// It is older than what was seen.
    #[error(
        "trust is at version {found}, and was at {seen} before: the repository was rolled back"
    )]
    RolledBack {
        /// What is said to be the newest.
        found: u64,
        /// What was seen.
        seen: u64,
    },
    /// It is another than what was seen.
    #[error("version {0} of trust is another than it was before")]
    Forked(u64),
}

impl KnownError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::OtherRoot { .. } => Code::NotTrusted,
            Self::Newer(_) => Code::RepositoryNewer,
            Self::Record { .. } | Self::Rule { .. } => Code::RepositoryDamaged,
            Self::RolledBack { .. } | Self::Forked(_) => Code::RolledBack,
        }
    }
}

impl Known {
    /// Of records that were checked: the newest one of trust with its digest, the key files and
    /// canaries that it lists, and the names of all that are stored under `keys/`.
    pub fn new(
        repository: RepositoryRecord,
        (trust, digest): (TrustRecord, Digest),
        objects: Vec<KeyObject>,
        stored: Vec<String>,
    ) -> Self {
        let objects = objects.into_iter();
        Self {
            repository,
            trust,
            digest,
            objects: objects.map(|it| (it.object, it.bytes)).collect(),
            stored,
        }
    }

    /// The same out of the texts of the records, which somebody else has given. `root` is whose
    /// signature they must bear, and `seen` what was the newest record the last time.
    pub fn read(
        root: &PublicKey,
        (repository, trust): (&str, &str),
        objects: Vec<KeyObject>,
        stored: Vec<String>,
        seen: Option<SeenTrust>,
    ) -> Result<Self, KnownError> {
        let repository = read_repository(root, repository)?;
        let (trust, digest) = read_trust(&repository, trust)?;
        match seen {
            Some(seen) if trust.version < seen.version => {
                return Err(KnownError::RolledBack {
                    found: trust.version,
                    seen: seen.version,
                });
            }
            Some(seen) if trust.version == seen.version && digest != seen.digest => {
                return Err(KnownError::Forked(trust.version));
            }
            Some(_) | None => {}
        }
        Ok(Self::new(repository, (trust, digest), objects, stored))
    }

    /// `repository.json`.
    pub fn repository(&self) -> &RepositoryRecord {
        &self.repository
    }

    /// The newest trust record.
    pub fn trust(&self) -> &TrustRecord {
        &self.trust
    }

    /// What to remember of it.
    pub fn seen(&self) -> SeenTrust {
        SeenTrust {
            version: self.trust.version,
            digest: self.digest,
        }
    }

    /// A key file as trust lists it.
    pub(super) fn key_file(&self, epoch: u64, file: &KeyFile) -> Option<&[u8]> {
        let key = names::key_file(epoch, &file.administrator, file.number);
        self.object(&key, file.sha256)
    }

    /// A canary as trust lists it.
    pub(super) fn canary(&self, epoch: &Epoch) -> Option<&[u8]> {
        self.object(&names::canary(epoch.number), epoch.canary.sha256)
    }

    fn object(&self, key: &str, sha256: Digest) -> Option<&[u8]> {
        let bytes = self.objects.get(key)?;
        (digest(bytes) == sha256).then_some(bytes)
    }

    /// The key files that are stored, listed or not.
    pub(super) fn stored_files(&self) -> impl Iterator<Item = KeyFileName> {
        self.stored.iter().filter_map(|key| KeyFileName::parse(key))
    }

    /// Whether anything is stored of an epoch.
    pub(super) fn holds_any_of(&self, folder: &str) -> bool {
        let mut stored = self.stored.iter();
        stored.any(|key| {
            key.strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
        })
    }
}

fn read_repository(root: &PublicKey, text: &str) -> Result<RepositoryRecord, KnownError> {
    let key = names::REPOSITORY;
    let invalid = |source| KnownError::Record {
        key: key.to_owned(),
        source,
    };
    let read = Record::parse_root(text.as_bytes(), key, |it: &RepositoryRecord| it.repository);
    let (signed, record) = read.map_err(invalid)?;
    if record.root != *root {
        return Err(KnownError::OtherRoot {
            found: record.root,
            expected: root.clone(),
        });
    }
    signed.verify(root).map_err(invalid)?;
    if record.format > RepositoryRecord::FORMAT {
        return Err(KnownError::Newer(record.format));
    }
    Ok(record)
}

fn read_trust(
    repository: &RepositoryRecord,
    text: &str,
) -> Result<(TrustRecord, Digest), KnownError> {
    let read = Record::parse_trust(text.as_bytes(), repository.repository);
    let (signed, key) = read.map_err(|source| KnownError::Record {
        key: format!("{}/", names::TRUST),
        source,
    })?;
    let trust: TrustRecord =
        signed
            .open(&repository.root)
            .map_err(|source| KnownError::Record {
                key: key.clone(),
                source,
            })?;
    if trust.repository != repository.repository {
        let rule = "it is the record of another place";
        return Err(KnownError::Rule { key, rule });
    }
    match trust.broken_rule() {
        Some(rule) => Err(KnownError::Rule { key, rule }),
        None => Ok((trust, signed.digest())),
    }
}
