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

/// More chunks than this of one stream would take its host too much memory and disk to remember.
const MANY_CHUNKS: u64 = 16 << 20;

impl ChunkSizes {
    /// For database dumps: about 4 KiB, so that a changed row costs little.
    pub const DUMP: Self = Self::of_average_bits(12);
    /// For the lists that streams refer to: about 16 KiB.
    pub const LIST: Self = Self::of_average_bits(14);
    /// For files: about 64 KiB.
    pub const FILES: Self = Self::of_average_bits(16);

    /// The binary logarithm of the average; from 8 to 20, what is outside is taken as the nearest.
    pub const fn of_average_bits(bits: u32) -> Self {
        let bits = if bits < 8 {
            8
        } else if bits > 20 {
            20
        } else {
            bits
        };
        Self {
            min: 1 << (bits - 2),
            average_bits: bits,
            max: 1 << (bits + 2),
        }
    }

    /// These sizes for a stream of `expected_bytes`: larger where there would be too many chunks.
    #[must_use]
    pub fn for_stream(self, expected_bytes: u64) -> Self {
        let mut bits = self.average_bits;
        while bits < 20 && expected_bytes >> bits > MANY_CHUNKS {
            bits = bits.saturating_add(1);
        }
        Self::of_average_bits(bits)
    }

    /// These sizes for a stream that had so many chunks of them: kept, unless there were far too
    /// many, since other boundaries make the next backup full.
    #[must_use]
    pub fn after(self, chunks: u64) -> Self {
        if chunks <= 2 * MANY_CHUNKS {
            return self;
        }
        self.for_stream(chunks.saturating_mul(1 << self.average_bits))
    }

    /// The binary logarithm of the average.
    pub const fn average_bits(self) -> u32 {
        self.average_bits
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
    /// The start of a chunk whose end has not come yet.
    pending: Vec<u8>,
    hash: u64,
}

impl Chunker {
    /// Begins a stream.
    pub fn new(sizes: ChunkSizes, gear: GearTable) -> Self {
        Self {
            sizes,
            gear,
            pending: Vec::with_capacity(sizes.max),
            hash: 0,
        }
    }

    /// Takes bytes and gives each chunk that they complete. Chunks that lie within `bytes` are
    /// not copied.
    pub fn push<E>(
        &mut self,
        mut bytes: &[u8],
        mut chunk: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some((head, rest)) = self.find_cut(bytes).and_then(|n| bytes.split_at_checked(n))
        {
            bytes = rest;
            self.hash = 0;
            if self.pending.is_empty() {
                chunk(head)?;
            } else {
                self.pending.extend_from_slice(head);
                chunk(&self.pending)?;
                self.pending.clear();
            }
        }
        self.pending.extend_from_slice(bytes);
        Ok(())
    }

    /// Ends the current chunk here, as at the end of the stream.
    pub fn cut<E>(&mut self, chunk: impl FnOnce(&[u8]) -> Result<(), E>) -> Result<(), E> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let result = chunk(&self.pending);
        self.pending.clear();
        self.hash = 0;
        result
    }

    /// How many of `bytes`, which follow what is pending, belong to the current chunk; `None` if
    /// it does not end in them.
    fn find_cut(&mut self, bytes: &[u8]) -> Option<usize> {
        let ChunkSizes {
            min,
            average_bits,
            max,
        } = self.sizes;
        let had = self.pending.len();
        let upto = |len: usize| len.saturating_sub(had).min(bytes.len());
        // The hash forgets a byte after 64 more: those long before the least size decide nothing.
        let (start, least) = (upto(min.saturating_sub(64)), upto(min.saturating_sub(1)));
        let average = upto((1usize << average_bits).saturating_sub(1));
        for &byte in bytes.get(start..least).unwrap_or_default() {
            self.hash = self.gear.roll(self.hash, byte);
        }
        let zones = [
            (least, average, top_bits(average_bits.saturating_add(1))),
            (average, upto(max), top_bits(average_bits.saturating_sub(1))),
        ];
        for (from, to, mask) in zones {
            let zone = bytes.get(from..to).unwrap_or_default();
            if let Some(at) = self.scan(zone, mask) {
                return Some(from.saturating_add(at));
            }
        }
        (had.saturating_add(bytes.len()) >= max).then(|| upto(max))
    }

    /// How many of `bytes` there are up to the first at which the hash is zero under `mask`. Two
    /// at a time: then the second need not wait for the hash of the first.
    fn scan(&mut self, bytes: &[u8], mask: u64) -> Option<usize> {
        let mut hash = self.hash;
        let (pairs, last) = bytes.as_chunks::<2>();
        for (number, &[first, second]) in pairs.iter().enumerate() {
            let middle = self.gear.roll(hash, first);
            hash = self.gear.roll_two(hash, first, second);
            if middle & mask == 0 {
                return Some(number.saturating_mul(2).saturating_add(1));
            }
            if hash & mask == 0 {
                return Some(number.saturating_mul(2).saturating_add(2));
            }
        }
        if let [byte] = last {
            hash = self.gear.roll(hash, *byte);
            if hash & mask == 0 {
                return Some(bytes.len());
            }
        }
        self.hash = hash;
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

    /// The definition, byte by byte over a whole stream in memory.
    fn naive(gear: &GearTable, sizes: ChunkSizes, data: &[u8]) -> Vec<Vec<u8>> {
        let (mut out, mut begin, mut hash) = (Vec::new(), 0, 0u64);
        for at in 0..data.len() {
            let len = at + 1 - begin;
            if len > sizes.min - 64 {
                hash = gear.roll(hash, data[at]);
            }
            let bits = if len < 1 << sizes.average_bits {
                sizes.average_bits + 1
            } else {
                sizes.average_bits - 1
            };
            let found = len >= sizes.min && hash >> (64 - bits) == 0;
            if found || len == sizes.max {
                out.push(data[begin..=at].to_vec());
                (begin, hash) = (at + 1, 0);
            }
        }
        if begin < data.len() {
            out.push(data[begin..].to_vec());
        }
        out
    }

    #[test]
    fn cuts_are_those_of_the_definition() {
        let gear = DedupSecret::new(Box::new([1; 32])).gear_table();
        let mut data = noise(1 << 20);
        data.extend(vec![0; 100_000]);
        let expected = naive(&gear, ChunkSizes::DUMP, &data);
        for piece in [1 << 20, 65_536, 4_097, 512] {
            assert_eq!(chunks(1, &mut data.chunks(piece)), expected, "{piece}");
        }
    }

    #[test]
    fn large_streams_get_larger_chunks() {
        let bits = |bytes| ChunkSizes::DUMP.for_stream(bytes).average_bits();
        assert_eq!((bits(0), bits(64 << 30), bits(65 << 30)), (12, 12, 13));
        assert_eq!((bits(1 << 40), bits(u64::MAX)), (16, 20));
        let after = |chunks| ChunkSizes::DUMP.after(chunks).average_bits();
        assert_eq!((after(32 << 20), after((32 << 20) + 1)), (12, 13));
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
