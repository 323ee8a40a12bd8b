//! A lane: new chunks in, finished packs out. Each stream fills packs of its own, so that what
//! was backed up together is read together.
//!
//! Chunks get their place at once, long before their block is compressed. So where a pack ends is
//! decided by an estimate: what its compressed blocks took, and what those still under way will
//! take at the same ratio. A pack is aimed at a size, and never needs to have it exactly.
//!
//! A lane that has to wait for memory holds no pack that only it could finish: it settles all of
//! them first. So lanes cannot wait for each other in a circle.

use std::{collections::VecDeque, io::Read as _, sync::Arc, time::Instant};

use bytes::Bytes;

use super::{
    Dedup, PackOptions, Pipeline, PipelineError,
    budget::Share,
    pool::{Answer, Block},
    upload::NewPack,
};
use crate::{
    chunk::ChunkId,
    codec::{BlockCodec, seek_table},
    crypt::{Sealed, Sealer},
    format::layout,
    repo::chunks::{PackInfo, Part, Place},
};

/// Decompressed size at which a pack is closed however small it got.
pub(super) const MAX_PACK_PLAIN: u64 = 256 << 20;
/// Chunks at which it is.
const MAX_PACK_CHUNKS: usize = 1 << 16;
/// What is guessed of data of which nothing was compressed yet.
const FIRST_RATIO: f64 = 0.5;

/// Gathers new chunks into blocks and blocks into packs.
#[derive(Debug)]
pub(super) struct Lane {
    shared: Arc<Pipeline>,
    /// Stored size at which a pack is closed.
    pack_bytes: usize,
    block: Vec<u8>,
    /// The last is being filled; those before it are closed and wait for blocks.
    packs: VecDeque<OpenPack>,
    in_flight: usize,
    compressed: (u64, u64),
    finishing: VecDeque<Answer<Result<(), PipelineError>>>,
    spare: Vec<Vec<u8>>,
}

/// A pack that is being filled.
#[derive(Debug)]
struct OpenPack {
    slot: u32,
    sealer: Sealer,
    share: Share,
    blocks: Vec<(u32, u32)>,
    /// Decompressed bytes that have a place in it.
    plain_len: u64,
    parts: Vec<Part>,
    /// Blocks that are being compressed, and their decompressed bytes.
    waiting: VecDeque<Answer<Result<Block, PipelineError>>>,
    waiting_plain: u64,
    closed: bool,
}

impl Lane {
    /// The memory of a pack that closes at `pack_bytes`: what is under way may still come.
    pub(super) fn memory(options: &PackOptions, pack_bytes: usize) -> usize {
        pack_bytes + 2 * options.block_bytes
    }

    /// A lane whose packs close at `pack_bytes` of stored data.
    pub(super) fn new(shared: Arc<Pipeline>, pack_bytes: usize) -> Self {
        Self {
            block: Vec::with_capacity(shared.options.block_bytes),
            shared,
            pack_bytes,
            packs: VecDeque::new(),
            in_flight: 0,
            compressed: (0, 0),
            finishing: VecDeque::new(),
            spare: Vec::new(),
        }
    }

    /// What all lanes share.
    pub(super) fn shared(&self) -> &Arc<Pipeline> {
        &self.shared
    }

    /// Appends a chunk that is not stored yet, and says where it will be.
    pub(super) fn append(&mut self, id: ChunkId, chunk: &[u8]) -> Result<Place, PipelineError> {
        if self.packs.back().is_none_or(|pack| pack.closed) {
            self.open_pack()?;
        }
        let pack = self.packs.back_mut().expect("one was just opened");
        let offset = u32::try_from(pack.plain_len).expect("packs close at 256 MiB");
        let length = u32::try_from(chunk.len()).expect("chunks are far below 4 GiB");
        pack.plain_len += u64::from(length);
        pack.parts.push(Part { id, offset, length });
        self.block.extend_from_slice(chunk);
        let place = Place {
            pack: pack.slot,
            offset,
            length,
        };
        if self.block.len() >= self.shared.options.block_bytes {
            self.close_block()?;
        }
        self.shared.dedup.insert(id, place)?;
        Ok(place)
    }

