//! The last word on a stream that is read: its length and its own digest.
//!
//! The digest of a `files` stream is over those of its entries, whose list flows along: an entry
//! that is not what the list says is named at the end.

use std::io::{self, Read};

use backup_model::Digest;
use sha2::{Digest as _, Sha256};

use crate::{format::Entry, repo::RepoError};

/// The entries that a stream is made of, in its order.
pub type EntryList = Box<dyn Iterator<Item = Result<Entry, RepoError>> + Send>;

/// What a stream must turn out to be.
pub struct Expected {
    /// Its name, for messages.
    pub name: String,
    /// Its length.
    pub length: u64,
    /// Its digest; `None` if it is only some entries of a whole that has one.
    pub digest: Option<Digest>,
    /// Its entries, if it is made of them.
    pub entries: Option<EntryList>,
}

impl std::fmt::Debug for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Expected({}, {} bytes)", self.name, self.length)
    }
}

/// Passes a stream on and fails at its end unless it is the one expected. Whoever reads must read
/// to the end before believing any of it.
#[derive(Debug)]
pub struct CheckedReader<R> {
    inner: R,
    name: String,
    expected_length: u64,
    expected: Option<Digest>,
    digest: StreamDigest,
    length: u64,
}

impl<R: Read> CheckedReader<R> {
    /// Wraps a stream.
    pub fn new(inner: R, expected: Expected) -> Self {
        Self {
            inner,
            digest: StreamDigest::new(expected.entries),
            expected_length: expected.length,
            expected: expected.digest,
            name: expected.name,
            length: 0,
        }
    }

    /// Bytes read so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    fn verdict(&mut self) -> Result<(), RepoError> {
        let name = &self.name;
        let differs = |entry: &str, expected: String, found: String| RepoError::ObjectDiffers {
            key: format!("stream {name}{entry}"),
            expected,
            found,
        };
        if self.length != self.expected_length {
            return Err(differs(
                "",
                format!("{} bytes", self.expected_length),
                format!("{} bytes", self.length),
            ));
        }
        let found = match &mut self.digest {
            StreamDigest::Bytes(digest) => Digest(digest.clone().finalize().into()),
            StreamDigest::Entries(entries) => match entries.finish()? {
                Ok(found) => found,
                Err(Odd { path, found }) => {
                    let entry = format!(", entry {path}");
                    return Err(differs(&entry, "the listed digest".to_owned(), found));
                }
            },
        };
        match self.expected {
            Some(expected) if expected != found => {
                Err(differs("", format!("digest {expected}"), found.to_string()))
            }
            _ => Ok(()),
        }
    }
}

impl<R: Read> Read for CheckedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if read == 0 && !buffer.is_empty() {
            self.verdict().map_err(io::Error::other)?;
            return Ok(0);
        }
        self.digest
            .update(&buffer[..read])
            .map_err(io::Error::other)?;
        self.length += read as u64;
        Ok(read)
    }
}

/// SHA-256 of a stream's bytes, or of its entries' digests.
#[derive(Debug)]
enum StreamDigest {
    Bytes(Sha256),
    Entries(Box<EntriesDigest>),
}

/// An entry that is not as listed.
#[derive(Clone, Debug)]
struct Odd {
    path: String,
    found: String,
}

struct EntriesDigest {
    entries: EntryList,
    current: Option<(Entry, u64, Sha256)>,
    whole: Sha256,
    odd: Option<Odd>,
}

impl std::fmt::Debug for EntriesDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EntriesDigest")
    }
}

impl StreamDigest {
    fn new(entries: Option<EntryList>) -> Self {
        entries.map_or_else(
            || Self::Bytes(Sha256::new()),
            |entries| {
                Self::Entries(Box::new(EntriesDigest {
                    entries,
                    current: None,
                    whole: Sha256::new(),
                    odd: None,
                }))
            },
        )
    }

    fn update(&mut self, bytes: &[u8]) -> Result<(), RepoError> {
        match self {
            Self::Bytes(digest) => digest.update(bytes),
            Self::Entries(entries) => entries.update(bytes)?,
        }
        Ok(())
    }
}

