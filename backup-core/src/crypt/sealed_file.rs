//! An age file that is read piece by piece, of which only parts may be known.
//!
//! Owns the arithmetic between plaintext and stored bytes, and the promise that nothing is given
//! out that was not authenticated: each 64 KiB is on its own, and opening decrypts the last one as
//! the last, which authenticates the file's length. Fetches nothing: the caller says what it has.

use std::{
    fmt,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use age::stream::StreamReader;
use bytes::Bytes;

use super::{CryptError, open::head_len};

/// Plaintext bytes that are authenticated together.
const PIECE: u64 = 64 * 1024;
/// The same with their tag.
const STORED_PIECE: u64 = PIECE + 16;

/// Bytes at the end of a file that always hold its last piece and the one before.
pub const TAIL_BYTES: u64 = 2 * STORED_PIECE;

/// An open age file.
pub struct SealedFile {
    reader: StreamReader<Known>,
    known: Known,
    head_len: u64,
    size: u64,
    plain_len: u64,
}

impl fmt::Debug for SealedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedFile({} bytes)", self.size)
    }
}

impl SealedFile {
    /// Opens a file of which everything is known.
    pub fn whole(file: Bytes, identity: &dyn age::Identity) -> Result<Self, CryptError> {
        let head_len = head_len(&file)?;
        let size = file.len() as u64;
        Self::open(vec![(0, file)], head_len, size, identity)
    }

    /// Opens a file of `size` bytes of which the beginning, at least its head, and the last
    /// [`TAIL_BYTES`] are known. What else is read must be brought along.
    pub fn in_part(
        size: u64,
        beginning: Bytes,
        tail: Bytes,
        identity: &dyn age::Identity,
    ) -> Result<Self, CryptError> {
        let head_len = head_len(&beginning)?;
        let tail_start = size.saturating_sub(tail.len() as u64);
        let parts = vec![(0, beginning), (tail_start, tail)];
        Self::open(parts, head_len, size, identity)
    }

    fn open(
        parts: Vec<(u64, Bytes)>,
        head_len: usize,
        size: u64,
        identity: &dyn age::Identity,
    ) -> Result<Self, CryptError> {
        let known = Known {
            parts: Arc::new(Mutex::new(parts)),
            size,
            at: 0,
        };
        let decryptor = age::Decryptor::new(known.clone()).map_err(CryptError::Header)?;
        let mut reader =
            decryptor
                .decrypt(std::iter::once(identity))
                .map_err(|error| match error {
                    age::DecryptError::NoMatchingKeys => CryptError::NoMatch,
                    other => CryptError::Header(other),
                })?;
        let plain_len = reader.seek(SeekFrom::End(0)).map_err(CryptError::Content)?;
        Ok(Self {
            reader,
            known,
            head_len: head_len as u64,
            size,
            plain_len,
        })
    }

    /// The length of the plaintext.
    pub fn plain_len(&self) -> u64 {
        self.plain_len
    }

    /// The stored bytes that must be known to read these bytes of the plaintext.
    pub fn stored(&self, plain: Range<u64>) -> Range<u64> {
        let at = |pieces: u64| {
            let end = pieces.saturating_mul(STORED_PIECE);
            end.saturating_add(self.head_len).min(self.size)
        };
        at(plain.start / PIECE)..at(plain.end.div_ceil(PIECE))
    }

    /// Forgets the parts that were known at opening: from here on they are brought along.
    pub fn forget(&mut self) {
        self.known.parts().clear();
    }

    /// Reads bytes of the plaintext; `brought` are the stored bytes that [`Self::stored`] names, if
    /// they are not known yet, and are forgotten afterwards.
    pub fn read(
        &mut self,
        plain: Range<u64>,
        brought: Option<Bytes>,
    ) -> Result<Vec<u8>, CryptError> {
        let len = plain.end.saturating_sub(plain.start);
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
        let count = self.known.parts().len();
        if let Some(part) = brought {
            let start = self.stored(plain.clone()).start;
            self.known.parts().push((start, part));
        }
        let read = self
            .reader
            .seek(SeekFrom::Start(plain.start))
            .and_then(|_| self.reader.read_exact(&mut bytes));
        self.known.parts().truncate(count);
        read.map_err(CryptError::Content)?;
        Ok(bytes)
    }
}

/// The known parts of a file as a file with holes, which cannot be read.
#[derive(Clone)]
struct Known {
    parts: Arc<Mutex<Vec<(u64, Bytes)>>>,
    size: u64,
    at: u64,
}

