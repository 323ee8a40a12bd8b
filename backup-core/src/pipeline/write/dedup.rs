//! What is stored already: chunks of earlier snapshots and of this run, packs by number, and
//! which packs this snapshot uses.
//!
//! All streams of a run share it. Packs have *slots* here: those of the index first, then those
//! of this run. A chunk in a pack that may not be used (missing, retired, about to be pruned)
//! counts as absent and is stored afresh.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::PipelineError;
use crate::{
    chunk::ChunkId,
    format::PackLine,
    repo::chunks::{Index, OrderReader, PackInfo, Part, Place, Seen},
};

/// How far ahead in the order of the previous run a chunk is looked for.
const AHEAD: usize = 64;

/// The state that all streams of a run share.
#[derive(Debug)]
pub struct Dedup {
    index: Option<Index>,
    /// By slot of the index.
    usable: Vec<bool>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    seen: Seen,
    /// A pack that is still being written has no info yet.
    packs: Vec<Option<PackInfo>>,
    /// The number in the recipe, for packs that the snapshot uses.
    numbers: Vec<Option<u64>>,
    /// The used packs, in the order of their numbers in the recipe.
    used: Vec<u32>,
    /// Slots from here on are packs that no snapshot of the index used.
    first_new: usize,
    /// Slots from here on are packs that this run stores; those before were adopted.
    first_own: usize,
}

/// Packs that are new with a snapshot.
#[derive(Clone, Copy, Debug, Default)]
pub struct Added {
    /// How many.
    pub packs: u64,
    /// Their stored size.
    pub bytes: u64,
    /// Of this, what a run that broke off had stored.
    pub adopted_bytes: u64,
}

impl Dedup {
    /// Begins with an index, of which the packs that `usable` confirms may be used, and nothing
    /// that this run has stored.
    pub fn new(index: Option<Index>, usable: Vec<bool>, seen: Seen) -> Self {
        let packs: Vec<_> = index
            .iter()
            .flat_map(Index::packs)
            .copied()
            .map(Some)
            .collect();
        Self {
            index,
            usable,
            state: Mutex::new(State {
                seen,
                numbers: vec![None; packs.len()],
                first_new: packs.len(),
                first_own: packs.len(),
                packs,
                used: Vec::new(),
            }),
        }
    }

    /// Adds a pack that an earlier run stored and did not come to use.
    pub fn adopt(&self, info: PackInfo, parts: &[Part]) -> Result<(), PipelineError> {
        let slot = self.open_pack()?;
        self.finish_pack(slot, info);
        let mut state = self.lock();
        state.first_own = state.packs.len();
        for &Part { id, offset, length } in parts {
            let place = Place {
                pack: slot,
                offset,
                length,
            };
            state
                .seen
                .insert(id, place)
                .map_err(PipelineError::LocalIndex)?;
        }
        Ok(())
    }

    /// The index of the job's previous snapshot.
    pub fn index(&self) -> Option<&Index> {
        self.index.as_ref()
    }

    /// Whether a pack may be used.
    pub(super) fn usable(&self, slot: u32) -> bool {
        self.usable.get(slot as usize).copied().unwrap_or(true)
    }

    /// Remembers a chunk that was just put into a pack.
    pub(super) fn insert(&self, id: ChunkId, place: Place) -> Result<(), PipelineError> {
        let inserted = self.lock().seen.insert(id, place);
        inserted.map_err(PipelineError::LocalIndex)
    }

    /// A slot for a pack that begins.
    pub(super) fn open_pack(&self) -> Result<u32, PipelineError> {
        let mut state = self.lock();
        let slot = u32::try_from(state.packs.len()).map_err(|_| PipelineError::TooManyPacks)?;
        state.packs.push(None);
        state.numbers.push(None);
        Ok(slot)
    }

    /// What a pack that began has become.
    pub(super) fn finish_pack(&self, slot: u32, info: PackInfo) {
        if let Some(pack) = self.lock().packs.get_mut(slot as usize) {
            *pack = Some(info);
        }
    }

