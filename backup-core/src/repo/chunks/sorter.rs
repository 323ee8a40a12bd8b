//! Sorts more fixed-size records than fit in memory: full buffers are sorted and appended to one
//! unnamed file as runs, and the runs are merged. Over 64 runs are merged to fewer first.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fmt,
    fs::File,
    io::{self, BufWriter, Write as _},
    ops::Range,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Runs that are merged at once.
const WAYS: usize = 64;

/// Takes records of `N` bytes in any order.
pub struct Sorter<const N: usize> {
    folder: PathBuf,
    memory: usize,
    buffer: Vec<[u8; N]>,
    runs: Runs,
}

/// Sorted runs in one file, each as its range of bytes.
#[derive(Default)]
struct Runs {
    file: Option<File>,
    ranges: Vec<Range<u64>>,
}

impl<const N: usize> fmt::Debug for Sorter<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sorter").finish_non_exhaustive()
    }
}

impl<const N: usize> Sorter<N> {
    /// A sorter that keeps about `memory` bytes and puts the rest into an unnamed file in
    /// `folder`.
    pub fn new(folder: &Path, memory: usize) -> Self {
        Self {
            folder: folder.to_owned(),
            memory,
            buffer: Vec::new(),
            runs: Runs::default(),
        }
    }

    /// Adds a record.
    pub fn push(&mut self, record: &[u8; N]) -> io::Result<()> {
        if self.buffer.len() >= (self.memory / N).max(1) {
            self.spill()?;
        }
        if self.buffer.len() == self.buffer.capacity() {
            // Grown by doubling up to the bound and never past it.
            let most = (self.memory / N).max(1);
            let more = self.buffer.len().max(64).min(most - self.buffer.len());
            self.buffer.reserve_exact(more);
        }
        self.buffer.push(*record);
        Ok(())
    }

    /// All records in byte order.
    pub fn finish(mut self) -> io::Result<Sorted<N>> {
        if self.runs.ranges.is_empty() {
            self.buffer.sort_unstable();
            return Ok(Sorted(Source::Memory(self.buffer.into_iter())));
        }
        self.spill()?;
        self.buffer = Vec::new();
        let mut runs = self.runs;
        while runs.ranges.len() > WAYS {
            runs = merge_pass::<N>(runs, &self.folder, self.memory)?;
        }
        Merge::new(readers(runs, self.memory)).map(|merge| Sorted(Source::Merge(merge)))
    }

    fn spill(&mut self) -> io::Result<()> {
        self.buffer.sort_unstable();
        if self.runs.file.is_none() {
            self.runs.file = Some(tempfile::tempfile_in(&self.folder)?);
        }
        let from = self.runs.ranges.last().map_or(0, |range| range.end);
        let bytes = self.buffer.as_flattened();
        if let Some(file) = &self.runs.file {
            file.write_all_at(bytes, from)?;
        }
        self.runs.ranges.push(from..from + bytes.len() as u64);
        self.buffer.clear();
        Ok(())
    }
}

fn merge_pass<const N: usize>(runs: Runs, folder: &Path, memory: usize) -> io::Result<Runs> {
    let mut out = BufWriter::with_capacity(64 << 10, tempfile::tempfile_in(folder)?);
    let mut ranges = Vec::new();
    let mut end = 0;
    for group in readers::<N>(runs, memory).chunks_mut(WAYS) {
        let start = end;
        for record in Merge::new(group.iter_mut().map(std::mem::take).collect())? {
            out.write_all(&record?)?;
            end += N as u64;
        }
        ranges.push(start..end);
    }
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(Runs {
        file: Some(file),
        ranges,
    })
}

fn readers<const N: usize>(runs: Runs, memory: usize) -> Vec<RunReader<N>> {
    let each = memory / runs.ranges.len().clamp(1, WAYS) / N;
    let file = runs.file.map(Arc::new);
    runs.ranges
        .into_iter()
        .map(|range| RunReader {
            file: file.clone(),
            range,
            ahead: each.max(1),
            buffer: Vec::new(),
            taken: 0,
        })
        .collect()
}

/// Reads one run, some records ahead.
#[derive(Debug)]
struct RunReader<const N: usize> {
    file: Option<Arc<File>>,
    range: Range<u64>,
    ahead: usize,
    buffer: Vec<[u8; N]>,
    taken: usize,
}