impl Known {
    fn parts(&self) -> MutexGuard<'_, Vec<(u64, Bytes)>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read for Known {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        let taken = {
            let parts = self.parts();
            let known = parts.iter().find_map(|(start, bytes)| {
                let skipped = usize::try_from(self.at.checked_sub(*start)?).ok()?;
                bytes.get(skipped..).filter(|rest| !rest.is_empty())
            });
            let known = known.ok_or_else(|| io::Error::other("this part is not there"))?;
            let taken = known.len().min(buffer.len());
            let (Some(to), Some(from)) = (buffer.get_mut(..taken), known.get(..taken)) else {
                return Err(io::ErrorKind::InvalidInput.into());
            };
            to.copy_from_slice(from);
            taken
        };
        self.at = self.at.saturating_add(taken as u64);
        Ok(taken)
    }
}

impl Seek for Known {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = to.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use backup_keys::Identity;

    use super::*;
    use crate::crypt::Sealer;

    fn sealed(len: usize) -> (Identity, Vec<u8>, Bytes) {
        let plain: Vec<u8> = (0u8..251).cycle().take(len).collect();
        let identity = Identity::generate();
        let mut sealer = Sealer::new(&identity.recipient(), 0).unwrap();
        sealer.write(&plain).unwrap();
        (identity, plain, sealer.finish().unwrap().bytes.into())
    }

    fn part(file: &Bytes, range: Range<u64>) -> Bytes {
        file.slice(usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap())
    }

    fn in_part(file: &Bytes, identity: &Identity) -> Result<SealedFile, CryptError> {
        let size = file.len() as u64;
        let tail = part(file, size.saturating_sub(TAIL_BYTES)..size);
        SealedFile::in_part(size, part(file, 0..4096), tail, identity.as_age())
    }

    #[test]
    fn parts_read_as_the_whole_in_any_order() {
        // Also lengths that fill their last piece exactly.
        for len in [
            300_000, 65_536, 131_072, 196_608, 196_609, 262_143, 70_000, 5_000,
        ] {
            let (identity, plain, file) = sealed(len);
            let mut whole = SealedFile::whole(file.clone(), identity.as_age()).unwrap();
            let mut parts = in_part(&file, &identity).unwrap();
            assert_eq!(parts.plain_len(), len as u64);
            parts.forget();
            let len = len as u64;
            let ranges = [
                (0, 10),
                (len - 1, len),
                (len / 2, len),
                (65_536.min(len), len),
                (0, len),
                (len / 3, len / 2),
                (65_535.min(len), 65_537.min(len)),
                (0, 0),
            ];
            for (from, to) in ranges {
                let expected = &plain[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()];
                assert_eq!(whole.read(from..to, None).unwrap(), expected);
                if from == to {
                    continue;
                }
                let brought = part(&file, parts.stored(from..to));
                assert_eq!(parts.read(from..to, Some(brought)).unwrap(), expected);
                assert!(parts.read(from..to, None).is_err() || to / PIECE == from / PIECE);
            }
        }
    }

    #[test]
    fn nothing_that_was_changed_or_cut_is_given_out() {
        let (identity, _, file) = sealed(300_000);
        let whole = |bytes: Bytes| SealedFile::whole(bytes, identity.as_age());
        let size = file.len();
        for cut in [1, 100, 16, 65_552, size - 300, size - 1] {
            assert!(whole(file.slice(..size - cut)).is_err(), "{cut} cut off");
        }
        assert!(whole([&file[..], b"x"].concat().into()).is_err());
        let mut bad = file.to_vec();
        bad[size / 2] ^= 1;
        let bad = Bytes::from(bad);
        let mut opened = whole(bad.clone()).unwrap();
        assert!(opened.read(0..300_000, None).is_err());
        let mut opened = in_part(&bad, &identity).unwrap();
        opened.forget();
        let range = 131_072..196_608;
        let brought = part(&bad, opened.stored(range.clone()));
        assert!(opened.read(range, Some(brought)).is_err());
        // Another piece of the same file in its place.
        let mut opened = in_part(&file, &identity).unwrap();
        opened.forget();
        let other = part(&file, opened.stored(65_536..131_072));
        assert!(opened.read(0..65_536, Some(other)).is_err());
        let stranger = Identity::generate();
        assert!(matches!(
            in_part(&file, &stranger),
            Err(CryptError::NoMatch)
        ));
    }
}
