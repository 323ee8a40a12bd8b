//! A snapshot in the making: streams go in, side by side, a recipe comes out.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use backup_keys::Recipient;
use backup_model::{Digest, StreamKind};
use tokio::sync::mpsc;

use super::{
    Added, Budget, Dedup, FilesWriter, Lane, NewPack, Observer, PipelineError, Pool, StreamWriter,
    Usage,
    extents::Extents,
    files::StoredFiles,
    listing::KnownEntries,
    stream::{Chunks, Stored},
};
use crate::{
    chunk::{ChunkSizes, DedupSecret},
    format::{Extent, INLINE_LINES, ListRef, PackLine, RecipeStream, StreamLine, push_line},
    repo::chunks::{Spool, StreamCache},
};

/// Lists and other small streams share packs of at most this stored size.
const SMALL_PACK_BYTES: usize = 4 << 20;
/// A list that is longer gets packs of its own.
const LONG_LIST_BYTES: u64 = 16 << 20;

/// What packs are like.
#[derive(Clone, Debug)]
pub struct PackOptions {
    /// What packs are encrypted to.
    pub recipient: Recipient,
    /// Decompressed size at which a block is closed.
    pub block_bytes: usize,
    /// Stored size at which a pack is closed.
    pub pack_bytes: usize,
}

/// What all streams of a run share.
#[derive(Debug)]
pub struct Pipeline {
    /// What packs are like.
    pub options: PackOptions,
    /// The threads that compress.
    pub pool: Pool,
    /// The memory of packs.
    pub budget: Budget,
    /// What is stored already.
    pub dedup: Arc<Dedup>,
    /// For ids and boundaries of chunks.
    pub secret: Arc<DedupSecret>,
    /// Where finished packs go.
    pub uploads: mpsc::Sender<NewPack>,
    /// A private folder for temporary files.
    pub scratch: PathBuf,
    /// When the run began, in seconds since 1970.
    pub began_secs: i64,
    /// What the snapshot uses of its packs.
    pub usage: Mutex<Usage>,
}

impl Pipeline {
    pub(super) fn spool(&self) -> Spool {
        Spool::new(&self.scratch)
    }

    /// Counts an extent of the snapshot as used.
    pub(super) fn count(&self, extent: Extent) -> Result<(), PipelineError> {
        let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        usage.push(extent).map_err(PipelineError::Scratch)
    }
}

/// What a stream is called, and what is known of it before it comes.
#[derive(Clone, Debug)]
pub struct NewStream {
    /// What it is.
    pub kind: StreamKind,
    /// Its name, unique in the snapshot.
    pub name: String,
    /// About how long it will be; zero if nobody knows.
    pub expected_bytes: u64,
}

/// A stream that is stored, with its lists.
#[derive(Debug)]
pub struct StoredStream {
    line: StreamLine,
    extents: StoredExtents,
    entries: Option<(u64, Box<StoredList>)>,
    new_bytes: u64,
    again_bytes: u64,
    cache: StreamCache,
}

#[derive(Debug)]
enum StoredExtents {
    Inline(Vec<Extent>),
    List(Box<StoredList>),
}

/// A list that is a stream of its own; its extents stand in the recipe.
#[derive(Debug)]
struct StoredList {
    length: u64,
    digest: Digest,
    extents: Vec<Extent>,
    cache: StreamCache,
}

/// Everything that was stored.
#[derive(Debug)]
pub struct Assembled {
    /// The packs, in the order of their numbers.
    pub packs: Vec<PackLine>,
    /// The streams, lists included.
    pub streams: Vec<RecipeStream>,
    /// Distinct bytes that the snapshot uses of each pack.
    pub used: Vec<u64>,
    /// Bytes that the sources gave.
    pub read_bytes: u64,
    /// Bytes of them that were not stored before.
    pub new_bytes: u64,
    /// Bytes that were stored before, and again now.
    pub again_bytes: u64,
    /// Packs that no earlier snapshot of the job used.
    pub added: Added,
    /// What the host keeps of each stream.
    pub caches: Vec<StreamCache>,
    /// What is stored, for the next index.
    pub dedup: Arc<Dedup>,
}

/// A snapshot in the making. Its methods block; each is for a plain thread.
#[derive(Debug)]
pub struct Assembly {
    shared: Arc<Pipeline>,
    small: Mutex<Lane>,
}

impl Assembly {
    /// Begins.
    pub fn new(shared: Pipeline) -> Self {
        let shared = Arc::new(shared);
        let small = SMALL_PACK_BYTES.min(shared.options.pack_bytes);
        Self {
            small: Mutex::new(Lane::new(Arc::clone(&shared), small)),
            shared,
        }
    }

