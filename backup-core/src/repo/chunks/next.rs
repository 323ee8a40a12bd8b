//! The index for the next run: what this run's streams hold in order, every chunk by id, and what
//! the old index knows beyond that. Written by merging, so that its size is no matter of memory.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, BufWriter, Write},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use super::{
    head::{self, IndexHead, Layout},
    index::Index,
    pages::{PAGE, PageKey, PagedWriter, Section},
    record::{NO_POSITION, PackInfo, Place, Record},
    sorter::{Sorted, Sorter},
    stream::{Pushed, StreamCache, StreamFacts},
};
use crate::chunk::{ChunkId, DedupSecret};

const SORT_MEMORY: usize = 4 << 20;

/// What goes into the index for the next run.
#[expect(
    missing_debug_implementations,
    reason = "a function has nothing to show"
)]
pub struct NextIndex<'a> {
    /// Where unnamed files are made.
    pub folder: &'a Path,
    /// The packs that the new index names.
    pub packs: &'a [PackInfo],
    /// From a pack number that chunks were pushed with, or that the old index has, to its place
    /// in `packs`; chunks of packs without one are left out.
    pub keep: &'a dyn Fn(u32) -> Option<u32>,
    /// The old index, whose pack numbers the run went on using.
    pub old: Option<&'a Index>,
    /// What the run gathered.
    pub streams: Vec<StreamCache>,
    /// A figure for the next run.
    pub new_bytes: u64,
}

impl NextIndex<'_> {
    /// Writes it beside `path`, makes it durable and renames it to `path`. Whatever fails or
    /// crashes, there is the old index or the new one. What cannot be read of the old one any
    /// more is left out.
    pub fn write(self, path: &Path, head: &IndexHead, secret: &DedupSecret) -> io::Result<()> {
        replace(path, |file| self.write_to(file, head, secret))
    }

    fn write_to(self, file: &File, head: &IndexHead, secret: &DedupSecret) -> io::Result<()> {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(io::Error::other)?;
        let key = PageKey::new(&secret.index_key(), &nonce);
        let mut out = BufWriter::with_capacity(64 << 10, file);
        // The header comes last; until then the file is none.
        out.write_all(&[0; PAGE])?;
        let mut layout = Layout {
            new_bytes: self.new_bytes,
            ..Layout::default()
        };

        let mut packs = PagedWriter::new(&mut out, &key, Section::Packs, 1);
        for pack in self.packs {
            packs.write_all(&pack.to_bytes())?;
        }
        layout.packs = packs.finish()?;

        let mut sorter = Sorter::new(self.folder, SORT_MEMORY);
        let mut facts = Vec::new();
        let mut listings = Vec::new();
        let next = layout.packs.end_page();
        let mut order = PagedWriter::new(&mut out, &key, Section::Order, next);
        let mut positions = 0;
        for stream in self.streams {
            let first = positions;
            let chunks = Pushed::new(stream.chunks)?;
            positions = write_order(chunks, self.keep, first, &mut order, &mut sorter)?;
            facts.push(StreamFacts {
                name: stream.name,
                chunk_bits: stream.chunk_bits,
                began_secs: stream.began_secs,
                first,
                count: positions - first,
                listing_at: 0,
                listing_len: stream.listing.len(),
            });
            listings.push(stream.listing);
        }
        layout.order = order.finish()?;

        let next = layout.order.end_page();
        let mut records = PagedWriter::new(&mut out, &key, Section::Records, next);
        write_records(sorter.finish()?, self.old, self.keep, &mut records)?;
        layout.records = records.finish()?;

        let next = layout.records.end_page();
        let mut writer = PagedWriter::new(&mut out, &key, Section::Listings, next);
        let mut at = 0;
        for (stream, listing) in facts.iter_mut().zip(listings) {
            stream.listing_at = at;
            at += io::copy(&mut listing.into_reader()?, &mut writer)?;
        }
        layout.listings = writer.finish()?;

        let next = layout.listings.end_page();
        let mut streams = PagedWriter::new(&mut out, &key, Section::Streams, next);
        for stream in &facts {
            stream.write(&mut streams)?;
        }
        layout.streams = streams.finish()?;
        out.flush()?;
        file.write_all_at(&head::write(head, &layout, &nonce, &key), 0)
    }
}

/// One stream's chunks, in order, to their section and to the sorter. Gives the next position.
fn write_order(
    chunks: Pushed,
    keep: &dyn Fn(u32) -> Option<u32>,
    first: u32,
    order: &mut impl Write,
    sorter: &mut Sorter<{ Record::LEN }>,
) -> io::Result<u32> {
    let mut position = first;
    for record in chunks {
        let mut record = record?;
        let Some(pack) = keep(record.place.pack) else {
            continue;
        };
        if position == NO_POSITION {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        record.place.pack = pack;
        record.position = position;
        order.write_all(&record.to_bytes())?;
        sorter.push(&sort_bytes(&record))?;
        position += 1;
    }
    Ok(position)
}

/// Every chunk once, by id: of this run's with its first position, and the rest of the old ones
/// without.
fn write_records(
    sorted: Sorted<{ Record::LEN }>,
    old: Option<&Index>,
    keep: &dyn Fn(u32) -> Option<u32>,
    out: &mut impl Write,
) -> io::Result<()> {
    // What cannot be read ends the old chunks: they are missed, not needed.
    let mut rest = old
        .into_iter()
        .flat_map(Index::records)
        .map_while(Result::ok)
        .filter_map(|mut record| {
            record.place.pack = keep(record.place.pack)?;
            record.position = NO_POSITION;
            Some(record)
        })
        .peekable();
    let mut last: Option<ChunkId> = None;
    for bytes in sorted {
        let record = from_sort_bytes(&bytes?);
        if last == Some(record.id) {
            continue;
        }
        while let Some(other) = rest.next_if(|other| other.id < record.id) {
            out.write_all(&other.to_bytes())?;
        }
        // The old place of the same chunk.
        rest.next_if(|other| other.id == record.id);
        out.write_all(&record.to_bytes())?;
        last = Some(record.id);
    }
    for other in rest {
        out.write_all(&other.to_bytes())?;
    }
    Ok(())
}

/// A record as bytes whose order is that of ids, then positions.
fn sort_bytes(record: &Record) -> [u8; Record::LEN] {
    let swapped = Record {
        place: Place {
            pack: record.position.swap_bytes(),
            ..record.place
        },
        position: record.place.pack,
        ..*record
    };
    swapped.to_bytes()
}

fn from_sort_bytes(bytes: &[u8; Record::LEN]) -> Record {
    let swapped = Record::from_bytes(bytes);
    Record {
        place: Place {
            pack: swapped.position,
            ..swapped.place
        },
        position: swapped.place.pack.swap_bytes(),
        ..swapped
    }
}

/// Writes a file beside `path`, makes it durable and renames it over `path`. What it wrote is
/// removed if that fails.
pub(super) fn replace<T>(path: &Path, write: impl FnOnce(&File) -> io::Result<T>) -> io::Result<T> {
    let beside = beside(path);
    let attempt = || {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        let written = write(&file)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
        Ok(written)
    };
    attempt().inspect_err(|_| {
        // It is made anew whole next time; that it may stay does no harm.
        drop(fs::remove_file(&beside));
    })
}

fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".new");
    PathBuf::from(name)
}
