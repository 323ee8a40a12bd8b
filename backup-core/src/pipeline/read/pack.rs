//! Packs that are open for reading, whole or in part.
//!
//! A whole pack is compared with the recipe by size and SHA-256 before anything of it is decrypted.
//! Of a pack in part, the head is compared first, then age authenticates its length and every
//! 64 KiB that is read. Either way nothing reaches zstd that was not authenticated, and the seek
//! table must agree with the recipe.

use std::{ops::Range, sync::Arc};

use backup_keys::Identity;
use bytes::Bytes;

use super::{Fetcher, fetch::Pending};
use crate::{
    codec::{BlockPlace, SEEK_TABLE_END, decompress_block, parse_seek_table, seek_table_len},
    crypt::{self, CryptError, SealedFile, TAIL_BYTES},
    format::{ObjectRef, PackLine, layout},
    repo::{RepoError, check_object},
};

/// A pack up to this size is one request, whatever is wanted of it.
const SMALL_PACK: u64 = 256 * 1024;

/// Bytes at a pack's beginning that nearly always hold its head.
const HEAD_GUESS: u64 = 4096;
/// Bytes that always do.
const HEAD_MOST: u64 = 64 * 1024 + 16;

/// What an open pack takes in memory beside its bytes and its seek table.
const OPEN_BYTES: u64 = 160 * 1024;

/// The packs of one snapshot, and what opens them.
#[derive(Debug)]
pub struct Packs {
    fetcher: Fetcher,
    identity: Identity,
    lines: Vec<PackLine>,
}

impl Packs {
    /// Packs that are opened with the identity of their epoch.
    pub fn new(fetcher: Fetcher, identity: Identity, lines: Vec<PackLine>) -> Self {
        Self {
            fetcher,
            identity,
            lines,
        }
    }

    /// The recipe's line of a pack.
    pub(super) fn line(&self, number: u64) -> Result<&PackLine, RepoError> {
        let index = usize::try_from(number).ok();
        index
            .and_then(|index| self.lines.get(index))
            .ok_or_else(|| RepoError::rule("recipe", "an extent names no pack"))
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.lines.len()
    }

    /// Whether a pack is opened whole, if `wanted` says that much of it is.
    pub(super) fn opens_whole(&self, number: u64, wanted: bool) -> bool {
        wanted || self.line(number).is_ok_and(|line| line.size <= SMALL_PACK)
    }

    /// What a pack will take in memory.
    pub(super) fn held_bytes(&self, number: u64, whole: bool) -> u64 {
        match self.line(number) {
            Ok(line) if whole => line.size + OPEN_BYTES,
            _ => OPEN_BYTES,
        }
    }

    /// Opens a pack.
    pub(super) fn open(&self, number: u64, whole: bool) -> Result<OpenPack, RepoError> {
        let line = self.line(number)?;
        let key = layout::pack(&line.sha256);
        if whole {
            return self.open_whole(key, line);
        }
        match self.open_part(key.clone(), line) {
            // Stores do not agree on what a range beyond the end is: the whole tells whether the
            // pack is bad or the store.
            Err(RepoError::Store(_)) => self.open_whole(key, line),
            opened => opened,
        }
    }

    fn open_whole(&self, key: String, line: &PackLine) -> Result<OpenPack, RepoError> {
        let bytes = self.fetcher.whole(&key, line.size)?;
        let expected = ObjectRef {
            sha256: line.sha256,
            size: line.size,
        };
        check_object(&key, &bytes, expected)?;
        check_head(&key, &bytes, line)?;
        let file = SealedFile::whole(bytes, self.identity.as_age());
        let mut file = file.map_err(decrypt(&key))?;
        let end = file.plain_len();
        let last = end.saturating_sub(SEEK_TABLE_END as u64)..end;
        let last = file.read(last, None).map_err(decrypt(&key))?;
        let table = table_range(&key, &last, end)?;
        let table = file.read(table, None).map_err(decrypt(&key))?;
        let blocks = blocks(&key, &table, end, line)?;
        Ok(OpenPack {
            key,
            file,
            blocks,
            whole: true,
        })
    }

