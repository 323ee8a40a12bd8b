//! The chunks of a stream in the order of the previous run, read ahead of the chunks that the
//! source yields now.

use std::{
    io,
    ops::Range,
    sync::{Arc, OnceLock},
};

use super::{
    fault::{DamagedPage, IndexFault},
    pages::{PagedFile, PagedReader, Section, Span},
    record::Record,
    table::PER_PAGE,
};

/// The first page of an index that did not check any more after it was opened.
pub(super) type Spoilt = Arc<OnceLock<DamagedPage>>;

/// Remembers a damaged page.
pub(super) fn remember(spoilt: &Spoilt, error: io::Error) {
    let page = match IndexFault::of(error) {
        IndexFault::Damaged(page) => page,
        _ => DamagedPage(0),
    };
    // The first one is told.
    spoilt.get_or_init(|| page);
}

/// Reads records by position. A page that does not check any more is the end; the index then
/// knows of it.
#[derive(Debug)]
pub struct OrderReader {
    file: Arc<PagedFile>,
    spoilt: Spoilt,
    section: Span,
    /// The stream's positions.
    stream: Range<u32>,
    reader: PagedReader,
    /// The position behind the last record of `buffer`.
    fetched: u32,
    buffer: Vec<Record>,
    taken: usize,
}

impl OrderReader {
    /// The most that [`Self::ahead`] shows.
    pub const WINDOW: usize = 2 * PER_PAGE;

    pub(super) fn new(
        file: Arc<PagedFile>,
        spoilt: Spoilt,
        section: Span,
        stream: Range<u32>,
    ) -> Self {
        let first = stream.start;
        let reader = PagedReader::new(Arc::clone(&file), Section::Order, Span::default());
        let mut order = Self {
            file,
            spoilt,
            section,
            stream,
            reader,
            fetched: first,
            buffer: Vec::new(),
            taken: 0,
        };
        order.seek(first);
        order
    }

    /// The position of the next record.
    pub fn position(&self) -> u32 {
        let ahead = u32::try_from(self.buffer.len() - self.taken).unwrap_or(0);
        self.fetched - ahead
    }

    /// Goes to a position as records have it. `false`, and no move, if it is none of the stream.
    pub fn seek(&mut self, position: u32) -> bool {
        if !self.stream.contains(&position) {
            return false;
        }
        // Behind what is taken and before what is not fetched: no need to read.
        let start = self.fetched - u32::try_from(self.buffer.len()).unwrap_or(0);
        if (start..self.fetched).contains(&position) {
            self.taken = (position - start) as usize;
            return true;
        }
        let page = u64::from(position) / PER_PAGE as u64;
        let page_start = page * PER_PAGE as u64;
        let records = u64::from(self.stream.end) - page_start;
        let span = Span {
            first_page: self.section.first_page + page,
            len: records * Record::LEN as u64,
        };
        self.reader = PagedReader::new(Arc::clone(&self.file), Section::Order, span);
        self.buffer.clear();
        self.taken = 0;
        self.fetched = position;
        for _ in page_start..u64::from(position) {
            if self.fetch().is_none() {
                break;
            }
        }
        true
    }

    /// The next record.
    pub fn next_record(&mut self) -> Option<Record> {
        let record = self.ahead(1).first().copied();
        self.advance(1);
        record
    }

    /// The next up to `count` records, which stay to come; at most [`Self::WINDOW`], fewer at the
    /// end.
    pub fn ahead(&mut self, count: usize) -> &[Record] {
        let count = count.min(Self::WINDOW);
        if self.buffer.len() - self.taken < count {
            self.buffer.drain(..self.taken);
            self.taken = 0;
            while self.buffer.len() < Self::WINDOW && self.fetched < self.stream.end {
                let Some(record) = self.fetch() else { break };
                self.buffer.push(record);
                self.fetched += 1;
            }
        }
        let end = self.buffer.len().min(self.taken + count);
        &self.buffer[self.taken..end]
    }

    /// Goes past `count` records.
    pub fn advance(&mut self, count: usize) {
        let held = (self.buffer.len() - self.taken).min(count);
        self.taken += held;
        if let Ok(rest @ 1..) = u32::try_from(count - held)
            && let Some(to) = self.fetched.checked_add(rest)
            && !self.seek(to)
        {
            self.buffer.clear();
            self.taken = 0;
            self.fetched = self.stream.end;
        }
    }

    fn fetch(&mut self) -> Option<Record> {
        match self.reader.next_record() {
            Ok(bytes) => bytes.map(|bytes| Record::from_bytes(&bytes)),
            Err(error) => {
                remember(&self.spoilt, error);
                self.stream.end = self.fetched;
                None
            }
        }
    }
}
