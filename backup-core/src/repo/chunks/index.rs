//! The index of the last run, open for look-ups from any thread. Every page was checked when it
//! was opened and is checked again when it is used: what was spoilt meanwhile is a miss, and told.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::{Arc, OnceLock},
};

use super::{
    fault::{DamagedPage, IndexFault},
    filter::Filter,
    head::{self, IndexHead, Layout},
    order::{OrderReader, Spoilt, remember},
    pages::{PAGE, PagedFile, PagedReader, Section, Span},
    record::{Fields, PackInfo, Record},
    stream::StreamFacts,
    table::{Fence, Table},
};
use crate::chunk::{ChunkId, DedupSecret};

/// An open index.
#[derive(Debug)]
pub struct Index {
    file: Arc<PagedFile>,
    layout: Layout,
    packs: Vec<PackInfo>,
    streams: Vec<StreamFacts>,
    filter: Filter,
    table: Table,
    spoilt: Spoilt,
}

impl Index {
    /// Opens the index at `path` if every byte is as it was written for just this head.
    pub fn open(path: &Path, head: &IndexHead, secret: &DedupSecret) -> Result<Self, IndexFault> {
        let file = File::open(path).map_err(IndexFault::of)?;
        let file_len = file.metadata().map_err(IndexFault::of)?.len();
        let (file, layout) = head::read(file, head, secret)?;
        let file = Arc::new(file);
        let end = layout.end_page();
        if end.checked_mul(PAGE as u64) != Some(file_len) {
            return Err(IndexFault::Damaged(DamagedPage(end)));
        }
        let packs = read_packs(&file, layout.packs)?;
        let streams = read_streams(&file, &layout)?;
        check_order(&file, layout.order, packs.len())?;
        io::copy(
            &mut PagedReader::new(Arc::clone(&file), Section::Listings, layout.listings),
            &mut io::sink(),
        )
        .map_err(IndexFault::of)?;
        let (filter, fence) = check_records(&file, layout.records, packs.len())?;
        let table = Table::new(Arc::clone(&file), Section::Records, layout.records, fence);
        Ok(Self {
            file,
            layout,
            packs,
            streams,
            filter,
            table,
            spoilt: Arc::new(OnceLock::new()),
        })
    }

    /// All packs; records name them by their place here.
    pub fn packs(&self) -> &[PackInfo] {
        &self.packs
    }

    /// How many chunks it knows.
    pub fn len(&self) -> u64 {
        self.table.len()
    }

    /// Whether it knows no chunk.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The figure that the run left which wrote it.
    pub fn new_bytes(&self) -> u64 {
        self.layout.new_bytes
    }

    /// A chunk, if it is known.
    pub fn find(&self, id: &ChunkId) -> Option<Record> {
        if !self.filter.may_contain(id) {
            return None;
        }
        self.table.find(id).unwrap_or_else(|error| {
            remember(&self.spoilt, error);
            None
        })
    }

    /// The first page that did not check any more since the index was opened.
    pub fn spoilt(&self) -> Option<DamagedPage> {
        self.spoilt.get().copied()
    }

    /// The streams of the run that wrote it.
    pub fn streams(&self) -> &[StreamFacts] {
        &self.streams
    }

    /// A stream of the run that wrote it.
    pub fn stream(&self, name: &str) -> Option<&StreamFacts> {
        self.streams.iter().find(|stream| stream.name == name)
    }

    /// The stream's chunks, in order.
    pub fn order(&self, name: &str) -> Option<OrderReader> {
        let stream = self.stream(name)?;
        Some(OrderReader::new(
            Arc::clone(&self.file),
            Arc::clone(&self.spoilt),
            self.layout.order,
            stream.first..stream.first + stream.count,
        ))
    }

    /// What the stream kept for its next run. A page that does not check any more is an error.
    pub fn listing(&self, name: &str) -> Option<io::Result<impl Read + Send + use<>>> {
        let stream = self.stream(name)?;
        Some(PagedReader::part(
            Arc::clone(&self.file),
            Section::Listings,
            self.layout.listings,
            stream.listing_at,
            stream.listing_len,
        ))
    }

    /// All chunks, by id.
    pub fn records(&self) -> Records {
        Records(self.table.reader())
    }
}

/// All chunks of an index, by id. After an error the rest is missing.
#[derive(Debug)]
pub struct Records(PagedReader);

impl Iterator for Records {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.0.next_record().transpose()?;
        Some(bytes.map(|bytes| Record::from_bytes(&bytes)))
    }
}

fn read_all(file: &Arc<PagedFile>, section: Section, span: Span) -> Result<Vec<u8>, IndexFault> {
    let mut bytes = Vec::new();
    PagedReader::new(Arc::clone(file), section, span)
        .read_to_end(&mut bytes)
        .map_err(IndexFault::of)?;
    Ok(bytes)
}

fn read_packs(file: &Arc<PagedFile>, span: Span) -> Result<Vec<PackInfo>, IndexFault> {
    let bytes = read_all(file, Section::Packs, span)?;
    let (packs, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return Err(IndexFault::Inconsistent("packs"));
    }
    Ok(packs.iter().map(PackInfo::from_bytes).collect())
}

fn read_streams(file: &Arc<PagedFile>, layout: &Layout) -> Result<Vec<StreamFacts>, IndexFault> {
    let bytes = read_all(file, Section::Streams, layout.streams)?;
    let mut fields = Fields(&bytes);
    let mut streams = Vec::new();
    let bad = || IndexFault::Inconsistent("streams");
    let ordered = layout.order.len / Record::LEN as u64;
    while !fields.0.is_empty() {
        let stream = StreamFacts::read(&mut fields).ok_or_else(bad)?;
        let end = stream.first.checked_add(stream.count).ok_or_else(bad)?;
        let listed = stream.listing_at.checked_add(stream.listing_len);
        if u64::from(end) > ordered || listed.ok_or_else(bad)? > layout.listings.len {
            return Err(bad());
        }
        streams.push(stream);
    }
    Ok(streams)
}

fn check_order(file: &Arc<PagedFile>, span: Span, packs: usize) -> Result<(), IndexFault> {
    let reader = PagedReader::new(Arc::clone(file), Section::Order, span);
    for (record, position) in Records(reader).zip(0..) {
        let record = record.map_err(IndexFault::of)?;
        if record.place.pack as usize >= packs || record.position != position {
            return Err(IndexFault::Inconsistent("chunks in order"));
        }
    }
    Ok(())
}

fn check_records(
    file: &Arc<PagedFile>,
    span: Span,
    packs: usize,
) -> Result<(Filter, Fence), IndexFault> {
    let count = span.len / Record::LEN as u64;
    let mut filter = Filter::with_capacity(count);
    let mut fence = Fence::with_capacity(usize::try_from(count).unwrap_or(0));
    let mut last = None;
    for record in Records(PagedReader::new(Arc::clone(file), Section::Records, span)) {
        let record = record.map_err(IndexFault::of)?;
        if record.place.pack as usize >= packs || last.is_some_and(|last| last >= record.id) {
            return Err(IndexFault::Inconsistent("chunks"));
        }
        filter.insert(&record.id);
        fence.add(&record.id);
        last = Some(record.id);
    }
    Ok((filter, fence))
}
