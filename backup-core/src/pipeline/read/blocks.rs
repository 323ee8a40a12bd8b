//! The blocks that a reader has at hand, within a budget of bytes: open packs, decompressed blocks,
//! and what is on its way.
//!
//! Everything carries the number of the last extent that is known to want it. What no coming extent
//! wants makes room first, oldest first. Reading ahead never pushes out what a coming extent wants,
//! and stops instead; reading now pushes out what is wanted last. A whole pack that was pushed out
//! is read in part from then on.

use std::{collections::BTreeMap, sync::Arc, thread};

use super::{
    Packs,
    fetch::Pending,
    needs::Needs,
    pack::{Block, OpenPack},
};
use crate::{format::Extent, repo::RepoError};

/// Packs that are being opened at once, each on a thread of its own.
const OPENING: usize = 3;
/// Blocks that are being fetched at once.
const COMING: usize = 8;

/// A pack, open or being opened.
#[derive(Debug)]
enum Pack {
    Open(Box<OpenPack>),
    Opening(thread::JoinHandle<Result<OpenPack, RepoError>>),
}

/// A block, here or on its way.
#[derive(Debug)]
enum Here {
    Block(Block),
    Coming(Pending),
}

/// Something held, its size in memory, and the last extent that wants it.
#[derive(Debug)]
struct Held<T> {
    what: T,
    bytes: u64,
    wanted: u64,
}

/// The blocks of one reader.
#[derive(Debug)]
pub(super) struct Blocks {
    packs: Arc<Packs>,
    needs: Needs,
    budget: u64,
    used: u64,
    /// The extent that is being read.
    now: u64,
    open: BTreeMap<u64, Held<Pack>>,
    /// By pack and where they begin.
    here: BTreeMap<(u64, u64), Held<Here>>,
}

impl Blocks {
    pub(super) fn new(packs: Arc<Packs>, needs: Needs, budget: u64) -> Self {
        Self {
            packs,
            needs,
            budget,
            used: 0,
            now: 0,
            open: BTreeMap::new(),
            here: BTreeMap::new(),
        }
    }

    /// What is held, in bytes.
    #[cfg(test)]
    pub(super) fn used(&self) -> u64 {
        self.used
    }

    /// The block that holds `offset` of a pack, for extent number `now`.
    pub(super) fn block(&mut self, pack: u64, offset: u64, now: u64) -> Result<Block, RepoError> {
        self.now = now;
        if let Some(block) = self.find(pack, offset) {
            return Ok(block);
        }
        let (open, wanted) = self.take_pack(pack)?;
        let (open, result) = self.read(pack, open, offset);
        let bytes = self.packs.held_bytes(pack, open.is_whole());
        self.put_pack(pack, Pack::Open(open), bytes, wanted.max(now));
        result
    }

    /// Makes an extent to come ready. Says no if there is no room now, or no knowing yet what it
    /// needs: to be asked again.
    pub(super) fn prepare(&mut self, extent: Extent, number: u64) -> Result<bool, RepoError> {
        let pack = extent.pack;
        let Some(held) = self.open.get_mut(&pack) else {
            return Ok(self.start_open(pack, number));
        };
        held.wanted = held.wanted.max(number);
        if let Pack::Opening(thread) = &held.what
            && !thread.is_finished()
        {
            let whole = self.wants_whole(pack);
            return Ok(self.packs.opens_whole(pack, whole));
        }
        let (open, wanted) = self.take_pack(pack)?;
        let ready = self.prepare_blocks(&open, extent, number);
        let bytes = self.packs.held_bytes(pack, open.is_whole());
        self.put_pack(pack, Pack::Open(open), bytes, wanted.max(number));
        ready
    }

    /// Asks for the blocks of an extent, if they have to be fetched one by one.
    fn prepare_blocks(
        &mut self,
        open: &OpenPack,
        extent: Extent,
        number: u64,
    ) -> Result<bool, RepoError> {
        if open.is_whole() {
            return Ok(true);
        }
        let mut at = extent.offset;
        while at < extent.offset.saturating_add(extent.length) {
            let place = open.place(at)?;
            let key = (extent.pack, place.plain_start);
            if let Some(held) = self.here.get_mut(&key) {
                held.wanted = held.wanted.max(number);
            } else {
                let coming = |held: &&Held<Here>| matches!(held.what, Here::Coming(_));
                let stored = open.stored(place);
                let bytes = (stored.end - stored.start).max(place.plain_len as u64);
                let held = self.packs.held_bytes(extent.pack, open.is_whole());
                if self.here.values().filter(coming).count() >= COMING
                    || !self.make_room(bytes.saturating_add(held), true)
                {
                    return Ok(false);
                }
                let pending = self.packs.fetch_block(open, place)?;
                self.put_block(key, Here::Coming(pending), bytes, number);
            }
            at = place.plain_start.saturating_add(place.plain_len as u64);
        }
        Ok(true)
    }