    /// The number in the recipe of a pack that the snapshot uses.
    pub(super) fn number(&self, slot: u32) -> u64 {
        let mut state = self.lock();
        let next = state.used.len() as u64;
        match state.numbers.get_mut(slot as usize) {
            Some(Some(number)) => *number,
            Some(empty) => {
                *empty = Some(next);
                state.used.push(slot);
                next
            }
            None => next,
        }
    }

    /// The packs that the snapshot uses, as lines of its recipe. All must be finished.
    pub(super) fn pack_lines(&self) -> Result<Vec<PackLine>, PipelineError> {
        let state = self.lock();
        let info = |&slot: &u32| state.packs.get(slot as usize).copied().flatten();
        let lines = state.used.iter().map(|slot| {
            let info = info(slot).ok_or(PipelineError::SelfCheck)?;
            Ok(PackLine {
                sha256: info.sha256,
                size: info.size,
                head: info.head,
                plain: info.plain,
            })
        });
        lines.collect()
    }

    /// The packs that the snapshot uses and the index did not have.
    pub(super) fn added(&self) -> Added {
        let state = self.lock();
        let mut added = Added::default();
        for slot in state.used.iter().map(|&slot| slot as usize) {
            let info = state.packs.get(slot).copied().flatten();
            if let Some(info) = info.filter(|_| slot >= state.first_new) {
                added.packs += 1;
                added.bytes += info.size;
                if slot < state.first_own {
                    added.adopted_bytes += info.size;
                }
            }
        }
        added
    }

    /// The packs for the next index, by slot: slots stay what they are, and a pack that may not be
    /// used any more, or was adopted for nothing, leaves an empty place.
    pub(crate) fn packs_to_keep(&self) -> Vec<Option<PackInfo>> {
        let state = self.lock();
        let keep = |slot: usize, number: Option<u64>| {
            let old = slot < state.first_new && self.usable.get(slot).copied().unwrap_or(false);
            old || number.is_some()
        };
        let packs = state.packs.iter().zip(&state.numbers).enumerate();
        packs
            .map(|(slot, (info, number))| info.filter(|_| keep(slot, *number)))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self, id: &ChunkId) -> Result<Option<Place>, PipelineError> {
        let found = self.lock().seen.find(id);
        found.map_err(PipelineError::LocalIndex)
    }
}

/// Whether a chunk is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// There.
    At(Place),
    /// In a pack that may not be used: it is stored again, though it is not new.
    Unusable,
    /// It is new.
    Nowhere,
}

/// Finds the chunks of one stream: in the order of the previous run as long as that holds, so
/// that most look-ups cost no reading from a random place.
#[derive(Debug)]
pub(super) struct Finder {
    order: Option<OrderReader>,
}

impl Finder {
    /// For the stream of this name.
    pub(super) fn new(dedup: &Dedup, name: &str) -> Self {
        Self {
            order: dedup.index().and_then(|index| index.order(name)),
        }
    }

    /// Where a chunk is stored.
    pub(super) fn find(&mut self, dedup: &Dedup, id: &ChunkId) -> Result<Found, PipelineError> {
        let known = self.next_in_order(id).or_else(|| self.anywhere(dedup, id));
        if let Some(place) = known.filter(|place| dedup.usable(place.pack)) {
            return Ok(Found::At(place));
        }
        Ok(match (dedup.seen(id)?, known) {
            (Some(place), _) => Found::At(place),
            (None, Some(_)) => Found::Unusable,
            (None, None) => Found::Nowhere,
        })
    }

    fn anywhere(&mut self, dedup: &Dedup, id: &ChunkId) -> Option<Place> {
        let record = dedup.index()?.find(id)?;
        if let Some(order) = &mut self.order {
            // Wherever it is elsewhere, the order stays where it was.
            if let Some(next) = record.position.checked_add(1) {
                order.seek(next);
            }
        }
        Some(record.place)
    }

    fn next_in_order(&mut self, id: &ChunkId) -> Option<Place> {
        let order = self.order.as_mut()?;
        let (at, place) = order
            .ahead(AHEAD)
            .iter()
            .enumerate()
            .find(|(_, record)| record.id == *id)
            .map(|(at, record)| (at, record.place))?;
        order.advance(at + 1);
        Some(place)
    }
}
