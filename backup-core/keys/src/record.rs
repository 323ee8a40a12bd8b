//! Records: one line of JSON and a minisign signature bound to the place where it is stored.
//!
//! A record is read in three steps, each of which can refuse: [`Record::parse`] takes the five
//! lines apart and compares the place; [`Record::verify`] checks the signature with the key that
//! the caller says must have made it; [`Record::open`] parses the JSON and refuses every spelling
//! but the canonical one, so that equal records have equal digests. Nothing of the JSON is believed
//! before the signature holds; callers that must find out which key to ask for look at the key id
//! or peek at the type, and then verify.

use std::fmt;

use backup_model::{Digest, RepositoryId};
use minisign::SignatureBox;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

use crate::{PublicKey, SecretKey, SigningError, TrustRecord, names};

/// No record is longer, but those that list what a repository holds.
const MAX_BYTES: usize = 1 << 20;
/// Nor are they.
const MAX_LIST_BYTES: usize = 64 << 20;

const UNTRUSTED: &str = "backupd record";
const UNTRUSTED_LINE: &str = "untrusted comment: backupd record";

/// What is wrong with a record. The object key is the caller's to add.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Longer than its kind may be.
    #[error("not a signed record: over {} MiB", .0 >> 20)]
    TooLong(usize),
    /// Not five lines of the right shape.
    #[error("not a signed record: {0}")]
    Shape(&'static str),
    /// Signed for another repository or another place.
    #[error("signed as `{found}`, not as `{expected}`")]
    Place {
        /// The trusted comment in the record.
        found: String,
        /// The trusted comment that belongs here.
        expected: String,
    },
    /// The signature does not hold, or is by another key.
    #[error("not signed by {0}")]
    Signature(PublicKey),
    /// Rightly signed, but not JSON of the right type.
    #[error("signed, but not a valid record")]
    Json(#[source] serde_json::Error),
    /// Rightly signed JSON in another spelling than the canonical one.
    #[error("signed, but not in canonical form")]
    NotCanonical,
    /// A new record could not be signed.
    #[error("could not sign a record")]
    Sign(#[source] SigningError),
}

/// A type that is signed as a record. Its JSON begins with `type`; unknown and misplaced keys
/// need no refusal of their own, since what is written again without them differs.
pub trait RecordKind: Serialize + DeserializeOwned {}

/// The five lines, taken apart; the signature is not yet checked.
pub struct Record {
    line: String,
    signature: SignatureBox,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({})", self.line.trim_end())
    }
}

impl Record {
    /// Writes and signs a record for the place `key` in a repository.
    pub fn sign<T: RecordKind>(
        value: &T,
        repository: RepositoryId,
        key: &str,
        by: &SecretKey,
    ) -> Result<Vec<u8>, RecordError> {
        let mut text = serde_json::to_string(value).map_err(RecordError::Json)?;
        text.push('\n');
        let signature = by
            .sign(text.as_bytes(), &place(repository, key), UNTRUSTED)
            .map_err(RecordError::Sign)?;
        text.push_str(&signature);
        Ok(text.into_bytes())
    }

    /// Takes the lines apart and compares the place.
    pub fn parse(bytes: &[u8], repository: RepositoryId, key: &str) -> Result<Self, RecordError> {
        Self::parse_within(MAX_BYTES, bytes, repository, key)
    }

    /// The same for a record that lists what a repository holds, and may be long: a forget, or a
    /// prune's.
    pub fn parse_list(
        bytes: &[u8],
        repository: RepositoryId,
        key: &str,
    ) -> Result<Self, RecordError> {
        Self::parse_within(MAX_LIST_BYTES, bytes, repository, key)
    }

    fn parse_within(
        most: usize,
        bytes: &[u8],
        repository: RepositoryId,
        key: &str,
    ) -> Result<Self, RecordError> {
        let record = Self::parse_anywhere(most, bytes)?;
        let expected = place(repository, key);
        let found = record
            .signature
            .trusted_comment()
            .map_err(|_| RecordError::Shape("its trusted comment is not readable"))?;
        if found != expected {
            return Err(RecordError::Place { found, expected });
        }
        Ok(record)
    }

    /// Takes the lines apart without knowing the place yet: only for records that say it themselves.
    /// The caller must then compare the place.
    fn parse_anywhere(most: usize, bytes: &[u8]) -> Result<Self, RecordError> {
        if bytes.len() > most {
            return Err(RecordError::TooLong(most));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| RecordError::Shape("not UTF-8"))?;
        let whole = text.ends_with('\n') && text.matches('\n').count() == 5;
        if !whole || text.contains('\r') {
            return Err(RecordError::Shape("not five lines"));
        }
        let (line, rest) = text
            .split_once('\n')
            .ok_or(RecordError::Shape("not five lines"))?;
        if rest.lines().next() != Some(UNTRUSTED_LINE) {
            return Err(RecordError::Shape("its second line is another"));
        }
        let signature = SignatureBox::from_string(rest)
            .map_err(|_| RecordError::Shape("its signature is not readable"))?;
        if signature.to_string() != rest {
            return Err(RecordError::Shape("its signature has another spelling"));
        }
        Ok(Self {
            line: format!("{line}\n"),
            signature,
        })
    }

    /// The id of the key that signed, by its own account.
    pub fn key_id(&self) -> [u8; 8] {
        let mut id = [0; 8];
        for (to, from) in id.iter_mut().zip(self.signature.keynum()) {
            *to = *from;
        }
        id
    }

    /// The record's digest: SHA-256 of its first line with its line feed.
    pub fn digest(&self) -> Digest {
        Digest(Sha256::digest(self.line.as_bytes()).into())
    }

    /// Checks that `key` signed it.
    pub fn verify(&self, key: &PublicKey) -> Result<(), RecordError> {
        key.verify(self.line.as_bytes(), &self.signature)
            .map_err(|_| RecordError::Signature(key.clone()))
    }

    /// Checks the signature, then parses.
    pub fn open<T: RecordKind>(&self, key: &PublicKey) -> Result<T, RecordError> {
        self.verify(key)?;
        self.peek()
    }

    /// Parses without checking the signature: only to find out what to compare the key with.
    pub fn peek<T: RecordKind>(&self) -> Result<T, RecordError> {
        let value: T = serde_json::from_str(&self.line).map_err(RecordError::Json)?;
        let mut again = serde_json::to_string(&value).map_err(RecordError::Json)?;
        again.push('\n');
        if again != self.line {
            return Err(RecordError::NotCanonical);
        }
        Ok(value)
    }

    /// Reads `repository.json`, whose id is inside it: the place is compared with that id.
    pub fn parse_root<T: RecordKind>(
        bytes: &[u8],
        key: &str,
        id: impl FnOnce(&T) -> RepositoryId,
    ) -> Result<(Self, T), RecordError> {
        let value: T = Self::parse_anywhere(MAX_BYTES, bytes)?.peek()?;
        let record = Self::parse(bytes, id(&value), key)?;
        Ok((record, value))
    }

    /// Reads a trust record, whose version is inside it: the place is compared with that version.
    /// Gives the place, too.
    pub(crate) fn parse_trust(
        bytes: &[u8],
        repository: RepositoryId,
    ) -> Result<(Self, String), RecordError> {
        let value: TrustRecord = Self::parse_anywhere(MAX_LIST_BYTES, bytes)?.peek()?;
        let key = names::trust(value.version);
        let record = Self::parse_list(bytes, repository, &key)?;
        Ok((record, key))
    }
}

fn place(repository: RepositoryId, key: &str) -> String {
    format!("{repository} {key}")
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Note {
        r#type: String,
        text: String,
    }
    impl RecordKind for Note {}

    const ID: RepositoryId = RepositoryId([7; 16]);

    fn signed(key: &SecretKey) -> Vec<u8> {
        let note = Note {
            r#type: "note".into(),
            text: "hello".into(),
        };
        Record::sign(&note, ID, "notes/1.json", key).unwrap()
    }

    #[test]
    fn a_record_opens_at_its_place_with_its_key_only() {
        let (key, other) = (
            SecretKey::generate().unwrap(),
            SecretKey::generate().unwrap(),
        );
        let bytes = signed(&key);
        let record = Record::parse(&bytes, ID, "notes/1.json").unwrap();
        assert_eq!(record.key_id(), key.public().key_id());
        assert_eq!(record.open::<Note>(key.public()).unwrap().text, "hello");
        assert!(matches!(
            record.open::<Note>(other.public()),
            Err(RecordError::Signature(_))
        ));
        assert!(matches!(
            Record::parse(&bytes, ID, "notes/2.json"),
            Err(RecordError::Place { .. })
        ));
        assert!(matches!(
            Record::parse(&bytes, RepositoryId([8; 16]), "notes/1.json"),
            Err(RecordError::Place { .. })
        ));
    }

    /// Every single-byte change and every truncation is refused, wherever it hits.
    #[test]
    fn no_changed_record_opens() {
        let key = SecretKey::generate().unwrap();
        let bytes = signed(&key);
        let opens = |bytes: &[u8]| {
            Record::parse(bytes, ID, "notes/1.json").and_then(|r| r.open::<Note>(key.public()))
        };
        assert!(opens(&bytes).is_ok());
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            assert!(opens(&bad).is_err(), "byte {at} flipped");
            assert!(opens(&bytes[..at]).is_err(), "cut to {at} bytes");
        }
        assert!(opens(&[&bytes[..], b"\n"].concat()).is_err());
        let note = |len: usize| Note {
            r#type: "note".into(),
            text: "x".repeat(len),
        };
        let long = |len| Record::sign(&note(len), ID, "notes/1.json", &key).unwrap();
        assert!(opens(&long(1_000_000)).is_ok());
        assert!(opens(&long(1 << 20)).is_err());
    }

    #[test]
    fn other_spellings_of_the_same_json_are_refused() {
        let key = SecretKey::generate().unwrap();
        for line in [
            r#"{"type": "note","text":"hello"}"#,
            r#"{"text":"hello","type":"note"}"#,
            r#"{"type":"note","text":"hell\u006f"}"#,
        ] {
            let line = format!("{line}\n");
            let signature = key
                .sign(line.as_bytes(), &place(ID, "notes/1.json"), UNTRUSTED)
                .unwrap();
            let bytes = format!("{line}{signature}");
            let record = Record::parse(bytes.as_bytes(), ID, "notes/1.json").unwrap();
            assert!(
                matches!(
                    record.open::<Note>(key.public()),
                    Err(RecordError::NotCanonical)
                ),
                "{line}"
            );
        }
    }
}
