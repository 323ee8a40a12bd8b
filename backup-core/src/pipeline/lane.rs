//! A lane: new chunks in, finished packs out. Each stream fills packs of its own, so that what
//! was backed up together is read together.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use backup_keys::Recipient;
use bytes::Bytes;
use tokio::sync::mpsc;

use super::{Dedup, PipelineError};
use crate::{
    chunk::ChunkId,
    codec::{compress_block, decompress_block, read_seek_table, seek_table},
    crypt::{self, Sealed, Sealer},
    format::layout,
    repo::{PackInfo, Place},
};

/// Decompressed size at which a pack is closed however small it got.
pub(super) const MAX_PACK_PLAIN: u64 = 256 << 20;

/// What all lanes of a run have in common.
#[derive(Clone, Debug)]
pub struct LaneOptions {
    /// What packs are encrypted to.
    pub recipient: Recipient,
    /// The zstd level of blocks.
    pub level: i32,
    /// Decompressed size at which a block is closed.
    pub block_bytes: usize,
    /// Stored size at which a pack is closed.
    pub pack_bytes: usize,
}

/// A pack on its way to the store.
#[derive(Debug)]
pub struct NewPack {
    /// Its object key.
    pub key: String,
    /// Its bytes.
    pub bytes: Bytes,
}

/// Gathers new chunks into blocks and blocks into packs.
#[derive(Debug)]
pub struct Lane {
    options: LaneOptions,
    dedup: Arc<Mutex<Dedup>>,
    uploads: mpsc::Sender<NewPack>,
    block: Vec<u8>,
    pack: Option<OpenPack>,
}

/// A pack that is being filled.
#[derive(Debug)]
struct OpenPack {
    slot: u32,
    sealer: Sealer,
    blocks: Vec<(u32, u32)>,
    /// Bytes of closed blocks, decompressed.
    plain_len: u64,
    /// Over the same bytes, to compare with what the finished pack decodes to.
    content: blake3::Hasher,
}

impl Lane {
    /// A lane that sends its packs to `uploads`.
    pub fn new(
        options: LaneOptions,
        dedup: Arc<Mutex<Dedup>>,
        uploads: mpsc::Sender<NewPack>,
    ) -> Self {
        Self {
            block: Vec::with_capacity(options.block_bytes),
            options,
            dedup,
            uploads,
            pack: None,
        }
    }

    /// The state shared with other lanes.
    pub(super) fn dedup(&self) -> MutexGuard<'_, Dedup> {
        self.dedup.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a chunk that is not stored yet, and says where it will be.
    pub(super) fn append(&mut self, id: ChunkId, chunk: &[u8]) -> Result<Place, PipelineError> {
        if self.pack.is_none() {
            let slot = self.dedup().open_pack()?;
            let capacity = self.options.pack_bytes + 2 * self.options.block_bytes;
            self.pack = Some(OpenPack {
                slot,
                sealer: Sealer::new(&self.options.recipient, capacity)
                    .map_err(PipelineError::Seal)?,
                blocks: Vec::new(),
                plain_len: 0,
                content: blake3::Hasher::new(),
            });
        }
        let (slot, start) = self
            .pack
            .as_ref()
            .map(|pack| (pack.slot, pack.plain_len + self.block.len() as u64))
            .expect("the pack was just opened");
        let place = Place {
            pack: slot,
            offset: u32::try_from(start).expect("packs close at 256 MiB"),
            length: u32::try_from(chunk.len()).expect("chunks are far below 4 GiB"),
        };
        self.block.extend_from_slice(chunk);
        self.dedup().insert(id, place);
        if self.block.len() >= self.options.block_bytes {
            self.close_block()?;
        }
        Ok(place)
    }

    /// Sends what is left.
    pub fn finish(mut self) -> Result<(), PipelineError> {
        self.close_block()?;
        self.close_pack()
    }

    fn close_block(&mut self) -> Result<(), PipelineError> {
        let Some(pack) = self.pack.as_mut().filter(|_| !self.block.is_empty()) else {
            return Ok(());
        };
        let frame =
            compress_block(&self.block, self.options.level).map_err(PipelineError::Compress)?;
        pack.sealer.write(&frame).map_err(PipelineError::Seal)?;
        pack.content.update(&self.block);
        pack.plain_len += self.block.len() as u64;
        let sizes = (u32::try_from(frame.len()), u32::try_from(self.block.len()));
        let (Ok(stored), Ok(plain)) = sizes else {
            return Err(PipelineError::SelfCheck);
        };
        pack.blocks.push((stored, plain));
        self.block.clear();
        let full = pack.sealer.plain_len() >= self.options.pack_bytes
            || pack.plain_len + 2 * self.options.block_bytes as u64 > MAX_PACK_PLAIN;
        if full {
            self.close_pack()?;
        }
        Ok(())
    }

    fn close_pack(&mut self) -> Result<(), PipelineError> {
        let Some(mut pack) = self.pack.take() else {
            return Ok(());
        };
        pack.sealer
            .write(&seek_table(&pack.blocks))
            .map_err(PipelineError::Seal)?;
        let sealed = pack.sealer.finish().map_err(PipelineError::Seal)?;
        if decoded(&sealed, pack.plain_len)? != pack.content.finalize() {
            return Err(PipelineError::SelfCheck);
        }
        let info = PackInfo {
            sha256: sealed.sha256,
            size: sealed.bytes.len() as u64,
            head: sealed.head,
            plain: pack.plain_len,
        };
        self.dedup().finish_pack(pack.slot, info);
        let new = NewPack {
            key: layout::pack(&info.sha256),
            bytes: Bytes::from(sealed.bytes),
        };
        self.uploads
            .blocking_send(new)
            .map_err(|_| PipelineError::UploadStopped)
    }
}

/// The hash of what a sealed pack decodes to, read as any reader would.
fn decoded(sealed: &Sealed, plain_len: u64) -> Result<blake3::Hash, PipelineError> {
    let pack = crypt::open(&sealed.bytes, &sealed.key).map_err(PipelineError::Seal)?;
    let places = read_seek_table(&pack, plain_len).map_err(PipelineError::Compress)?;
    let mut content = blake3::Hasher::new();
    for place in places {
        let frame = pack.get(place.start..place.start + place.len);
        let frame = frame.ok_or(PipelineError::SelfCheck)?;
        let plain = decompress_block(frame, place.plain_len).map_err(PipelineError::Compress)?;
        content.update(&plain);
    }
    Ok(content.finalize())
}
