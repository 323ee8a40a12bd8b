//! What is kept of one stream: its chunks in order and its listing. Gathered by the thread that
//! reads the stream, in bounded memory.

use std::{
    io::{self, Read as _, Write},
    path::Path,
};

use super::{
    record::{Fields, NO_POSITION, Place, Record},
    spool::{Spool, SpoolReader},
};
use crate::chunk::ChunkId;

/// What an index says of a stream of the previous run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamFacts {
    /// Its name.
    pub name: String,
    /// Chunks are 2 to the power of this on average.
    pub chunk_bits: u32,
    /// When the run began that read it, in seconds since 1970.
    pub began_secs: i64,
    /// The position of its first chunk.
    pub first: u32,
    /// How many chunks it has, each as often as it occurs.
    pub count: u32,
    /// Where its listing begins in its section.
    pub(super) listing_at: u64,
    /// The length of its listing.
    pub(super) listing_len: u64,
}

impl StreamFacts {
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let name = self.name.as_bytes();
        let len = u16::try_from(name.len()).map_err(io::Error::other)?;
        out.write_all(&len.to_le_bytes())?;
        out.write_all(name)?;
        out.write_all(&self.chunk_bits.to_le_bytes())?;
        out.write_all(&self.began_secs.to_le_bytes())?;
        out.write_all(&self.first.to_le_bytes())?;
        out.write_all(&self.count.to_le_bytes())?;
        out.write_all(&self.listing_at.to_le_bytes())?;
        out.write_all(&self.listing_len.to_le_bytes())
    }

    /// The next one, if its name is text.
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let len = usize::from(u16::from_le_bytes(fields.take()));
        let (name, rest) = fields.0.split_at_checked(len)?;
        let name = String::from_utf8(name.to_owned()).ok()?;
        fields.0 = rest;
        Some(Self {
            name,
            chunk_bits: fields.u32(),
            began_secs: i64::from_le_bytes(fields.take()),
            first: fields.u32(),
            count: fields.u32(),
            listing_at: fields.u64(),
            listing_len: fields.u64(),
        })
    }
}

/// What this run gathers of one stream for the next run.
#[derive(Debug)]
pub struct StreamCache {
    pub(super) name: String,
    pub(super) chunk_bits: u32,
    pub(super) began_secs: i64,
    pub(super) chunks: Spool,
    pub(super) listing: Spool,
}

impl StreamCache {
    /// An empty one; unnamed files are made in `folder`.
    pub fn new(folder: &Path, name: String, chunk_bits: u32, began_secs: i64) -> Self {
        Self {
            name,
            chunk_bits,
            began_secs,
            chunks: Spool::new(folder),
            listing: Spool::new(folder),
        }
    }

    /// Adds the stream's next chunk.
    pub fn push(&mut self, id: ChunkId, place: Place) -> io::Result<()> {
        let position = NO_POSITION;
        let record = Record {
            id,
            place,
            position,
        };
        self.chunks.write_all(&record.to_bytes())
    }

    /// Takes the bytes that the stream's next run is given back as its listing.
    pub fn listing_writer(&mut self) -> &mut impl Write {
        &mut self.listing
    }
}

/// The chunks of a gathered stream.
#[derive(Debug)]
pub(super) struct Pushed {
    reader: SpoolReader,
    left: u64,
}

impl Pushed {
    pub(super) fn new(chunks: Spool) -> io::Result<Self> {
        Ok(Self {
            left: chunks.len() / Record::LEN as u64,
            reader: chunks.into_reader()?,
        })
    }
}

impl Iterator for Pushed {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let mut bytes = [0; Record::LEN];
        let read = self.reader.read_exact(&mut bytes);
        Some(read.map(|()| Record::from_bytes(&bytes)))
    }
}