    /// Sends what is left, and waits until all packs are on their way to the store.
    pub(super) fn finish(mut self) -> Result<(), PipelineError> {
        self.close_block()?;
        if let Some(pack) = self.packs.back_mut() {
            pack.closed = true;
        }
        self.settle(0)?;
        while let Some(answer) = self.finishing.pop_front() {
            answer.wait()??;
        }
        Ok(())
    }

    /// Takes what is under way, so that nothing depends on when this lane goes on.
    pub(super) fn rest(&mut self) -> Result<(), PipelineError> {
        self.close_block()?;
        self.settle(0)
    }

    fn open_pack(&mut self) -> Result<(), PipelineError> {
        let capacity = Self::memory(&self.shared.options, self.pack_bytes);
        let share = if let Some(share) = self.shared.budget.try_take(capacity) {
            share
        } else {
            self.settle(0)?;
            self.shared.budget.take(capacity)
        };
        let sealer =
            Sealer::new(&self.shared.options.recipient, capacity).map_err(PipelineError::Seal)?;
        self.packs.push_back(OpenPack {
            slot: self.shared.dedup.open_pack()?,
            sealer,
            share,
            blocks: Vec::new(),
            plain_len: 0,
            parts: Vec::new(),
            waiting: VecDeque::new(),
            waiting_plain: 0,
            closed: false,
        });
        Ok(())
    }

    /// Hands the block to the pool, and closes the pack if that fills it.
    fn close_block(&mut self) -> Result<(), PipelineError> {
        if self.block.is_empty() {
            return Ok(());
        }
        let capacity = self.shared.options.block_bytes;
        let next = self.spare.pop();
        let next = next.unwrap_or_else(|| Vec::with_capacity(capacity + capacity / 4));
        let plain = std::mem::replace(&mut self.block, next);
        let pack = self.packs.back_mut().expect("a block belongs to a pack");
        pack.waiting_plain += plain.len() as u64;
        pack.waiting.push_back(self.shared.pool.compress(plain));
        self.in_flight += 1;
        let ratio = match self.compressed {
            (_, 0) => FIRST_RATIO,
            (stored, plain) => stored as f64 / plain as f64,
        };
        let expected = pack.sealer.plain_len() as f64 + pack.waiting_plain as f64 * ratio;
        pack.closed = expected >= self.pack_bytes as f64
            || pack.plain_len + 2 * capacity as u64 > MAX_PACK_PLAIN
            || pack.parts.len() >= MAX_PACK_CHUNKS;
        self.settle(self.shared.pool.in_flight())?;
        self.leave_room()
    }

    /// Takes blocks until those that are still under way fit into the pack's memory even if they
    /// do not compress at all: as a pack gets full, fewer of its blocks are compressed at once.
    fn leave_room(&mut self) -> Result<(), PipelineError> {
        let memory = Self::memory(&self.shared.options, self.pack_bytes) as u64;
        let next = 2 * self.shared.options.block_bytes as u64;
        while self.in_flight > 0
            && let Some(pack) = self.packs.back().filter(|pack| !pack.closed)
            && pack.sealer.plain_len() as u64 + pack.waiting_plain + next > memory
        {
            self.settle(self.in_flight - 1)?;
        }
        Ok(())
    }