    /// The memory that packs need: `packs` of full size, and the small one.
    pub fn memory(options: &PackOptions, packs: usize) -> usize {
        let small = SMALL_PACK_BYTES.min(options.pack_bytes);
        packs * Lane::memory(options, options.pack_bytes) + Lane::memory(options, small)
    }

    /// Stores a stream of plain bytes; `fill` writes them and gives the stream's facts.
    pub fn store<T, E: From<PipelineError>>(
        &self,
        stream: NewStream,
        observer: Observer,
        fill: impl FnOnce(&mut StreamWriter<'_>) -> Result<(T, Option<serde_json::Value>), E>,
    ) -> Result<(T, StoredStream), E> {
        let mut lane = self.lane();
        let sizes = ChunkSizes::DUMP.for_stream(stream.expected_bytes);
        let chunks = Chunks::new(&mut lane, &stream.name, sizes, observer);
        let mut writer = StreamWriter::new(chunks);
        let (result, facts) = fill(&mut writer)?;
        let (stored, digest) = writer.finish()?;
        lane.finish()?;
        Ok((result, self.stream(stream, stored, digest, None, facts)?))
    }

    /// Stores a short stream, in a pack that it shares with others.
    pub fn store_small(
        &self,
        stream: NewStream,
        bytes: &[u8],
    ) -> Result<StoredStream, PipelineError> {
        let mut lane = self.small.lock().unwrap_or_else(PoisonError::into_inner);
        let chunks = Chunks::new(&mut lane, &stream.name, ChunkSizes::DUMP, silent());
        let mut writer = StreamWriter::new(chunks);
        writer.push(bytes)?;
        let (stored, digest) = writer.finish()?;
        lane.rest()?;
        drop(lane);
        self.stream(stream, stored, digest, None, None)
    }

    /// Stores a `files` stream; `fill` writes its entries and gives its facts.
    pub fn store_files<T, E: From<PipelineError>>(
        &self,
        stream: NewStream,
        observer: Observer,
        fill: impl FnOnce(&mut FilesWriter<'_>) -> Result<(T, Option<serde_json::Value>), E>,
    ) -> Result<(T, StoredStream), E> {
        let mut lane = self.lane();
        let sizes = ChunkSizes::FILES.for_stream(stream.expected_bytes);
        let known = self.known_entries(&stream.name);
        let chunks = Chunks::new(&mut lane, &stream.name, sizes, observer);
        let mut writer = FilesWriter::new(chunks, known, self.shared.spool());
        let (result, facts) = fill(&mut writer)?;
        let StoredFiles {
            data,
            lines,
            count,
            digest,
        } = writer.finish()?;
        lane.finish()?;
        let list = self.list(&format!("{}.entries", stream.name), lines)?;
        let entries = Some((count, Box::new(list)));
        Ok((result, self.stream(stream, data, digest, entries, facts)?))
    }

    /// Sends what is left, and puts the streams into their order in the recipe.
    pub fn finish(self, streams: Vec<StoredStream>) -> Result<Assembled, PipelineError> {
        let small = self.small.into_inner();
        small.unwrap_or_else(PoisonError::into_inner).finish()?;
        // All lanes have ended, and nobody else holds it.
        let shared = Arc::into_inner(self.shared).ok_or(PipelineError::SelfCheck)?;
        let packs = shared.dedup.pack_lines()?;
        let usage = shared.usage.into_inner();
        let usage = usage.unwrap_or_else(PoisonError::into_inner);
        let used = usage.finish(packs.len()).map_err(PipelineError::Scratch)?;
        let mut assembled = Assembled {
            packs,
            used,
            streams: Vec::new(),
            read_bytes: 0,
            new_bytes: 0,
            again_bytes: 0,
            added: shared.dedup.added(),
            caches: Vec::new(),
            dedup: shared.dedup,
        };
        for stream in streams {
            assembled.add(stream);
        }
        Ok(assembled)
    }

    fn lane(&self) -> Lane {
        Lane::new(Arc::clone(&self.shared), self.shared.options.pack_bytes)
    }

    fn known_entries(&self, name: &str) -> KnownEntries {
        let index = self.shared.dedup.index();
        let listing = index.and_then(|index| index.listing(name)?.ok());
        let facts = index.and_then(|index| index.stream(name));
        KnownEntries::new(
            listing.map(|listing| Box::new(listing) as Box<dyn io::Read + Send>),
            facts.map_or(i64::MIN, |facts| facts.began_secs),
        )
    }

    /// Completes a stream: its extents become a list if they are many.
    fn stream(
        &self,
        stream: NewStream,
        stored: Stored,
        digest: Digest,
        entries: Option<(u64, Box<StoredList>)>,
        facts: Option<serde_json::Value>,
    ) -> Result<StoredStream, PipelineError> {
        let count = stored.extents.count();
        let extents = if count > INLINE_LINES {
            let lines = self.extent_lines(stored.extents)?;
            let list = self.list(&format!("{}.extents", stream.name), lines)?;
            StoredExtents::List(Box::new(list))
        } else {
            StoredExtents::Inline(in_memory(stored.extents)?)
        };
        Ok(StoredStream {
            line: StreamLine {
                number: 0,
                kind: stream.kind,
                name: stream.name,
                length: stored.length,
                digest,
                extents: ListRef {
                    count,
                    stream: None,
                },
                entries: None,
                facts,
            },
            extents,
            entries,
            new_bytes: stored.new_bytes,
            again_bytes: stored.again_bytes,
            cache: stored.cache,
        })
    }

    fn extent_lines(&self, extents: Extents) -> Result<Spool, PipelineError> {
        let mut lines = self.shared.spool();
        let mut line = Vec::new();
        let written = extents.each(|extent| {
            line.clear();
            push_line(&mut line, &extent);
            lines.write_all(&line)
        });
        written.map_err(PipelineError::Scratch)?;
        Ok(lines)
    }

    /// Stores lines as a stream of their own.
    fn list(&self, name: &str, lines: Spool) -> Result<StoredList, PipelineError> {
        let length = lines.len();
        let mut reader = lines.into_reader().map_err(PipelineError::Scratch)?;
        if length > LONG_LIST_BYTES {
            let mut lane = self.lane();
            let list = store_list(&mut lane, name, &mut reader)?;
            lane.finish()?;
            return Ok(list);
        }
        let mut lane = self.small.lock().unwrap_or_else(PoisonError::into_inner);
        let list = store_list(&mut lane, name, &mut reader)?;
        lane.rest()?;
        Ok(list)
    }
}

impl Assembled {
    /// What the run had to store because it was new, as opposed to what it stored again.
    pub fn new_stored_bytes(&self) -> u64 {
        let all = (self.new_bytes + self.again_bytes).max(1);
        let share = u128::from(self.added.bytes) * u128::from(self.new_bytes) / u128::from(all);
        u64::try_from(share).unwrap_or(u64::MAX)
    }

    /// Adds a stream after its lists: whoever reads the recipe knows a list before it is named.
    fn add(&mut self, stream: StoredStream) {
        let mut line = stream.line;
        if let Some((count, list)) = stream.entries {
            line.entries = Some(ListRef {
                count,
                stream: Some(self.add_list(format!("{}.entries", line.name), *list)),
            });
        }
        let extents = match stream.extents {
            StoredExtents::Inline(extents) => Some(extents),
            StoredExtents::List(list) => {
                let number = self.add_list(format!("{}.extents", line.name), *list);
                line.extents.stream = Some(number);
                None
            }
        };
        self.read_bytes += line.length;
        self.new_bytes += stream.new_bytes;
        self.again_bytes += stream.again_bytes;
        self.caches.push(stream.cache);
        line.number = self.streams.len() as u64;
        self.streams.push(RecipeStream {
            line,
            extents,
            entries: None,
        });
    }

    fn add_list(&mut self, name: String, list: StoredList) -> u64 {
        let number = self.streams.len() as u64;
        self.caches.push(list.cache);
        self.streams.push(RecipeStream {
            line: StreamLine {
                number,
                kind: StreamKind::List,
                name,
                length: list.length,
                digest: list.digest,
                extents: ListRef {
                    count: list.extents.len() as u64,
                    stream: None,
                },
                entries: None,
                facts: None,
            },
            extents: Some(list.extents),
            entries: None,
        });
        number
    }
}

fn store_list(
    lane: &mut Lane,
    name: &str,
    lines: &mut dyn io::Read,
) -> Result<StoredList, PipelineError> {
    let mut writer = StreamWriter::new(Chunks::new(lane, name, ChunkSizes::LIST, silent()));
    let mut piece = vec![0; 64 << 10];
    loop {
        let read = lines.read(&mut piece).map_err(PipelineError::Scratch)?;
        if read == 0 {
            break;
        }
        writer.push(&piece[..read])?;
    }
    let (stored, digest) = writer.finish()?;
    Ok(StoredList {
        length: stored.length,
        digest,
        extents: in_memory(stored.extents)?,
        cache: stored.cache,
    })
}

fn in_memory(extents: Extents) -> Result<Vec<Extent>, PipelineError> {
    let mut all = Vec::new();
    let read = extents.each(|extent| {
        all.push(extent);
        Ok::<_, io::Error>(())
    });
    read.map_err(PipelineError::Scratch)?;
    Ok(all)
}

fn silent() -> Observer {
    Box::new(|_, _| ())
}
