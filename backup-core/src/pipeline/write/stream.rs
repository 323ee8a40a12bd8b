//! A stream on its way in: bytes are digested, chunked, looked up, and become extents.

use std::io;

use backup_model::Digest;
use sha2::{Digest as _, Sha256};

use super::{
    Lane, PipelineError,
    dedup::{Finder, Found},
    extents::{ExtentWriter, Extents},
};
use crate::{
    chunk::{ChunkId, ChunkSizes, Chunker},
    format::Extent,
    repo::chunks::{Place, StreamCache},
};

/// Learns how far a stream has come: its bytes so far, and those of them that were stored.
pub type Observer = Box<dyn FnMut(u64, u64) + Send>;

/// Progress is told every so many bytes.
const OBSERVE_BYTES: u64 = 4 << 20;

/// What became of a stream's bytes.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) length: u64,
    pub(super) extents: Extents,
    /// Bytes that no earlier snapshot had.
    pub(super) new_bytes: u64,
    /// Bytes that one had, and that were stored again.
    pub(super) again_bytes: u64,
    pub(super) cache: StreamCache,
}

/// Bytes in, extents out. Knows nothing of what the bytes mean.
pub(super) struct Chunks<'a> {
    chunker: Chunker,
    placer: Placer<'a>,
    length: u64,
    observer: Observer,
    observed: u64,
}

impl std::fmt::Debug for Chunks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chunks({} bytes so far)", self.length)
    }
}

/// Gives each chunk its place.
struct Placer<'a> {
    lane: &'a mut Lane,
    finder: Finder,
    id_key: [u8; 32],
    extents: ExtentWriter,
    cache: StreamCache,
    /// The slot of the last chunk's pack, and its number.
    pack: Option<(u32, u64)>,
    new_bytes: u64,
    again_bytes: u64,
}

impl<'a> Chunks<'a> {
    /// Begins a stream. Its chunks have the sizes that it had before, or `sizes`.
    pub(super) fn new(
        lane: &'a mut Lane,
        name: &str,
        sizes: ChunkSizes,
        observer: Observer,
    ) -> Self {
        let shared = lane.shared();
        let before = shared.dedup.index().and_then(|index| index.stream(name));
        let sizes = before.map_or(sizes, |facts| {
            ChunkSizes::of_average_bits(facts.chunk_bits).after(u64::from(facts.count))
        });
        let (scratch, began) = (&shared.scratch, shared.began_secs);
        Self {
            chunker: Chunker::new(sizes, shared.secret.gear_table()),
            placer: Placer {
                finder: Finder::new(&shared.dedup, name),
                id_key: shared.secret.id_key(),
                extents: ExtentWriter::new(shared.spool()),
                cache: StreamCache::new(scratch, name.to_owned(), sizes.average_bits(), began),
                lane,
                pack: None,
                new_bytes: 0,
                again_bytes: 0,
            },
            length: 0,
            observer,
            observed: 0,
        }
    }

    /// Takes bytes; `placed` learns where chunks are.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        mut placed: impl FnMut(Place),
    ) -> Result<(), PipelineError> {
        let placer = &mut self.placer;
        self.chunker
            .push(bytes, |chunk| placer.take(chunk).map(&mut placed))?;
        self.advance(bytes.len() as u64);
        Ok(())
    }

    /// Ends a chunk here: what comes next is independent of what came before.
    pub(super) fn cut(&mut self, placed: impl FnOnce(Place)) -> Result<(), PipelineError> {
        let placer = &mut self.placer;
        self.chunker.cut(|chunk| placer.take(chunk).map(placed))
    }

    /// Goes on with bytes that are stored already, and were not read. Nothing may be pending.
    pub(super) fn reuse(&mut self, place: Place) -> Result<(), PipelineError> {
        self.placer.extend(place)?;
        self.advance(u64::from(place.length));
        Ok(())
    }

    /// Whether a pack may be used.
    pub(super) fn usable(&self, slot: u32) -> bool {
        self.placer.lane.shared().dedup.usable(slot)
    }

    /// What the host keeps of the stream.
    pub(super) fn cache(&mut self) -> &mut StreamCache {
        &mut self.placer.cache
    }

    /// Ends the stream.
    pub(super) fn finish(mut self) -> Result<Stored, PipelineError> {
        self.cut(|_| ())?;
        (self.observer)(self.length, self.placer.new_bytes + self.placer.again_bytes);
        let placer = self.placer;
        let (extents, last) = placer.extents.finish().map_err(PipelineError::Scratch)?;
        let shared = placer.lane.shared();
        last.map_or(Ok(()), |last| shared.count(last))?;
        Ok(Stored {
            length: self.length,
            extents,
            new_bytes: placer.new_bytes,
            again_bytes: placer.again_bytes,
            cache: placer.cache,
        })
    }

    fn advance(&mut self, bytes: u64) {
        self.length += bytes;
        if self.length - self.observed >= OBSERVE_BYTES {
            self.observed = self.length;
            let stored = self.placer.new_bytes + self.placer.again_bytes;
            (self.observer)(self.length, stored);
        }
    }
}

impl Placer<'_> {
    fn take(&mut self, chunk: &[u8]) -> Result<Place, PipelineError> {
        let id = ChunkId::of(&self.id_key, chunk);
        let found = self.finder.find(&self.lane.shared().dedup, &id)?;
        let length = chunk.len() as u64;
        let place = match found {
            Found::At(place) => place,
            Found::Unusable => {
                self.again_bytes += length;
                self.lane.append(id, chunk)?
            }
            Found::Nowhere => {
                self.new_bytes += length;
                self.lane.append(id, chunk)?
            }
        };
        self.cache.push(id, place).map_err(PipelineError::Scratch)?;
        self.extend(place)?;
        Ok(place)
    }

    fn extend(&mut self, place: Place) -> Result<(), PipelineError> {
        let shared = self.lane.shared();
        let pack = match self.pack {
            Some((slot, number)) if slot == place.pack => number,
            _ => shared.dedup.number(place.pack),
        };
        self.pack = Some((place.pack, pack));
        let extent = Extent {
            pack,
            offset: u64::from(place.offset),
            length: u64::from(place.length),
        };
        let ended = self.extents.push(extent).map_err(PipelineError::Scratch)?;
        ended.map_or(Ok(()), |ended| shared.count(ended))
    }
}

/// Takes the bytes of a stream that is digested as a whole.
#[derive(Debug)]
pub struct StreamWriter<'a> {
    chunks: Chunks<'a>,
    digest: Sha256,
}

impl<'a> StreamWriter<'a> {
    pub(super) fn new(chunks: Chunks<'a>) -> Self {
        Self {
            chunks,
            digest: Sha256::new(),
        }
    }

    /// Takes bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), PipelineError> {
        self.digest.update(bytes);
        self.chunks.push(bytes, |_| ())
    }

    pub(super) fn finish(self) -> Result<(Stored, Digest), PipelineError> {
        let digest = Digest(self.digest.finalize().into());
        Ok((self.chunks.finish()?, digest))
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