    /// Takes compressed blocks, oldest first, until at most so many are under way, and finishes
    /// the packs that have all of theirs.
    fn settle(&mut self, most: usize) -> Result<(), PipelineError> {
        while let Some(pack) = self.packs.front_mut() {
            if let Some(answer) = pack.waiting.pop_front_if(|_| self.in_flight > most) {
                let block = answer.wait()??;
                self.in_flight -= 1;
                pack.take(&block)?;
                let stored = (block.frame.len() as u64, block.plain.len() as u64);
                // What lies far back says little about what comes next.
                let (frames, plains) = self.compressed;
                self.compressed = (frames / 8 * 7 + stored.0, plains / 8 * 7 + stored.1);
                let mut spare = block.plain;
                spare.clear();
                self.spare.push(spare);
            } else if pack.closed && pack.waiting.is_empty() {
                self.finish_first()?;
            } else {
                break;
            }
        }
        Ok(())
    }

    fn finish_first(&mut self) -> Result<(), PipelineError> {
        // One at a time: an error shows before the next, and memory stays bounded.
        if let Some(before) = self.finishing.pop_front() {
            before.wait()??;
        }
        if let Some(pack) = self.packs.pop_front() {
            // Not all that lanes share: the pool must not end on one of its own threads.
            let (dedup, load) = (Arc::clone(&self.shared.dedup), self.shared.pool.load());
            let uploads = self.shared.uploads.clone();
            let finish = move |codec: &mut BlockCodec| {
                let new = pack.finish(&dedup, codec)?;
                let started = Instant::now();
                let sent = uploads.blocking_send(new);
                load.held(started.elapsed());
                sent.map_err(|_| PipelineError::UploadStopped)
            };
            self.finishing.push_back(self.shared.pool.finish(finish));
        }
        Ok(())
    }
}

impl OpenPack {
    fn take(&mut self, block: &Block) -> Result<(), PipelineError> {
        let sizes = (
            u32::try_from(block.frame.len()),
            u32::try_from(block.plain.len()),
        );
        let (Ok(stored), Ok(plain)) = sizes else {
            return Err(PipelineError::SelfCheck);
        };
        self.sealer
            .write(&block.frame)
            .map_err(PipelineError::Seal)?;
        self.blocks.push((stored, plain));
        self.waiting_plain -= u64::from(plain);
        Ok(())
    }

    /// Seals the pack, and reads it as any reader would.
    fn finish(mut self, dedup: &Dedup, codec: &mut BlockCodec) -> Result<NewPack, PipelineError> {
        let table = seek_table(&self.blocks);
        self.sealer.write(&table).map_err(PipelineError::Seal)?;
        let sealed = self.sealer.finish().map_err(PipelineError::Seal)?;
        decodes(&sealed, &self.blocks, &table, codec)?;
        let info = PackInfo {
            sha256: sealed.sha256,
            size: sealed.bytes.len() as u64,
            head: sealed.head,
            plain: self.plain_len,
        };
        dedup.finish_pack(self.slot, info);
        Ok(NewPack {
            key: layout::pack(&info.sha256),
            info,
            bytes: Bytes::from(sealed.bytes),
            parts: self.parts,
            _share: self.share,
        })
    }
}

/// Whether a sealed pack opens and decompresses, block by block, to its very end. Each frame has a
/// checksum of the bytes that went in, which decompressing compares with what comes out.
fn decodes(
    sealed: &Sealed,
    blocks: &[(u32, u32)],
    table: &[u8],
    codec: &mut BlockCodec,
) -> Result<(), PipelineError> {
    let mut plain =
        crate::crypt::open_reader(&sealed.bytes, &sealed.key).map_err(PipelineError::Seal)?;
    let mut frame = Vec::new();
    for &(stored, plain_len) in blocks {
        frame.resize(stored as usize, 0);
        let read = plain.read_exact(&mut frame);
        read.map_err(|_| PipelineError::SelfCheck)?;
        codec
            .decompress(&frame, plain_len as usize)
            .map_err(PipelineError::Compress)?;
    }
    frame.clear();
    let read = plain.read_to_end(&mut frame);
    if read.is_err() || frame != table {
        return Err(PipelineError::SelfCheck);
    }
    Ok(())
}
