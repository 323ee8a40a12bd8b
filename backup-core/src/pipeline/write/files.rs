//! A tar on its way in: entry by entry, each beginning a chunk of its own, with its line for the
//! table of contents. An entry that is as it was in the previous run is taken over from there.

use std::io::Write as _;

use backup_model::Digest;
use sha2::{Digest as _, Sha256};

use super::{
    PipelineError,
    listing::{Known, KnownEntries, MAX_PLACES, write_entry},
    stream::{Chunks, Stored},
};
use crate::{
    format::{Entry, Node},
    repo::chunks::{Place, Spool},
};

/// Takes a tar and the list of its entries.
#[derive(Debug)]
pub struct FilesWriter<'a> {
    chunks: Chunks<'a>,
    known: KnownEntries,
    /// The lines of the table of contents.
    lines: Spool,
    count: u64,
    whole: Sha256,
    /// Where the chunks of the open entry are.
    places: Vec<Place>,
}

/// A tar that was stored.
pub(super) struct StoredFiles {
    pub(super) data: Stored,
    pub(super) lines: Spool,
    pub(super) count: u64,
    /// Over the digests of the entries.
    pub(super) digest: Digest,
}

impl<'a> FilesWriter<'a> {
    pub(super) fn new(chunks: Chunks<'a>, known: KnownEntries, lines: Spool) -> Self {
        Self {
            chunks,
            known,
            lines,
            count: 0,
            whole: Sha256::new(),
            places: Vec::new(),
        }
    }

    /// Takes bytes of the open entry.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), PipelineError> {
        let places = &mut self.places;
        self.chunks.push(bytes, |place| merge(places, place))
    }

    /// Ends the open entry, of which all bytes were pushed.
    pub fn end_entry(&mut self, entry: &Entry) -> Result<(), PipelineError> {
        let places = &mut self.places;
        self.chunks.cut(|place| merge(places, place))?;
        let places = std::mem::take(&mut self.places);
        self.list(entry, &places)
    }

    /// Adds the entry of the previous run that describes exactly this file, if there is one and
    /// everything that it needs may be used.
    pub fn take_over(&mut self, node: &Node) -> Result<bool, PipelineError> {
        let usable = |known: &Known| {
            let mut places = known.places.iter();
            places.all(|place| self.chunks.usable(place.pack))
        };
        let Some(known) = self.known.find(node).filter(usable) else {
            return Ok(false);
        };
        for place in &known.places {
            self.chunks.reuse(*place)?;
        }
        self.list(&known.entry, &known.places)?;
        Ok(true)
    }

    pub(super) fn finish(self) -> Result<StoredFiles, PipelineError> {
        Ok(StoredFiles {
            data: self.chunks.finish()?,
            lines: self.lines,
            count: self.count,
            digest: Digest(self.whole.finalize().into()),
        })
    }

    fn list(&mut self, entry: &Entry, places: &[Place]) -> Result<(), PipelineError> {
        self.whole.update(entry.sha256.0);
        self.count += 1;
        let mut line = entry.to_line();
        let listing = self.chunks.cache().listing_writer();
        write_entry(listing, &line, places)
            .and_then(|()| {
                line.push(b'\n');
                self.lines.write_all(&line)
            })
            .map_err(PipelineError::Scratch)
    }
}

fn merge(places: &mut Vec<Place>, place: Place) {
    let many = places.len() > MAX_PLACES;
    match places.last_mut() {
        Some(last) if last.pack == place.pack && last.offset + last.length == place.offset => {
            last.length += place.length;
        }
        // So many are not remembered anyway.
        _ if many => {}
        _ => places.push(place),
    }
}