impl EntriesDigest {
    fn update(&mut self, mut bytes: &[u8]) -> Result<(), RepoError> {
        while !bytes.is_empty() && self.odd.is_none() {
            let Some((entry, rest, mut digest)) = self.begun()? else {
                self.odd = Some(Odd {
                    path: "after the last".to_owned(),
                    found: format!("{} more bytes", bytes.len()),
                });
                return Ok(());
            };
            let taken = usize::try_from(rest).unwrap_or(usize::MAX).min(bytes.len());
            digest.update(&bytes[..taken]);
            bytes = &bytes[taken..];
            let rest = rest - taken as u64;
            if rest > 0 {
                self.current = Some((entry, rest, digest));
                continue;
            }
            let found = Digest(digest.finalize().into());
            if found != entry.sha256 {
                self.odd = Some(odd(&entry, found.to_string()));
            }
            self.whole.update(found.0);
        }
        Ok(())
    }

    /// The entry that has begun, or the next one.
    fn begun(&mut self) -> Result<Option<(Entry, u64, Sha256)>, RepoError> {
        if self.current.is_some() {
            return Ok(self.current.take());
        }
        let entry = self.entries.next().transpose()?;
        Ok(entry.map(|entry| {
            let length = entry.length;
            (entry, length, Sha256::new())
        }))
    }

    /// The digest of digests, or the first entry that is not as listed.
    fn finish(&mut self) -> Result<Result<Digest, Odd>, RepoError> {
        if let Some(odd) = &self.odd {
            return Ok(Err(odd.clone()));
        }
        if let Some((entry, rest, _)) = &self.current {
            return Ok(Err(odd(entry, format!("{rest} bytes less"))));
        }
        if let Some(entry) = self.entries.next().transpose()? {
            return Ok(Err(odd(&entry, "nothing".to_owned())));
        }
        Ok(Ok(Digest(self.whole.clone().finalize().into())))
    }
}

fn odd(entry: &Entry, found: String) -> Odd {
    let path = entry.node.as_ref().map(|node| &node.path[..]);
    Odd {
        path: String::from_utf8_lossy(path.unwrap_or(b"at the end")).into_owned(),
        found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sha(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    fn read(bytes: &[u8], expected: Expected) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        CheckedReader::new(bytes, expected).read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn a_stream_must_be_the_one_expected() {
        let expected = |length, digest| Expected {
            name: "s".into(),
            length,
            digest: Some(digest),
            entries: None,
        };
        assert!(read(b"hello", expected(5, sha(b"hello"))).is_ok());
        assert!(read(b"hello", expected(4, sha(b"hello"))).is_err());
        assert!(read(b"hellO", expected(5, sha(b"hello"))).is_err());
    }

    #[test]
    fn entries_must_cover_the_stream_exactly() {
        let entry = |bytes: &[u8]| {
            Ok(Entry {
                length: bytes.len() as u64,
                sha256: sha(bytes),
                node: None,
            })
        };
        let whole = sha(&[sha(b"hel").0, sha(b"lo").0].concat());
        let expected = |digest, entries: Vec<Result<Entry, RepoError>>| Expected {
            name: "s".into(),
            length: 5,
            digest,
            entries: Some(Box::new(entries.into_iter())),
        };
        for digest in [Some(whole), None] {
            let both = || vec![entry(b"hel"), entry(b"lo")];
            assert!(read(b"hello", expected(digest, both())).is_ok());
            assert!(read(b"hello", expected(digest, vec![entry(b"hel")])).is_err());
            let more = vec![entry(b"hel"), entry(b"lo"), entry(b"x")];
            assert!(read(b"hello", expected(digest, more)).is_err());
            assert!(read(b"hexlo", expected(digest, both())).is_err());
        }
        let other = Some(sha(b"other"));
        let both = vec![entry(b"hel"), entry(b"lo")];
        assert!(read(b"hello", expected(other, both)).is_err());
        let broken = vec![entry(b"hel"), Err(RepoError::Random)];
        assert!(read(b"hello", expected(None, broken)).is_err());
    }
}
