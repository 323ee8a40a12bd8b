//! Records sorted by id, in pages, with the beginnings of all pages' first ids in memory (the
//! fence): a look-up reads one page.

use std::{io, sync::Arc};

use super::{
    pages::{CONTENT, PAGE, PagedFile, PagedReader, Section, Span},
    record::{Fields, Record},
};
use crate::chunk::ChunkId;

/// Records in a page.
pub(super) const PER_PAGE: usize = CONTENT / Record::LEN;

/// A sorted section.
#[derive(Debug)]
pub(super) struct Table {
    file: Arc<PagedFile>,
    section: Section,
    span: Span,
    fence: Vec<u64>,
}

/// Gathers the fence while records are written or read in order.
#[derive(Debug, Default)]
pub(super) struct Fence {
    starts: Vec<u64>,
    count: usize,
}

impl Fence {
    pub(super) fn with_capacity(records: usize) -> Self {
        Self {
            starts: Vec::with_capacity(records.div_ceil(PER_PAGE)),
            count: 0,
        }
    }

    pub(super) fn add(&mut self, id: &ChunkId) {
        if self.count.is_multiple_of(PER_PAGE) {
            self.starts.push(start_of(id));
        }
        self.count += 1;
    }
}

impl Table {
    pub(super) fn new(file: Arc<PagedFile>, section: Section, span: Span, fence: Fence) -> Self {
        let mut fence = fence.starts;
        fence.shrink_to_fit();
        Self {
            file,
            section,
            span,
            fence,
        }
    }

    /// How many records it has.
    pub(super) fn len(&self) -> u64 {
        self.span.len / Record::LEN as u64
    }

    /// The record of an id. A page that does not check is an error.
    pub(super) fn find(&self, id: &ChunkId) -> io::Result<Option<Record>> {
        let start = start_of(id);
        // Pages before the first one that begins at or behind the id; the last of them may have
        // it, and so may every page that begins with the same eight bytes.
        let before = self.fence.partition_point(|&first| first < start);
        let mut pages = before.saturating_sub(1)..self.fence.len();
        while let Some(number) = pages.next() {
            if let Some(found) = self.find_in(number, id)? {
                return Ok(Some(found));
            }
            if self.fence.get(pages.start).is_none_or(|&next| next > start) {
                break;
            }
        }
        Ok(None)
    }

    /// All of it.
    pub(super) fn reader(&self) -> PagedReader {
        PagedReader::new(Arc::clone(&self.file), self.section, self.span)
    }

    fn find_in(&self, number: usize, id: &ChunkId) -> io::Result<Option<Record>> {
        let mut page = [0; PAGE];
        let number = number as u64;
        self.file
            .read(self.section, self.span.first_page + number, &mut page)?;
        let left = self.len() - number * PER_PAGE as u64;
        let count = usize::try_from(left).map_or(PER_PAGE, |left| left.min(PER_PAGE));
        let (records, _) = page[..count * Record::LEN].as_chunks::<{ Record::LEN }>();
        let at = records.partition_point(|record| record[..16] < id.0[..]);
        Ok(records
            .get(at)
            .filter(|record| record[..16] == id.0)
            .map(Record::from_bytes))
    }
}

fn start_of(id: &ChunkId) -> u64 {
    u64::from_be_bytes(Fields(&id.0).take())
}
