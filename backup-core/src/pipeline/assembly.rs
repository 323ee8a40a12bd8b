//! A snapshot in the making: streams go in one after another, a recipe comes out.

use std::sync::{Arc, Mutex, PoisonError};

use backup_model::{Digest, StreamKind};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::{
    Dedup, Lane, LaneOptions, NewPack, Observer, PipelineError, StoredStream, StreamWriter,
};
use crate::{
    chunk::{ChunkSizes, DedupSecret},
    format::{Extent, INLINE_LINES, ListRef, PackLine, RecipeStream, StreamLine, push_line},
    repo::Index,
};

/// What a stream is called.
#[derive(Clone, Debug)]
pub struct NewStream {
    /// What it is.
    pub kind: StreamKind,
    /// Its name, unique in the snapshot.
    pub name: String,
}

/// Everything that was stored.
#[derive(Debug)]
pub struct Assembled {
    /// The packs, in the order of their numbers.
    pub packs: Vec<PackLine>,
    /// The streams, lists included.
    pub streams: Vec<RecipeStream>,
    /// All extents of all streams.
    pub extents: Vec<Extent>,
    /// Bytes that the sources gave.
    pub read_bytes: u64,
    /// Bytes of them that were not stored before.
    pub new_bytes: u64,
    /// The index for the next run.
    pub index: Index,
    /// Packs that were added, and their stored size.
    pub added: (u64, u64),
}

/// A snapshot in the making. Blocks; for a plain thread.
#[derive(Debug)]
pub struct Assembly {
    options: LaneOptions,
    secret: DedupSecret,
    dedup: Arc<Mutex<Dedup>>,
    uploads: mpsc::Sender<NewPack>,
    /// Lists and other small streams share packs.
    small: Lane,
    streams: Vec<RecipeStream>,
    extents: Vec<Extent>,
    read_bytes: u64,
    new_bytes: u64,
}

impl Assembly {
    /// Begins with what earlier snapshots stored.
    pub fn new(
        options: LaneOptions,
        secret: DedupSecret,
        index: Index,
        uploads: mpsc::Sender<NewPack>,
    ) -> Self {
        let dedup = Arc::new(Mutex::new(Dedup::new(index)));
        Self {
            small: Lane::new(options.clone(), Arc::clone(&dedup), uploads.clone()),
            options,
            secret,
            dedup,
            uploads,
            streams: Vec::new(),
            extents: Vec::new(),
            read_bytes: 0,
            new_bytes: 0,
        }
    }

