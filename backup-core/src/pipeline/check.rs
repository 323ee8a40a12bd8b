//! The last word on a stream that is read: its length and its own digest.

use std::io::{self, Read};

use backup_model::Digest;
use sha2::{Digest as _, Sha256};

use crate::repo::RepoError;

/// Length and digest of one entry of a `files` stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryDigest {
    /// Bytes of tar: headers, content, padding.
    pub length: u64,
    /// SHA-256 of them.
    pub sha256: Digest,
}

/// What a stream must turn out to be.
#[derive(Debug)]
pub struct Expected {
    /// Its name, for messages.
    pub name: String,
    /// Its length.
    pub length: u64,
    /// Its digest.
    pub digest: Digest,
    /// Its entries, if the digest is over theirs.
    pub entries: Option<Vec<EntryDigest>>,
}

/// Passes a stream on and fails at its end unless it is the one expected. Whoever reads must read
/// to the end before believing any of it.
#[derive(Debug)]
pub struct CheckedReader<R> {
    inner: R,
    name: String,
    expected: (u64, Digest),
    digest: StreamDigest,
    length: u64,
}

impl<R: Read> CheckedReader<R> {
    /// Wraps a stream.
    pub fn new(inner: R, expected: Expected) -> Self {
        Self {
            inner,
            digest: StreamDigest::new(expected.entries),
            expected: (expected.length, expected.digest),
            name: expected.name,
            length: 0,
        }
    }

    /// Bytes read so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    fn verdict(&self) -> io::Result<()> {
        let differs = |expected: String, found: String| {
            io::Error::other(RepoError::ObjectDiffers {
                key: format!("stream {}", self.name),
                expected,
                found,
            })
        };
        let (length, digest) = self.expected;
        if self.length != length {
            return Err(differs(
                format!("{length} bytes"),
                format!("{} bytes", self.length),
            ));
        }
        match self.digest.clone().finish() {
            Some(found) if found == digest => Ok(()),
            found => Err(differs(
                format!("digest {digest}"),
                found.map_or_else(|| "entries that do not agree".to_owned(), |d| d.to_string()),
            )),
        }
    }
}

impl<R: Read> Read for CheckedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if read == 0 && !buffer.is_empty() {
            self.verdict()?;
            return Ok(0);
        }
        self.digest.update(&buffer[..read]);
        self.length += read as u64;
        Ok(read)
    }
}

/// SHA-256 of a stream's bytes, or of its entries' digests.
#[derive(Clone, Debug)]
enum StreamDigest {
    Bytes(Sha256),
    Entries(Box<EntriesDigest>),
}

#[derive(Clone, Debug)]
struct EntriesDigest {
    entries: std::vec::IntoIter<EntryDigest>,
    current: Option<(EntryDigest, u64, Sha256)>,
    whole: Sha256,
    agree: bool,
}

impl StreamDigest {
    fn new(entries: Option<Vec<EntryDigest>>) -> Self {
        entries.map_or_else(
            || Self::Bytes(Sha256::new()),
            |entries| {
                Self::Entries(Box::new(EntriesDigest {
                    entries: entries.into_iter(),
                    current: None,
                    whole: Sha256::new(),
                    agree: true,
                }))
            },
        )
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Bytes(digest) => digest.update(bytes),
            Self::Entries(entries) => entries.update(bytes),
        }
    }

    /// The digest; `None` if entries do not agree with the bytes.
    fn finish(self) -> Option<Digest> {
        match self {
            Self::Bytes(digest) => Some(Digest(digest.finalize().into())),
            Self::Entries(mut entries) => {
                let all = entries.agree && entries.current.is_none();
                (all && entries.entries.next().is_none())
                    .then(|| Digest(entries.whole.finalize().into()))
            }
        }
    }
}

impl EntriesDigest {
    fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.agree {
            let current = self.current.take();
            let begun = current.or_else(|| {
                let entry = self.entries.next()?;
                Some((entry, entry.length, Sha256::new()))
            });
            let Some((entry, rest, mut digest)) = begun else {
                self.agree = false;
                return;
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
            self.agree = found == entry.sha256;
            self.whole.update(found.0);
        }
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
            digest,
            entries: None,
        };
        assert!(read(b"hello", expected(5, sha(b"hello"))).is_ok());
        assert!(read(b"hello", expected(4, sha(b"hello"))).is_err());
        assert!(read(b"hellO", expected(5, sha(b"hello"))).is_err());
    }

    #[test]
    fn entries_must_cover_the_stream_exactly() {
        let entry = |bytes: &[u8]| EntryDigest {
            length: bytes.len() as u64,
            sha256: sha(bytes),
        };
        let whole = sha(&[sha(b"hel").0, sha(b"lo").0].concat());
        let expected = |entries: Vec<EntryDigest>| Expected {
            name: "s".into(),
            length: 5,
            digest: whole,
            entries: Some(entries),
        };
        assert!(read(b"hello", expected(vec![entry(b"hel"), entry(b"lo")])).is_ok());
        assert!(read(b"hello", expected(vec![entry(b"hel")])).is_err());
        assert!(
            read(
                b"hello",
                expected(vec![entry(b"hel"), entry(b"lo"), entry(b"x")])
            )
            .is_err()
        );
        assert!(read(b"hexlo", expected(vec![entry(b"hel"), entry(b"lo")])).is_err());
    }
}
