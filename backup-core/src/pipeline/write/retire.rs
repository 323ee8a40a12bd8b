//! Space without a key: which packs the next run no longer counts on.
//!
//! Prune deletes whole packs and cannot open one, so a pack of which one chunk is alive stays as
//! it is. But at backup time the plaintext is at hand: chunks of a retired pack count as absent,
//! are stored afresh among what is new, and the old pack goes when the last snapshot that names
//! it does. Retiring only ever costs bytes; nothing is wrong if it is done too little or too much.
//!
//! A pure function of what the previous snapshot's refs say; it knows no store, index or chunk.

use std::cmp::Reverse;

use backup_model::Digest;

use super::lane::MAX_PACK_PLAIN;

/// Full use of a pack, in the units of refs.
const WHOLE: u8 = 64;
/// A pack of which the snapshot uses less, in the units of refs, is worth retiring: 77 %.
const WELL_USED: u8 = 50;
/// So many packs that are small by birth cost less than storing them again would.
const SMALL_PACKS: usize = 64;

/// A pack as the job's previous snapshot used it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackUse {
    /// Its digest.
    pub sha256: Digest,
    /// Its stored size.
    pub size: u64,
    /// Its decompressed size.
    pub plain: u64,
    /// How much of it the snapshot used, in 1/64ths, as in refs.
    pub share: u8,
}

impl PackUse {
    /// The stored bytes that retiring it adds to the run.
    fn cost(&self) -> u64 {
        self.size * u64::from(self.share) / u64::from(WHOLE)
    }

    /// Was it closed long before it was full? A pack of few stored bytes that hold very many is
    /// not: stored again it would be no larger.
    fn is_small(&self, pack_bytes: u64) -> bool {
        self.size < pack_bytes / 4 && self.plain < MAX_PACK_PLAIN / 4
    }
}

/// The packs to retire, least used first.
///
/// `packs` are those of the job's previous snapshot, `pack_bytes` is the stored size at which a
/// pack is closed, and `new_bytes` what the previous run stored because no earlier one had,
/// which is the best guess of what this run must store anyway.
pub fn retire(packs: &[PackUse], pack_bytes: u64, new_bytes: u64) -> Vec<Digest> {
    let small = packs.iter().filter(|p| p.is_small(pack_bytes)).count();
    let mut candidates: Vec<&PackUse> = packs
        .iter()
        .filter(|p| p.share < WELL_USED || (small > SMALL_PACKS && p.is_small(pack_bytes)))
        .collect();
    // Of packs used alike, the larger one frees more; the digest makes the order a fixed one.
    candidates.sort_unstable_by_key(|p| (p.share, Reverse(p.size), p.sha256));
    // At least a pack's worth: else a job with little news never tidies up.
    let budget = (new_bytes + new_bytes / 2).max(pack_bytes);
    let mut spent = 0;
    candidates
        .into_iter()
        .take_while(|pack| {
            spent += pack.cost();
            spent <= budget
        })
        .map(|pack| pack.sha256)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;
    const TARGET: u64 = 16 * MIB;

    /// A pack of this size and use; the number makes its digest.
    fn pack(number: u8, size: u64, share: u8) -> PackUse {
        PackUse {
            sha256: Digest([number; 32]),
            size,
            plain: 3 * size,
            share,
        }
    }

    /// The numbers of the packs that are retired.
    fn retired(packs: &[PackUse], new_bytes: u64) -> Vec<u8> {
        let digests = retire(packs, TARGET, new_bytes);
        digests.iter().map(|digest| digest.0[0]).collect()
    }

    #[test]
    fn under_77_percent_is_retired_least_used_first() {
        let packs = [
            pack(0, TARGET, 64),
            pack(1, TARGET, 49),
            pack(2, TARGET, 50),
            pack(3, TARGET, 1),
            pack(4, TARGET, 20),
        ];
        assert_eq!(retired(&packs, 100 * MIB), [3, 4, 1]);
        assert!(retired(&[], 100 * MIB).is_empty());
    }

    #[test]
    fn one_run_stores_again_one_and_a_half_times_the_news_or_a_pack() {
        let packs: Vec<_> = (0..100).map(|n| pack(n, TARGET, 32)).collect();
        // Each costs 8 MiB.
        assert_eq!(retired(&packs, 0).len(), 2);
        assert_eq!(retired(&packs, 10 * MIB).len(), 2);
        assert_eq!(retired(&packs, 160 * MIB).len(), 30);
    }

    #[test]
    fn small_packs_are_put_together_when_there_are_many() {
        let mut packs: Vec<_> = (0..64).map(|n| pack(n, MIB / 4, 64)).collect();
        packs.push(pack(200, TARGET, 64));
        packs.push(pack(201, TARGET / 4, 64));
        assert!(retired(&packs, 0).is_empty());
        packs.push(pack(64, MIB / 4, 64));
        // 64 of them fill a pack.
        assert_eq!(retired(&packs, 0), (0..64).collect::<Vec<_>>());
        assert_eq!(retired(&packs, TARGET), (0..65).collect::<Vec<_>>());
    }

    #[test]
    fn packs_that_are_small_because_they_compress_well_are_full() {
        let packs: Vec<_> = (0..100)
            .map(|n| PackUse {
                plain: MAX_PACK_PLAIN,
                ..pack(n, MIB, 64)
            })
            .collect();
        assert!(retired(&packs, 0).is_empty());
    }
}