    /// Stores a stream of plain bytes; `fill` writes them and gives the stream's facts.
    pub fn store<T, E: From<PipelineError>>(
        &mut self,
        stream: NewStream,
        observer: Observer,
        fill: impl FnOnce(&mut StreamWriter<'_>) -> Result<(T, Option<serde_json::Value>), E>,
    ) -> Result<T, E> {
        let mut lane = self.lane();
        let mut writer = StreamWriter::new(&mut lane, &self.secret, ChunkSizes::DUMP, observer);
        let (result, facts) = fill(&mut writer)?;
        let stored = writer.finish()?;
        lane.finish()?;
        let digest = stored.sha256;
        self.source_stream(stream, digest, stored, None, facts)?;
        Ok(result)
    }

    /// Stores a `files` stream; `fill` writes its entries and gives its facts.
    pub fn store_files<T, E: From<PipelineError>>(
        &mut self,
        stream: NewStream,
        observer: Observer,
        fill: impl FnOnce(&mut FilesWriter<'_>) -> Result<(T, Option<serde_json::Value>), E>,
    ) -> Result<T, E> {
        let mut lane = self.lane();
        let mut writer = FilesWriter {
            data: StreamWriter::new(&mut lane, &self.secret, ChunkSizes::FILES, observer),
            entries: list_writer(&mut self.small, &self.secret),
            whole: Sha256::new(),
            count: 0,
        };
        let (result, facts) = fill(&mut writer)?;
        let FilesWriter {
            data,
            entries,
            whole,
            count,
        } = writer;
        let stored = data.finish()?;
        let entries = entries.finish()?;
        lane.finish()?;
        let list = self.list_stream(&format!("{}.entries", stream.name), entries);
        let entries = ListRef {
            count,
            stream: Some(list),
        };
        let digest = Digest(whole.finalize().into());
        self.source_stream(stream, digest, stored, Some(entries), facts)?;
        Ok(result)
    }

    /// Sends what is left and ends.
    pub fn finish(self) -> Result<Assembled, PipelineError> {
        self.small.finish()?;
        let dedup = Arc::into_inner(self.dedup)
            .ok_or(PipelineError::UploadStopped)?
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(Assembled {
            packs: dedup.pack_lines(),
            added: dedup.added(),
            index: dedup.into_index().ok_or(PipelineError::SelfCheck)?,
            streams: self.streams,
            extents: self.extents,
            read_bytes: self.read_bytes,
            new_bytes: self.new_bytes,
        })
    }

    fn lane(&self) -> Lane {
        Lane::new(
            self.options.clone(),
            Arc::clone(&self.dedup),
            self.uploads.clone(),
        )
    }

    /// Adds a stream to the recipe, and a list for its extents if they are many.
    fn source_stream(
        &mut self,
        stream: NewStream,
        digest: Digest,
        stored: StoredStream,
        entries: Option<ListRef>,
        facts: Option<serde_json::Value>,
    ) -> Result<(), PipelineError> {
        self.read_bytes += stored.length;
        self.new_bytes += stored.new_bytes;
        self.extents.extend_from_slice(&stored.extents);
        let count = stored.extents.len() as u64;
        let mut inline = Some(stored.extents);
        let mut list = None;
        if count > INLINE_LINES {
            let mut writer = list_writer(&mut self.small, &self.secret);
            let mut line = Vec::new();
            for extent in inline.take().iter().flatten() {
                line.clear();
                push_line(&mut line, extent);
                writer.push(&line)?;
            }
            let written = writer.finish()?;
            list = Some(self.list_stream(&format!("{}.extents", stream.name), written));
        }
        self.streams.push(RecipeStream {
            line: StreamLine {
                number: self.streams.len() as u64,
                kind: stream.kind,
                name: stream.name,
                length: stored.length,
                digest,
                extents: ListRef {
                    count,
                    stream: list,
                },
                entries,
                facts,
            },
            extents: inline,
            entries: None,
        });
        Ok(())
    }

    /// Adds a list stream, and gives its number. Its own extents always stand in the recipe.
    fn list_stream(&mut self, name: &str, stored: StoredStream) -> u64 {
        let number = self.streams.len() as u64;
        self.extents.extend_from_slice(&stored.extents);
        self.streams.push(RecipeStream {
            line: StreamLine {
                number,
                kind: StreamKind::List,
                name: name.to_owned(),
                length: stored.length,
                digest: stored.sha256,
                extents: ListRef {
                    count: stored.extents.len() as u64,
                    stream: None,
                },
                entries: None,
                facts: None,
            },
            extents: Some(stored.extents),
            entries: None,
        });
        number
    }
}

fn list_writer<'a>(lane: &'a mut Lane, secret: &DedupSecret) -> StreamWriter<'a> {
    StreamWriter::new(lane, secret, ChunkSizes::DUMP, Box::new(|_| ()))
}

/// Takes a tar and the list of its entries.
#[derive(Debug)]
pub struct FilesWriter<'a> {
    data: StreamWriter<'a>,
    entries: StreamWriter<'a>,
    whole: Sha256,
    count: u64,
}

impl FilesWriter<'_> {
    /// Takes bytes of the tar.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), PipelineError> {
        self.data.push(bytes)
    }

    /// Ends an entry: its line, without the line feed, and the digest of its bytes.
    pub fn end_entry(&mut self, line: &[u8], sha256: &Digest) -> Result<(), PipelineError> {
        self.data.cut()?;
        self.entries.push(line)?;
        self.entries.push(b"\n")?;
        self.whole.update(sha256.0);
        self.count += 1;
        Ok(())
    }
}
