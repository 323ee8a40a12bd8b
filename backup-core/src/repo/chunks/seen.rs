//! The chunks that this run has stored so far, in bounded memory: the newest in a map, older ones
//! in sorted unnamed files. One filter over the files answers most questions for chunks that are
//! in none. When there are too many files, the newest are merged.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasherDefault, Hasher},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    filter::Filter,
    pages::{PageKey, PagedFile, PagedReader, PagedWriter, Section},
    record::{NO_POSITION, Place, Record},
    sorter::Merge,
    table::{Fence, Table},
};
use crate::chunk::ChunkId;

/// Seven eighths of 2^17, the most that a map of some 4 MiB takes.
const MAP_ENTRIES: usize = (1 << 17) / 8 * 7;
const MAX_TABLES: usize = 16;
/// Tables that one merge takes at least.
const MIN_MERGE: usize = 8;

/// What this run has stored.
pub struct Seen {
    folder: PathBuf,
    map: HashMap<ChunkId, Place, BuildHasherDefault<IdHasher>>,
    map_entries: usize,
    /// Oldest first.
    tables: Vec<Table>,
    filter: Filter,
    /// What the filter was made for.
    filter_capacity: u64,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen")
            .field("tables", &self.tables.len())
            .finish_non_exhaustive()
    }
}

impl Seen {
    /// Nothing yet. Files are made in `folder`.
    pub fn new(folder: &Path) -> Self {
        Self::with_map_entries(folder, MAP_ENTRIES)
    }

    fn with_map_entries(folder: &Path, map_entries: usize) -> Self {
        Self {
            folder: folder.to_owned(),
            map: HashMap::default(),
            map_entries,
            tables: Vec::new(),
            filter: Filter::with_capacity(0),
            filter_capacity: 0,
        }
    }

    /// Adds a chunk. One that is added twice may be found at either place.
    pub fn insert(&mut self, id: ChunkId, place: Place) -> io::Result<()> {
        if self.map.len() >= self.map_entries {
            self.spill()?;
        }
        self.map.insert(id, place);
        Ok(())
    }

    /// Where a chunk is, if this run has stored it.
    pub fn find(&self, id: &ChunkId) -> io::Result<Option<Place>> {
        if let Some(place) = self.map.get(id) {
            return Ok(Some(*place));
        }
        if self.filter.may_contain(id) {
            for table in self.tables.iter().rev() {
                if let Some(record) = table.find(id)? {
                    return Ok(Some(record.place));
                }
            }
        }
        Ok(None)
    }

    fn spill(&mut self) -> io::Result<()> {
        let mut records: Vec<_> = self
            .map
            .iter()
            .map(|(&id, &place)| {
                Record {
                    id,
                    place,
                    position: NO_POSITION,
                }
                .to_bytes()
            })
            .collect();
        records.sort_unstable();
        let rows = records.iter().copied().map(Ok);
        let table = write_table(&self.folder, records.len(), rows)?;
        self.tables.push(table);
        self.widen_filter()?;
        for record in &records {
            self.filter.insert(&Record::from_bytes(record).id);
        }
        self.map.clear();
        if self.tables.len() > MAX_TABLES {
            self.merge_newest()?;
        }
        Ok(())
    }

    /// Makes the filter anew, for twice what there is, when there is more than it was made for.
    fn widen_filter(&mut self) -> io::Result<()> {
        let total: u64 = self.tables.iter().map(Table::len).sum();
        if total <= self.filter_capacity {
            return Ok(());
        }
        self.filter_capacity = total * 2;
        self.filter = Filter::with_capacity(self.filter_capacity);
        for table in &self.tables {
            for record in Rows(table.reader()) {
                self.filter.insert(&Record::from_bytes(&record?).id);
            }
        }
        Ok(())
    }