impl<const N: usize> Default for RunReader<N> {
    fn default() -> Self {
        Self {
            file: None,
            range: 0..0,
            ahead: 1,
            buffer: Vec::new(),
            taken: 0,
        }
    }
}

impl<const N: usize> Iterator for RunReader<N> {
    type Item = io::Result<[u8; N]>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.taken == self.buffer.len() {
            let left = (self.range.end - self.range.start) / N as u64;
            let count = usize::try_from(left).map_or(self.ahead, |left| left.min(self.ahead));
            self.buffer.resize(count, [0; N]);
            self.taken = 0;
            let bytes = self.buffer.as_flattened_mut();
            if let Some(file) = &self.file
                && let Err(error) = file.read_exact_at(bytes, self.range.start)
            {
                return Some(Err(error));
            }
            self.range.start += bytes.len() as u64;
            if count == 0 {
                // Its turn is over; the others may need the memory.
                self.buffer = Vec::new();
            }
        }
        let record = self.buffer.get(self.taken).copied();
        self.taken += usize::from(record.is_some());
        record.map(Ok)
    }
}

/// Merges sorted sources; of equal records, those of earlier sources come first.
#[derive(Debug)]
pub(super) struct Merge<const N: usize, I> {
    sources: Vec<I>,
    heads: BinaryHeap<Reverse<([u8; N], usize)>>,
}

impl<const N: usize, I: Iterator<Item = io::Result<[u8; N]>>> Merge<N, I> {
    pub(super) fn new(mut sources: Vec<I>) -> io::Result<Self> {
        let mut heads = BinaryHeap::with_capacity(sources.len());
        for (number, source) in sources.iter_mut().enumerate() {
            if let Some(record) = source.next() {
                heads.push(Reverse((record?, number)));
            }
        }
        Ok(Self { sources, heads })
    }
}

impl<const N: usize, I: Iterator<Item = io::Result<[u8; N]>>> Iterator for Merge<N, I> {
    type Item = io::Result<[u8; N]>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((record, number)) = self.heads.pop()?;
        match self.sources.get_mut(number).and_then(Iterator::next) {
            Some(Ok(next)) => self.heads.push(Reverse((next, number))),
            Some(Err(error)) => {
                // Half of the records must not pass for all of them.
                self.heads.clear();
                return Some(Err(error));
            }
            None => {}
        }
        Some(Ok(record))
    }
}

/// Records in byte order. After an error there is no more.
#[derive(Debug)]
pub struct Sorted<const N: usize>(Source<N>);

#[derive(Debug)]
enum Source<const N: usize> {
    Memory(std::vec::IntoIter<[u8; N]>),
    Merge(Merge<N, RunReader<N>>),
}

impl<const N: usize> Iterator for Sorted<N> {
    type Item = io::Result<[u8; N]>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Source::Memory(records) => records.next().map(Ok),
            Source::Merge(merge) => merge.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::any, proptest};

    fn sorted(records: &[[u8; 5]], memory: usize) -> Vec<[u8; 5]> {
        let folder = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::new(folder.path(), memory);
        for record in records {
            sorter.push(record).unwrap();
        }
        let out = sorter.finish().unwrap().collect::<io::Result<_>>();
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
        out.unwrap()
    }

    proptest! {
        #[test]
        fn it_sorts_like_a_vector(mut records in vec(any::<[u8; 5]>(), 0..400), room in 1_usize..80) {
            let out = sorted(&records, room * 5);
            records.sort_unstable();
            assert_eq!(out, records);
        }
    }

    #[test]
    fn more_runs_than_can_be_merged_at_once_are_merged_in_passes() {
        // One record a run: 9,000 runs, then 141, then 3.
        let mut records: Vec<[u8; 5]> = (0..9_000_u32)
            .map(|n| {
                let mut record = [0; 5];
                record[1..].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
                record
            })
            .collect();
        let out = sorted(&records, 1);
        records.sort_unstable();
        assert_eq!(out, records);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error() {
        let mut sorter = Sorter::<4>::new(Path::new("/proc/self/absent"), 8);
        sorter.push(&[0; 4]).unwrap();
        sorter.push(&[1; 4]).unwrap();
        assert!(sorter.push(&[2; 4]).is_err());
    }
}