    fn open_part(&self, key: String, line: &PackLine) -> Result<OpenPack, RepoError> {
        let fetch = |range: Range<u64>| self.fetcher.part(&key, range);
        let size = line.size;
        let beginning = fetch(0..HEAD_GUESS.min(size))?;
        let tail = fetch(size.saturating_sub(TAIL_BYTES)..size)?;
        let mut beginning = beginning.wait()?;
        if let Err(CryptError::HeaderTooLong) = crypt::head_digest(&beginning) {
            beginning = fetch(0..HEAD_MOST.min(size))?.wait()?;
        }
        check_head(&key, &beginning, line)?;
        let tail = tail.wait()?;
        let file = SealedFile::in_part(size, beginning, tail, self.identity.as_age());
        let mut file = file.map_err(decrypt(&key))?;
        let end = file.plain_len();
        let mut read = |range: Range<u64>| {
            let stored = file.stored(range.clone());
            let known = stored.start >= size.saturating_sub(TAIL_BYTES);
            let brought = if known || stored.is_empty() {
                None
            } else {
                Some(fetch(stored)?.wait()?)
            };
            file.read(range, brought).map_err(decrypt(&key))
        };
        let last = read(end.saturating_sub(SEEK_TABLE_END as u64)..end)?;
        let table = read(table_range(&key, &last, end)?)?;
        let blocks = blocks(&key, &table, end, line)?;
        file.forget();
        Ok(OpenPack {
            key,
            file,
            blocks,
            whole: false,
        })
    }

    /// Asks for what is needed of the store to read a block of a pack that is open in part.
    pub(super) fn fetch_block(
        &self,
        pack: &OpenPack,
        place: BlockPlace,
    ) -> Result<Pending, RepoError> {
        self.fetcher.part(&pack.key, pack.stored(place))
    }
}

/// The rest of a pack's plaintext that its last bytes say is the seek table.
fn table_range(key: &str, last: &[u8], end: u64) -> Result<Range<u64>, RepoError> {
    let len = seek_table_len(last).map_err(decompress(key))?;
    Ok(end.saturating_sub(len as u64)..end)
}

fn blocks(
    key: &str,
    table: &[u8],
    end: u64,
    line: &PackLine,
) -> Result<Vec<BlockPlace>, RepoError> {
    parse_seek_table(table, end, line.plain).map_err(decompress(key))
}

fn check_head(key: &str, beginning: &[u8], line: &PackLine) -> Result<(), RepoError> {
    if crypt::head_digest(beginning).map_err(decrypt(key))? == line.head {
        return Ok(());
    }
    Err(RepoError::ObjectDiffers {
        key: key.to_owned(),
        expected: "the head that the recipe names".to_owned(),
        found: "another".to_owned(),
    })
}

fn decrypt(key: &str) -> impl Fn(CryptError) -> RepoError {
    move |source| RepoError::Decrypt {
        key: key.to_owned(),
        source,
    }
}

fn decompress(key: &str) -> impl Fn(crate::codec::CodecError) -> RepoError {
    move |source| RepoError::Decompress {
        key: key.to_owned(),
        source,
    }
}

/// An open pack: its blocks still encrypted.
#[derive(Debug)]
pub(super) struct OpenPack {
    key: String,
    file: SealedFile,
    blocks: Vec<BlockPlace>,
    whole: bool,
}

/// A decompressed block.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// Where it begins in the decompressed pack.
    pub(super) start: u64,
    pub(super) bytes: Arc<Vec<u8>>,
}

impl OpenPack {
    /// Whether its bytes are in memory.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// The block that holds this byte of the decompressed pack.
    pub(super) fn place(&self, offset: u64) -> Result<BlockPlace, RepoError> {
        let after = self.blocks.partition_point(|b| b.plain_start <= offset);
        let place = after
            .checked_sub(1)
            .and_then(|index| self.blocks.get(index));
        place
            .copied()
            .filter(|place| offset - place.plain_start < place.plain_len as u64)
            .ok_or_else(|| RepoError::rule(&self.key, "it does not hold what the recipe says"))
    }

    /// The stored bytes of a block.
    pub(super) fn stored(&self, place: BlockPlace) -> Range<u64> {
        self.file.stored(plain(place))
    }

    /// Decrypts and decompresses a block; `brought` is what [`Packs::fetch_block`] gave.
    pub(super) fn block(
        &mut self,
        place: BlockPlace,
        brought: Option<Bytes>,
    ) -> Result<Block, RepoError> {
        let frame = self.file.read(plain(place), brought);
        let frame = frame.map_err(decrypt(&self.key))?;
        let bytes = decompress_block(&frame, place.plain_len).map_err(decompress(&self.key))?;
        Ok(Block {
            start: place.plain_start,
            bytes: Arc::new(bytes),
        })
    }
}

fn plain(place: BlockPlace) -> Range<u64> {
    let start = place.start as u64;
    start..start.saturating_add(place.len as u64)
}
