//! A Bloom filter of chunk ids: says "never seen" for most chunks that were not, from memory.
//!
//! Every id has its bits in one block of 64 bytes, so a question costs one access to memory. Ids
//! are keyed hashes, so their own bytes choose block and bits.

use super::record::Fields;
use crate::chunk::ChunkId;

/// Above this the filter gets weaker, not larger.
const MAX_BYTES: usize = 16 << 20;
const BLOCK_BYTES: usize = 64;
const BITS_EACH: usize = 10;

/// A filter for a number of ids.
#[derive(Clone, Debug)]
pub struct Filter {
    blocks: Vec<[u64; 8]>,
    /// Bits set for an id.
    probes: u32,
}

impl Filter {
    /// A filter that is right about some 99 of 100 absent ids while it holds up to `entries`.
    /// Above 13 million it is right less often.
    pub fn with_capacity(entries: u64) -> Self {
        let entries = usize::try_from(entries).unwrap_or(usize::MAX);
        let bytes = entries.saturating_mul(BITS_EACH) / 8;
        let blocks = bytes.clamp(1, MAX_BYTES).div_ceil(BLOCK_BYTES);
        // The best number of bits is ln 2 times those there are for each.
        let each = (blocks * BLOCK_BYTES * 8) / entries.max(1);
        let probes = match each {
            0..=1 => 1,
            2..=9 => u32::try_from(each * 7 / 10).unwrap_or(1),
            _ => 7,
        };
        Self {
            blocks: vec![[0; 8]; blocks],
            probes,
        }
    }

    /// Adds an id.
    pub fn insert(&mut self, id: &ChunkId) {
        let (block, bits) = self.place(id);
        for bit in bits_of(bits, self.probes) {
            self.blocks[block][bit / 64] |= 1 << (bit % 64);
        }
    }

    /// Whether the id may have been added; `false` is certain.
    pub fn may_contain(&self, id: &ChunkId) -> bool {
        let (block, bits) = self.place(id);
        let block = &self.blocks[block];
        bits_of(bits, self.probes).all(|bit| block[bit / 64] >> (bit % 64) & 1 == 1)
    }

    fn place(&self, id: &ChunkId) -> (usize, u64) {
        let mut fields = Fields(&id.0);
        let (first, second) = (fields.u64(), fields.u64());
        // The first half as a fraction of all blocks.
        let block = (u128::from(first) * self.blocks.len() as u128) >> 64;
        (usize::try_from(block).unwrap_or(0), second)
    }
}

/// Up to seven times nine bits, each a place in a block.
fn bits_of(bits: u64, probes: u32) -> impl Iterator<Item = usize> {
    (0..probes).map(move |probe| usize::try_from(bits >> (probe * 9) & 511).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> ChunkId {
        ChunkId::of(&[1; 32], &number.to_le_bytes())
    }

    #[test]
    fn what_was_added_is_found_and_little_else() {
        let mut filter = Filter::with_capacity(100_000);
        for number in 0..100_000 {
            filter.insert(&id(number));
        }
        assert!((0..100_000).all(|number| filter.may_contain(&id(number))));
        let wrong = (100_000..200_000)
            .filter(|&number| filter.may_contain(&id(number)))
            .count();
        assert!(wrong < 2_000, "{wrong} of 100000 absent ids pass");
    }

    #[test]
    fn its_memory_is_bounded() {
        for (entries, most) in [(0, 64), (1_000, 1_300), (u64::MAX, MAX_BYTES)] {
            let filter = Filter::with_capacity(entries);
            assert!(filter.blocks.len() * BLOCK_BYTES <= most);
            assert!(filter.probes >= 1);
        }
    }
}