    fn find(&mut self, pack: u64, offset: u64) -> Option<Block> {
        let mut before = self.here.range_mut((pack, 0)..=(pack, offset));
        let (_, held) = before.next_back()?;
        match &held.what {
            Here::Block(block) if offset - block.start < block.bytes.len() as u64 => {
                held.wanted = held.wanted.max(self.now);
                Some(block.clone())
            }
            Here::Block(_) | Here::Coming(_) => None,
        }
    }

    /// Reads a block that is not here, or waits for it.
    fn read(
        &mut self,
        pack: u64,
        mut open: Box<OpenPack>,
        offset: u64,
    ) -> (Box<OpenPack>, Result<Block, RepoError>) {
        let block = open.place(offset).and_then(|place| {
            let key = (pack, place.plain_start);
            let coming = self.remove_block(key);
            let brought = match coming.map(|held| held.what) {
                Some(Here::Coming(pending)) => Some(pending.wait()?),
                _ if open.is_whole() => None,
                _ => Some(self.packs.fetch_block(&open, place)?.wait()?),
            };
            let block = open.block(place, brought)?;
            let bytes = block.bytes.len() as u64;
            // The pack is out while it is read, and comes back beside its block.
            let held = self.packs.held_bytes(pack, open.is_whole());
            self.make_room(bytes.saturating_add(held), false);
            self.put_block(key, Here::Block(block.clone()), bytes, self.now);
            Ok(block)
        });
        (open, block)
    }

    fn wants_whole(&self, pack: u64) -> bool {
        self.packs.line(pack).is_ok_and(|line| {
            line.size.saturating_mul(2) <= self.budget && self.needs.whole(pack, line.plain)
        })
    }

    /// Begins to open a pack on a thread of its own. A whole one needs nothing else.
    fn start_open(&mut self, pack: u64, number: u64) -> bool {
        let whole = self.packs.opens_whole(pack, self.wants_whole(pack));
        let bytes = self.packs.held_bytes(pack, whole);
        let opening = |held: &&Held<Pack>| matches!(held.what, Pack::Opening(_));
        if self.open.values().filter(opening).count() >= OPENING || !self.make_room(bytes, true) {
            return false;
        }
        let packs = Arc::clone(&self.packs);
        let thread = thread::Builder::new()
            .name("open-pack".to_owned())
            .spawn(move || packs.open(pack, whole));
        let Ok(thread) = thread else {
            // It is opened when it is needed.
            return false;
        };
        self.put_pack(pack, Pack::Opening(thread), bytes, number);
        whole
    }

    /// Takes a pack out, opened by now, and the last extent that wants it.
    fn take_pack(&mut self, pack: u64) -> Result<(Box<OpenPack>, u64), RepoError> {
        let Some(held) = self.open.remove(&pack) else {
            let whole = self.packs.opens_whole(pack, self.wants_whole(pack));
            let bytes = self.packs.held_bytes(pack, whole);
            self.make_room(bytes, false);
            return Ok((Box::new(self.packs.open(pack, whole)?), self.now));
        };
        self.used -= held.bytes;
        let open = match held.what {
            Pack::Open(open) => open,
            Pack::Opening(thread) => match thread.join() {
                Ok(opened) => Box::new(opened?),
                Err(panic) => std::panic::resume_unwind(panic),
            },
        };
        Ok((open, held.wanted))
    }

    fn put_pack(&mut self, pack: u64, what: Pack, bytes: u64, wanted: u64) {
        self.used += bytes;
        let held = Held {
            what,
            bytes,
            wanted,
        };
        self.open.insert(pack, held);
    }

    fn put_block(&mut self, key: (u64, u64), what: Here, bytes: u64, wanted: u64) {
        self.used += bytes;
        let held = Held {
            what,
            bytes,
            wanted,
        };
        self.here.insert(key, held);
    }

    fn remove_block(&mut self, key: (u64, u64)) -> Option<Held<Here>> {
        let held = self.here.remove(&key)?;
        self.used -= held.bytes;
        Some(held)
    }

    /// Makes room; for reading ahead only at the cost of what no extent to come is known to want.
    fn make_room(&mut self, bytes: u64, ahead: bool) -> bool {
        while self.used.saturating_add(bytes) > self.budget {
            let old = |wanted: u64| wanted < self.now;
            let blocks = self
                .here
                .iter()
                .map(|(key, held)| (held.wanted, *key, false));
            let packs = self.open.iter().filter_map(|(pack, held)| {
                // A thread that is at work cannot be stopped.
                matches!(held.what, Pack::Open(_)).then_some((held.wanted, (*pack, 0), true))
            });
            let all = || blocks.clone().chain(packs.clone());
            let oldest = all().filter(|(wanted, ..)| old(*wanted)).min();
            if oldest.is_none() && ahead {
                return false;
            }
            match oldest.or_else(|| all().max()) {
                Some((_, key, false)) => drop(self.remove_block(key)),
                Some((_, (pack, _), true)) => self.close(pack),
                // One thing alone may be more than the budget.
                None => return true,
            }
        }
        true
    }

    fn close(&mut self, pack: u64) {
        if let Some(held) = self.open.remove(&pack) {
            self.used -= held.bytes;
            if let Pack::Open(open) = held.what
                && open.is_whole()
            {
                self.needs.demote(pack);
            }
        }
    }
}
