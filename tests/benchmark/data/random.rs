//! Numbers that look random and are the same for one seed for ever: `SplitMix64` (Steele et al.,
//! 2014). A crate's generator may give others in its next version.

/// A generator.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// A generator for one purpose: those with another `number` give something else.
    pub(super) fn new(seed: u64, number: u64) -> Self {
        let mut random = Self(seed);
        let mixed = random.next();
        Self(mixed ^ number.wrapping_mul(STEP))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        // The high half of the product: no division, and no bias that would show.
        let wide = u128::from(self.next()) * u128::from(end);
        u64::try_from(wide >> 64).expect("64 bits are left")
    }

    /// The same for places in memory.
    pub(super) fn place(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).expect("below a usize")
    }

    /// A number from `low` to `high`, small ones more often: as likely between 1 and 2 as
    /// between 1000 and 2000.
    pub(super) fn size(&mut self, low: u32, high: u32) -> usize {
        let share = self.below(1 << 32) as f64 / f64::from(u32::MAX);
        let size = f64::from(low) * (f64::from(high) / f64::from(low)).powf(share);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between two numbers of 32 bits"
        )]
        let size = size as usize;
        size
    }

    /// Bytes without structure.
    pub(super) fn fill(&mut self, bytes: &mut [u8]) {
        for piece in bytes.chunks_mut(8) {
            let drawn = self.next().to_le_bytes();
            piece.copy_from_slice(&drawn[..piece.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_for_ever() {
        // The reference implementation's first numbers for seed 0.
        let mut random = Random(0);
        assert_eq!(random.next(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(random.next(), 0x6e78_9e6a_a1b9_65f4);
        let first = |seed, number| Random::new(seed, number).next();
        assert_ne!(first(1, 0), first(1, 1));
        assert_ne!(first(1, 0), first(2, 0));
    }

    #[test]
    fn numbers_stay_between_their_ends() {
        let mut random = Random::new(1, 1);
        for _ in 0..1000 {
            assert!(random.below(7) < 7);
            assert!((10..=20_000).contains(&random.size(10, 20_000)));
        }
    }
}
