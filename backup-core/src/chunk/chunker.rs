//! The chunker: a gear hash (`h = (h << 1) + gear[byte]`) cuts where its top bits are zero, with
//! `FastCDC`'s normalisation of level 1 (Xia et al., 2016): one bit more is asked for before the
//! average size, one less after it.

use super::GearTable;

/// How large chunks are, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkSizes {
    min: usize,
    average_bits: u32,
    max: usize,
}

impl ChunkSizes {
    /// For database dumps: about 4 KiB, so that a changed row costs little.
    pub const DUMP: Self = Self::of_average_bits(12);
    /// For files: about 64 KiB.
    pub const FILES: Self = Self::of_average_bits(16);

    const fn of_average_bits(bits: u32) -> Self {
        Self {
            min: 1 << (bits - 2),
            average_bits: bits,
            max: 1 << (bits + 2),
        }
    }

    /// No chunk is longer.
    pub const fn max(self) -> usize {
        self.max
    }
}

/// Cuts a stream into chunks, wherever its pieces come from.
#[derive(Debug)]
pub struct Chunker {
    sizes: ChunkSizes,
    gear: GearTable,
    pending: Vec<u8>,
    hash: u64,
    scanned: usize,
}

impl Chunker {
    /// Begins a stream.
    pub fn new(sizes: ChunkSizes, gear: GearTable) -> Self {
        Self {
            sizes,
            gear,
            pending: Vec::with_capacity(sizes.max),
            hash: 0,
            scanned: 0,
        }
    }

    /// Takes bytes and gives each chunk that they complete.
    pub fn push<E>(
        &mut self,
        mut bytes: &[u8],
        mut chunk: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while !bytes.is_empty() {
            let room = self.sizes.max.saturating_sub(self.pending.len());
            let (taken, rest) = bytes.split_at(room.min(bytes.len()));
            let before = self.pending.len();
            self.pending.extend_from_slice(taken);
            let Some(cut) = self.find_cut() else {
                bytes = rest;
                continue;
            };
            chunk(self.pending.get(..cut).unwrap_or_default())?;
            let used = cut.saturating_sub(before);
            self.restart();
            bytes = bytes.get(used..).unwrap_or_default();
        }
        Ok(())
    }

    /// Ends the current chunk here, as at the end of the stream.
    pub fn cut<E>(&mut self, chunk: impl FnOnce(&[u8]) -> Result<(), E>) -> Result<(), E> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let result = chunk(&self.pending);
        self.restart();
        result
    }

    fn restart(&mut self) {
        self.pending.clear();
        self.hash = 0;
        self.scanned = 0;
    }

    /// Scans what is not scanned yet; gives where the chunk ends, if it does.
    fn find_cut(&mut self) -> Option<usize> {
        let average = 1usize << self.sizes.average_bits;
        let strict = top_bits(self.sizes.average_bits.saturating_add(1));
        let loose = top_bits(self.sizes.average_bits.saturating_sub(1));
        // Bytes before the least size decide nothing: a gear hash forgets them anyway.
        let from = self.scanned.max(self.sizes.min.saturating_sub(64));
        let mut hash = self.hash;
        for (at, &byte) in self.pending.iter().enumerate().skip(from) {
            let gear = self.gear.0.get(usize::from(byte)).copied();
            hash = (hash << 1).wrapping_add(gear.unwrap_or_default());
            let len = at.saturating_add(1);
            let mask = if len < average { strict } else { loose };
            if len >= self.sizes.max || (len >= self.sizes.min && hash & mask == 0) {
                return Some(len);
            }
        }
        self.hash = hash;
        self.scanned = self.pending.len();
        None
    }
}

const fn top_bits(bits: u32) -> u64 {
    u64::MAX << 64u32.saturating_sub(bits)
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, iter::once};

    use proptest::prelude::{Strategy as _, any, prop, prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::chunk::DedupSecret;

    fn chunks(secret: u8, pieces: &mut dyn Iterator<Item = &[u8]>) -> Vec<Vec<u8>> {
        let gear = DedupSecret::new(Box::new([secret; 32])).gear_table();
        let mut chunker = Chunker::new(ChunkSizes::DUMP, gear);
        let mut out = Vec::new();
        for piece in pieces {
            let Ok(()) = chunker.push(piece, |chunk| {
                out.push(chunk.to_vec());
                Ok::<_, Infallible>(())
            });
        }
        let Ok(()) = chunker.cut(|chunk| {
            out.push(chunk.to_vec());
            Ok::<_, Infallible>(())
        });
        out
    }

    /// Deterministic bytes without structure.
    fn noise(len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        blake3::Hasher::new().finalize_xof().fill(&mut bytes);
        bytes
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter_and_nothing_is_lost(
            data in any::<u64>().prop_flat_map(|_| prop::collection::vec(any::<u8>(), 0..40_000)),
            piece in 1usize..5_000,
        ) {
            let whole = chunks(1, &mut once(&data[..]));
            prop_assert_eq!(&whole, &chunks(1, &mut data.chunks(piece)));
            prop_assert_eq!(whole.concat(), data);
            prop_assert!(whole.iter().all(|c| c.len() <= ChunkSizes::DUMP.max()));
        }
    }

    #[test]
    fn sizes_are_about_as_named_and_depend_on_the_secret() {
        let data = noise(4 << 20);
        let cut = chunks(1, &mut once(&data[..]));
        let average = data.len() / cut.len();
        assert!((3_500..6_500).contains(&average), "average {average}");
        assert_ne!(cut.len(), chunks(2, &mut once(&data[..])).len());
    }

    #[test]
    fn an_insertion_changes_few_chunks() {
        let data = noise(1 << 20);
        let mut changed = data.clone();
        changed.splice(500_000..500_000, *b"one more row");
        let (before, after) = (
            chunks(1, &mut once(&data[..])),
            chunks(1, &mut once(&changed[..])),
        );
        let fresh = after.iter().filter(|c| !before.contains(c)).count();
        assert!(fresh <= 3, "{fresh} of {} chunks are new", after.len());
    }
}
