//! A stream's bytes, extent by extent, here or on a thread that runs ahead.
//!
//! A reader looks a bounded window of extents ahead and has what they need fetched and opened
//! while the current one is read. The thread that runs ahead decrypts and decompresses while its
//! consumer digests; what is between them is bounded in bytes. Nothing here is a verdict on a
//! stream: that is `check`'s.

use std::{
    collections::VecDeque,
    io::{self, Read},
    sync::{Arc, mpsc},
    thread,
};

use super::{Packs, blocks::Blocks, needs::Needs, pack::Block};
use crate::{format::Extent, repo::RepoError};

/// Memory for the packs and blocks of a stream that is read to its end: two packs of the usual
/// size, the one that is read and the next, or some thirty blocks.
const STREAM_BUDGET: u64 = 34 << 20;
/// The same for a list, whose pieces are read one after another.
const LIST_BUDGET: u64 = 3 << 20;

/// How far a reader looks ahead.
const WINDOW_EXTENTS: usize = 1024;
const WINDOW_BYTES: u64 = 64 << 20;

/// Pieces that wait for the consumer, and their size.
const PIECES: usize = 4;
const PIECE_BYTES: usize = 512 * 1024;

type Extents = Box<dyn Iterator<Item = Result<Extent, RepoError>> + Send>;

/// A stream's bytes, read by whoever asks. Errors carry a [`RepoError`].
pub struct StreamReader {
    blocks: Blocks,
    extents: Extents,
    /// The current extent, as far as it was not read, and those to come.
    window: VecDeque<Extent>,
    window_bytes: u64,
    window_extents: usize,
    /// How many in the window are made ready.
    prepared: usize,
    /// The number of the current extent.
    now: u64,
    block: Option<(u64, Block)>,
}

impl std::fmt::Debug for StreamReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StreamReader(extent {})", self.now)
    }
}

impl StreamReader {
    /// Reads a list: with little memory, and not ahead.
    pub(super) fn list(packs: Arc<Packs>, extents: Extents) -> Self {
        Self::new(
            Blocks::new(packs, Needs::default(), LIST_BUDGET),
            extents,
            1,
        )
    }

    /// Reads a stream of which `needs` were found out before.
    pub(super) fn ahead(packs: Arc<Packs>, needs: Needs, extents: Extents) -> Self {
        let blocks = Blocks::new(packs, needs, STREAM_BUDGET);
        Self::new(blocks, extents, WINDOW_EXTENTS)
    }

    pub(super) fn new(blocks: Blocks, extents: Extents, window_extents: usize) -> Self {
        Self {
            blocks,
            extents,
            window: VecDeque::new(),
            window_bytes: 0,
            window_extents,
            prepared: 0,
            now: 0,
            block: None,
        }
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, RepoError> {
        if self.window.is_empty() {
            self.fill()?;
        }
        let Some(&extent) = self.window.front() else {
            return Ok(0);
        };
        let block = self.block(extent)?;
        let from = usize::try_from(extent.offset - block.start).unwrap_or(usize::MAX);
        let wanted = usize::try_from(extent.length).unwrap_or(usize::MAX);
        let available = block.bytes.get(from..).unwrap_or_default();
        let taken = available.len().min(wanted).min(buffer.len());
        if taken == 0 && !buffer.is_empty() {
            let rule = "an extent reaches beyond its pack";
            return Err(RepoError::rule("recipe", rule));
        }
        buffer[..taken].copy_from_slice(&available[..taken]);
        self.advance(taken as u64);
        Ok(taken)
    }

    fn advance(&mut self, taken: u64) {
        self.window_bytes -= taken;
        let Some(front) = self.window.front_mut() else {
            return;
        };
        front.offset += taken;
        front.length -= taken;
        if front.length == 0 {
            self.window.pop_front();
            self.prepared = self.prepared.saturating_sub(1);
            self.now += 1;
        }
    }

    fn block(&mut self, extent: Extent) -> Result<Block, RepoError> {
        if let Some((pack, block)) = &self.block
            && *pack == extent.pack
            && extent
                .offset
                .checked_sub(block.start)
                .is_some_and(|from| from < block.bytes.len() as u64)
        {
            return Ok(block.clone());
        }
        if self.window_extents > 1 {
            self.fill()?;
            self.prepare()?;
        }
        let block = self.blocks.block(extent.pack, extent.offset, self.now)?;
        self.block = Some((extent.pack, block.clone()));
        Ok(block)
    }

    fn fill(&mut self) -> Result<(), RepoError> {
        while self.window.len() < self.window_extents && self.window_bytes < WINDOW_BYTES {
            let Some(extent) = self.extents.next().transpose()? else {
                return Ok(());
            };
            self.window_bytes += extent.length;
            self.window.push_back(extent);
        }
        Ok(())
    }

    fn prepare(&mut self) -> Result<(), RepoError> {
        while let Some(&extent) = self.window.get(self.prepared) {
            let number = self.now + self.prepared as u64;
            if !self.blocks.prepare(extent, number)? {
                break;
            }
            self.prepared += 1;
        }
        Ok(())
    }
}

impl Read for StreamReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_some(buffer).map_err(io::Error::other)
    }
}

/// A stream's bytes, read by a thread of their own that runs ahead. Dropped, it lets the thread
/// end.
#[derive(Debug)]
pub struct AheadReader {
    /// An empty piece is the end.
    pieces: mpsc::Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    at: usize,
    ended: bool,
}

impl AheadReader {
    /// Begins to read.
    pub(super) fn spawn(mut inner: StreamReader) -> io::Result<Self> {
        let (sender, pieces) = mpsc::sync_channel(PIECES);
        thread::Builder::new()
            .name("read-ahead".to_owned())
            .spawn(move || {
                loop {
                    let piece = piece(&mut inner);
                    let more = piece.as_ref().is_ok_and(|piece| !piece.is_empty());
                    // Nobody to send to: nobody reads any more.
                    if sender.send(piece).is_err() || !more {
                        return;
                    }
                }
            })?;
        Ok(Self {
            pieces,
            piece: Vec::new(),
            at: 0,
            ended: false,
        })
    }
}

fn piece(inner: &mut StreamReader) -> io::Result<Vec<u8>> {
    let mut piece = Vec::with_capacity(PIECE_BYTES);
    inner.take(PIECE_BYTES as u64).read_to_end(&mut piece)?;
    Ok(piece)
}

impl Read for AheadReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() && !self.ended {
            let piece = self.pieces.recv();
            self.piece = piece.map_err(|_| io::Error::other("the thread that reads died"))??;
            self.at = 0;
            self.ended = self.piece.is_empty();
        }
        let rest = &self.piece[self.at..];
        let taken = rest.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&rest[..taken]);
        self.at += taken;
        Ok(taken)
    }
}
