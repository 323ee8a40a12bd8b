//! The root key at work: from what is known to the next record, signed.

use backup_model::{Digest, KeyObject};
use jiff::Timestamp;

use super::{
    ChangeError, Known,
    made::{Change, told, unlisted},
};
use crate::{
    Edit, EditError, KeyFileName, NewKeyFile, NewWriter, Record, SecretKey, TrustRecord,
    digest::digest, names,
};

/// Who makes the next trust record of a repository. Nothing is stored here: each change is given
/// back whole.
#[derive(Debug)]
pub struct RootSigner<'a> {
    pub(super) known: &'a Known,
    root: &'a SecretKey,
    now: Timestamp,
}

impl<'a> RootSigner<'a> {
    /// Takes up the repository's root key.
    pub fn new(known: &'a Known, root: &'a SecretKey, now: Timestamp) -> Result<Self, ChangeError> {
        let expected = &known.repository().root;
        if root.public() != expected {
            return Err(ChangeError::NotRoot {
                found: root.public().clone(),
                expected: expected.clone(),
            });
        }
        Ok(Self { known, root, now })
    }

    /// Says in trust that these key files have shown to open their epochs.
    pub fn mark_tested(&self, files: &[KeyFileName]) -> Result<Change, ChangeError> {
        let next = self.trust().mark_tested(self.edit(), files);
        let mut change = self.change(next, Vec::new())?;
        change.report.epochs = files.iter().map(|file| file.epoch).collect();
        change.report.tested = true;
        Ok(change)
    }

    /// Lets a key sign.
    pub fn add_writer(&self, new: &NewWriter) -> Result<Change, ChangeError> {
        let root = &self.known.repository().root;
        self.change(self.trust().add_writer(self.edit(), root, new), Vec::new())
    }

    pub(super) fn trust(&self) -> &'a TrustRecord {
        self.known.trust()
    }

    pub(super) fn edit(&self) -> Edit {
        Edit {
            prev: self.known.seen().digest,
            now: self.now,
        }
    }

    /// The next record with the files that it lists, ready to be stored.
    pub(super) fn change(
        &self,
        next: Result<TrustRecord, EditError>,
        objects: Vec<KeyObject>,
    ) -> Result<Change, ChangeError> {
        let trust = next.map_err(ChangeError::Refused)?;
        let (record, digest) = trust.sign(self.root)?;
        Ok(Change {
            objects,
            record,
            digest,
            unlisted: unlisted(self.trust(), &trust),
            report: told(self.trust(), &trust),
            trust,
        })
    }
}

impl TrustRecord {
    /// Signs it for its place. Gives the record as it is stored, and its digest. What a reader would
    /// refuse is not signed.
    pub fn sign(&self, root: &SecretKey) -> Result<(String, Digest), ChangeError> {
        let key = names::trust(self.version);
        if let Some(rule) = self.broken_rule() {
            return Err(ChangeError::rule(key, rule));
        }
        let signed = Record::sign(self, self.repository, &key, root).and_then(|bytes| {
            let record = Record::parse_list(&bytes, self.repository, &key)?;
            let text = String::from_utf8(bytes);
            let text = text.map_err(|_| crate::RecordError::Shape("not UTF-8"))?;
            Ok((text, record.digest()))
        });
        signed.map_err(|source| ChangeError::Record { key, source })
    }
}

/// What a record says of a key file that was just made.
pub(super) fn new_file(name: &KeyFileName, file: &[u8]) -> NewKeyFile {
    NewKeyFile {
        epoch: name.epoch,
        number: name.number,
        size: file.len() as u64,
        sha256: digest(file),
        tested: false,
    }
}
