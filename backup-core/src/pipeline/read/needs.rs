//! What a stream wants of each pack, which says how the pack is read.
//!
//! The rule: a pack is fetched whole, in one request, if the stream wants at least half of it and
//! wants that close together (between its first and last use the stream passes at most twice as
//! much as it wants). Otherwise the head, the seek table and then the wanted blocks are fetched,
//! one by one. So a fresh snapshot is read pack by pack, and one that is spread over many packs
//! reads each block about once, however its extents jump, instead of whole packs again and again.
//! Memory is 24 bytes a pack of the recipe, whatever the number of extents.

use super::Packs;
use crate::{format::Extent, repo::RepoError};

#[derive(Clone, Copy, Debug, Default)]
struct Need {
    wanted: u64,
    /// Where in the stream it is used first, and last.
    first: u64,
    last: u64,
}

/// What a stream wants of each pack.
#[derive(Debug, Default)]
pub(super) struct Needs(Vec<Need>);

impl Needs {
    /// Looks through the extents of a stream, which also checks them all.
    pub(super) fn of(
        packs: &Packs,
        extents: impl Iterator<Item = Result<Extent, RepoError>>,
    ) -> Result<Self, RepoError> {
        let mut needs = vec![Need::default(); packs.count()];
        let mut at = 0u64;
        for extent in extents {
            let extent = extent?;
            let end = at.saturating_add(extent.length);
            let index = usize::try_from(extent.pack).unwrap_or(usize::MAX);
            if let Some(need) = needs.get_mut(index) {
                if need.wanted == 0 {
                    need.first = at;
                }
                need.wanted += extent.length;
                need.last = end;
            }
            at = end;
        }
        Ok(Self(needs))
    }

    /// Whether to fetch a pack whole that decompresses to `plain` bytes.
    pub(super) fn whole(&self, number: u64, plain: u64) -> bool {
        let index = usize::try_from(number).ok();
        let need = index.and_then(|index| self.0.get(index));
        need.is_some_and(|need| {
            need.wanted.saturating_mul(2) >= plain
                && need.last - need.first <= need.wanted.saturating_mul(2)
        })
    }

    /// About how many stored bytes are fetched.
    pub(super) fn fetch_bytes(&self, packs: &Packs) -> u64 {
        let numbered = (0u64..).zip(&self.0).filter(|(_, need)| need.wanted > 0);
        let bytes = numbered.filter_map(|(number, need)| {
            let line = packs.line(number).ok()?;
            if packs.opens_whole(number, self.whole(number, line.plain)) {
                return Some(line.size);
            }
            let share = u128::from(line.size) * u128::from(need.wanted) / u128::from(line.plain);
            // Whole blocks are fetched, and the ends of the pack.
            let about = u64::try_from(share).unwrap_or(line.size) + (1 << 20);
            Some(about.min(line.size))
        });
        bytes.sum()
    }

    /// Not whole again: it had to make room while it was still wanted.
    pub(super) fn demote(&mut self, number: u64) {
        let index = usize::try_from(number).ok();
        if let Some(need) = index.and_then(|index| self.0.get_mut(index)) {
            *need = Need::default();
        }
    }
}
