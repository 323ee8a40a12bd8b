//! A change that somebody else has made, looked at by whoever stores it and has no key for it.

use std::collections::BTreeMap;

use backup_model::{Code, Digest, KeyObject};

use super::{
    Change, SeenTrust,
    made::{listed, told, unlisted},
};
use crate::{Record, RecordError, RepositoryRecord, TrustRecord, digest::digest};

/// Why a change of trust is not stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotAccepted {
    /// The root key did not sign the record, or not for this place.
    #[error("the record is not one that the repository's root key has signed for it")]
    Record(#[source] RecordError),
    /// It does not follow the newest one.
    #[error(
        "version {found} of trust was sent, which does not follow the newest, version {newest}: \
         somebody has changed trust meanwhile"
    )]
    NotNext {
        /// What came.
        found: u64,
        /// What is there.
        newest: u64,
    },
    /// It follows another record than the newest one.
    #[error("the record does not follow version {0} of trust, but another one of that version")]
    OtherBefore(u64),
    /// It breaks a rule that signatures do not cover.
    #[error("the record breaks a rule: {0}")]
    Rule(&'static str),
    /// It makes another of an object that is listed already.
    #[error("the record lists {0} with another content than the one before it")]
    Rewritten(String),
    /// An object that the record does not list, or that was listed before.
    #[error("{0} came along, which is no key file or canary that the record adds")]
    NotAdded(String),
    /// An object came twice.
    #[error("{0} came twice")]
    Twice(String),
    /// An object is not as the record says.
    #[error("{0} is not of the size and SHA-256 that the record says")]
    Differs(String),
    /// The record lists an object that nobody has sent.
    #[error("{0} did not come along, which the record adds")]
    Lacking(String),
}

impl NotAccepted {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Record(_) => Code::NotTrusted,
            Self::NotNext { .. } | Self::OtherBefore(_) => Code::Busy,
            Self::Rule(_)
            | Self::Rewritten(_)
            | Self::NotAdded(_)
            | Self::Twice(_)
            | Self::Differs(_)
            | Self::Lacking(_) => Code::TrustRefused,
        }
    }
}

impl Change {
    /// A change of a repository's trust, if it may be stored: the root key has signed its record,
    /// which follows the newest one, and with it came just what it adds, as it says.
    pub fn accept(
        repository: &RepositoryRecord,
        (current, newest): (&TrustRecord, Digest),
        objects: Vec<KeyObject>,
        record: String,
    ) -> Result<Self, NotAccepted> {
        let read = Record::parse_trust(record.as_bytes(), repository.repository);
        let (signed, _) = read.map_err(NotAccepted::Record)?;
        let opened = signed.open(&repository.root);
        let trust: TrustRecord = opened.map_err(NotAccepted::Record)?;
        follows(&trust, current, newest)?;
        let added = added(current, &trust)?;
        came_along(&objects, added)?;
        Ok(Self {
            objects,
            record,
            digest: signed.digest(),
            unlisted: unlisted(current, &trust),
            report: told(current, &trust),
            trust,
        })
    }

    /// What to remember once it is stored.
    pub fn seen(&self) -> SeenTrust {
        SeenTrust {
            version: self.trust.version,
            digest: self.digest,
        }
    }
}

fn follows(trust: &TrustRecord, current: &TrustRecord, newest: Digest) -> Result<(), NotAccepted> {
    if current.version.checked_add(1) != Some(trust.version) {
        return Err(NotAccepted::NotNext {
            found: trust.version,
            newest: current.version,
        });
    }
    if trust.prev != newest {
        return Err(NotAccepted::OtherBefore(current.version));
    }
    if trust.repository != current.repository {
        return Err(NotAccepted::Rule("it is the record of another place"));
    }
    trust
        .broken_rule()
        .map_or(Ok(()), |rule| Err(NotAccepted::Rule(rule)))
}

type Listed = BTreeMap<String, (u64, Digest)>;

/// What a record lists and the one before did not.
fn added(current: &TrustRecord, trust: &TrustRecord) -> Result<Listed, NotAccepted> {
    let by_name = |(name, size, sha256)| (name, (size, sha256));
    let before: Listed = listed(current).map(by_name).collect();
    let mut added = Listed::new();
    for (name, size, sha256) in listed(trust) {
        match before.get(&name) {
            None => drop(added.insert(name, (size, sha256))),
            Some(same) if *same == (size, sha256) => {}
            Some(_) => return Err(NotAccepted::Rewritten(name)),
        }
    }
    Ok(added)
}

/// That the objects are just those that are added, each as the record says.
fn came_along(objects: &[KeyObject], mut added: Listed) -> Result<(), NotAccepted> {
    let mut came = Vec::new();
    for KeyObject { object, bytes } in objects {
        if came.contains(&object) {
            return Err(NotAccepted::Twice(object.clone()));
        }
        let Some(expected) = added.remove(object) else {
            return Err(NotAccepted::NotAdded(object.clone()));
        };
        if (bytes.len() as u64, digest(bytes)) != expected {
            return Err(NotAccepted::Differs(object.clone()));
        }
        came.push(object);
    }
    match added.into_keys().next() {
        Some(name) => Err(NotAccepted::Lacking(name)),
        None => Ok(()),
    }
}
