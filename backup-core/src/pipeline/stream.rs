//! A stream on its way in: bytes are digested, chunked, looked up, and become extents.

use std::io;

use backup_model::Digest;
use sha2::{Digest as _, Sha256};

use super::{Lane, PipelineError};
use crate::{
    chunk::{ChunkId, ChunkSizes, Chunker, DedupSecret},
    format::Extent,
};

/// Learns how far a stream has come: its bytes so far.
pub type Observer = Box<dyn FnMut(u64) + Send>;

/// Progress is told every so many bytes.
const OBSERVE_BYTES: u64 = 4 << 20;

/// A stream that was stored.
#[derive(Debug)]
pub struct StoredStream {
    /// Its length.
    pub length: u64,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// Where its bytes are.
    pub extents: Vec<Extent>,
    /// Bytes that were not stored before.
    pub new_bytes: u64,
}

/// Takes a stream's bytes.
pub struct StreamWriter<'a> {
    chunker: Chunker,
    chunks: Chunks<'a>,
    digest: Sha256,
    length: u64,
    observer: Observer,
    observed: u64,
}

impl std::fmt::Debug for StreamWriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StreamWriter({} bytes so far)", self.length)
    }
}

/// What becomes of chunks.
struct Chunks<'a> {
    lane: &'a mut Lane,
    id_key: [u8; 32],
    extents: Vec<Extent>,
    new_bytes: u64,
}

impl<'a> StreamWriter<'a> {
    /// Begins a stream.
    pub fn new(
        lane: &'a mut Lane,
        secret: &DedupSecret,
        sizes: ChunkSizes,
        observer: Observer,
    ) -> Self {
        Self {
            chunker: Chunker::new(sizes, secret.gear_table()),
            chunks: Chunks {
                lane,
                id_key: secret.id_key(),
                extents: Vec::new(),
                new_bytes: 0,
            },
            digest: Sha256::new(),
            length: 0,
            observer,
            observed: 0,
        }
    }

    /// Takes bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), PipelineError> {
        self.digest.update(bytes);
        self.length += bytes.len() as u64;
        let chunks = &mut self.chunks;
        self.chunker.push(bytes, |chunk| chunks.take(chunk))?;
        if self.length - self.observed >= OBSERVE_BYTES {
            self.observed = self.length;
            (self.observer)(self.length);
        }
        Ok(())
    }

    /// Ends a chunk here: what comes next is independent of what came before.
    pub fn cut(&mut self) -> Result<(), PipelineError> {
        let chunks = &mut self.chunks;
        self.chunker.cut(|chunk| chunks.take(chunk))
    }

    /// Ends the stream.
    pub fn finish(mut self) -> Result<StoredStream, PipelineError> {
        self.cut()?;
        (self.observer)(self.length);
        Ok(StoredStream {
            length: self.length,
            sha256: Digest(self.digest.finalize().into()),
            extents: self.chunks.extents,
            new_bytes: self.chunks.new_bytes,
        })
    }
}

impl io::Write for StreamWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Chunks<'_> {
    fn take(&mut self, chunk: &[u8]) -> Result<(), PipelineError> {
        let id = ChunkId::of(&self.id_key, chunk);
        let known = self.lane.dedup().find(&id);
        let place = if let Some(place) = known {
            place
        } else {
            self.new_bytes += chunk.len() as u64;
            self.lane.append(id, chunk)?
        };
        let pack = self.lane.dedup().number(place.pack);
        let (offset, length) = (u64::from(place.offset), u64::from(place.length));
        match self.extents.last_mut() {
            Some(last) if last.pack == pack && last.offset + last.length == offset => {
                last.length += length;
            }
            _ => self.extents.push(Extent {
                pack,
                offset,
                length,
            }),
        }
        Ok(())
    }
}