    /// Merges the newest tables, and with them each older one that is no larger than all of them
    /// together: so every chunk is written again a few times only, however many there are.
    fn merge_newest(&mut self) -> io::Result<()> {
        let mut from = self.tables.len() - MIN_MERGE;
        let mut total: u64 = self.tables[from..].iter().map(Table::len).sum();
        while from > 0 && self.tables[from - 1].len() <= total {
            from -= 1;
            total += self.tables[from].len();
        }
        let rows = self.tables[from..]
            .iter()
            .map(|table| Rows(table.reader()))
            .collect();
        let count = usize::try_from(total).unwrap_or(0);
        let mut last = None;
        let merged = Merge::new(rows)?.filter(|record| {
            let id = record.as_ref().ok().map(|record| record[..16].to_owned());
            let again = id.is_some() && id == last;
            last = id;
            !again
        });
        let merged = write_table(&self.folder, count, merged)?;
        self.tables.truncate(from);
        self.tables.push(merged);
        Ok(())
    }
}

/// The records of a table as a merge takes them.
struct Rows(PagedReader);

impl Iterator for Rows {
    type Item = io::Result<[u8; Record::LEN]>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next_record().transpose()
    }
}

fn write_table(
    folder: &Path,
    count: usize,
    records: impl Iterator<Item = io::Result<[u8; Record::LEN]>>,
) -> io::Result<Table> {
    let file = tempfile::tempfile_in(folder)?;
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    // Nobody else has the file; the tags find what disk and memory spoil.
    let key = PageKey::new(&random, &[0; 16]);
    let mut fence = Fence::with_capacity(count);
    let out = BufWriter::with_capacity(64 << 10, &file);
    let mut writer = PagedWriter::new(out, &key, Section::Seen, 0);
    for record in records {
        let record = record?;
        writer.write_all(&record)?;
        fence.add(&Record::from_bytes(&record).id);
    }
    let span = writer.finish()?;
    let file = Arc::new(PagedFile::new(file, key));
    Ok(Table::new(file, Section::Seen, span, fence))
}

/// Ids are keyed hashes already; half of one is a hash.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(half) = bytes.last_chunk() {
            self.0 = u64::from_le_bytes(*half);
        }
    }

    fn write_usize(&mut self, _length: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> ChunkId {
        ChunkId::of(&[1; 32], &number.to_le_bytes())
    }

    fn place(number: u32) -> Place {
        Place {
            pack: number / 1_000,
            offset: number,
            length: 5,
        }
    }

    #[test]
    fn through_spills_and_merges_everything_is_found_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let mut seen = Seen::with_map_entries(folder.path(), 300);
        let mut most = 0;
        for number in 0..60_000 {
            seen.insert(id(number), place(number)).unwrap();
            most = most.max(seen.tables.len());
            if number % 9_973 == 0 {
                for number in (0..=number).step_by(401) {
                    assert_eq!(seen.find(&id(number)).unwrap(), Some(place(number)));
                }
            }
        }
        assert_eq!(most, MAX_TABLES);
        for number in 0..60_000 {
            assert_eq!(seen.find(&id(number)).unwrap(), Some(place(number)));
            assert_eq!(seen.find(&id(number + 60_000)).unwrap(), None);
        }
        let kept: u64 = seen.tables.iter().map(Table::len).sum();
        assert_eq!(kept + seen.map.len() as u64, 60_000);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn ids_with_one_beginning_over_many_pages_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let mut seen = Seen::with_map_entries(folder.path(), 1_000);
        let alike = |number: u32| {
            let mut id = [7; 16];
            id[12..].copy_from_slice(&number.to_be_bytes());
            ChunkId(id)
        };
        for number in 0..1_001 {
            seen.insert(alike(number), place(number)).unwrap();
        }
        for number in 0..1_001 {
            assert_eq!(seen.find(&alike(number)).unwrap(), Some(place(number)));
        }
        assert_eq!(seen.find(&alike(1_001)).unwrap(), None);
    }

    #[test]
    fn a_chunk_added_again_is_kept_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut seen = Seen::with_map_entries(folder.path(), 10);
        for number in 0..400 {
            seen.insert(id(number % 20), place(number % 20)).unwrap();
        }
        assert!(seen.tables.iter().map(Table::len).sum::<u64>() < 200);
        for number in 0..20 {
            assert_eq!(seen.find(&id(number)).unwrap(), Some(place(number)));
        }
    }
}
