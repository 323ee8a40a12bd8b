//! What is stored already: chunks by id, packs by number, and which packs this snapshot uses.

use std::sync::Arc;

use super::PipelineError;
use crate::{
    chunk::ChunkId,
    format::PackLine,
    repo::{Index, PackInfo, Place},
};

/// The state that all lanes of a run share.
#[derive(Debug)]
pub struct Dedup {
    index: Index,
    /// A pack that is still being written has no info yet.
    packs: Vec<Option<Arc<PackInfo>>>,
    /// The number in the recipe, for packs that the snapshot uses.
    numbers: Vec<Option<u64>>,
    /// The used packs, in the order of their numbers in the recipe.
    used: Vec<u32>,
    old_packs: usize,
}

impl Dedup {
    /// Begins with what earlier snapshots stored.
    pub fn new(index: Index) -> Self {
        let packs: Vec<_> = index.packs.iter().cloned().map(Some).collect();
        Self {
            numbers: vec![None; packs.len()],
            old_packs: packs.len(),
            packs,
            index,
            used: Vec::new(),
        }
    }

    /// Where a chunk is stored, if it is.
    pub fn find(&self, id: &ChunkId) -> Option<Place> {
        self.index.chunks.get(id).copied()
    }

    /// Remembers a chunk that was just put into a pack.
    pub fn insert(&mut self, id: ChunkId, place: Place) {
        self.index.chunks.insert(id, place);
    }

    /// A number for a pack that begins.
    pub fn open_pack(&mut self) -> Result<u32, PipelineError> {
        let slot = u32::try_from(self.packs.len()).map_err(|_| PipelineError::TooManyPacks)?;
        self.packs.push(None);
        self.numbers.push(None);
        Ok(slot)
    }

    /// What a pack that began has become.
    pub fn finish_pack(&mut self, slot: u32, info: PackInfo) {
        if let Some(pack) = self.packs.get_mut(slot as usize) {
            *pack = Some(Arc::new(info));
        }
    }

    /// The number in the recipe of a pack that the snapshot uses.
    pub fn number(&mut self, slot: u32) -> u64 {
        let next = self.used.len() as u64;
        match self.numbers.get_mut(slot as usize) {
            Some(Some(number)) => *number,
            Some(empty) => {
                *empty = Some(next);
                self.used.push(slot);
                next
            }
            None => next,
        }
    }

    /// The packs that the snapshot uses, as lines of its recipe. All must be finished.
    pub fn pack_lines(&self) -> Vec<PackLine> {
        let infos = self
            .used
            .iter()
            .filter_map(|&slot| self.packs.get(slot as usize)?.as_ref());
        infos
            .map(|info| PackLine {
                sha256: info.sha256,
                size: info.size,
                head: info.head,
                plain: info.plain,
            })
            .collect()
    }

    /// How many packs this run began, and the stored size of those it finished.
    pub fn added(&self) -> (u64, u64) {
        let new = self.packs.iter().skip(self.old_packs).flatten();
        new.fold((0, 0), |(count, bytes), info| {
            (count + 1, bytes + info.size)
        })
    }

    /// The index for the next run.
    pub fn into_index(mut self) -> Option<Index> {
        self.index.packs = self.packs.into_iter().collect::<Option<_>>()?;
        Some(self.index)
    }
}
