//! How much of each pack a snapshot uses: distinct bytes, however many extents there are and in
//! whatever order they come.

use std::{io, path::Path};

use crate::{format::Extent, repo::chunks::Sorter};

/// Memory for sorting; the rest is on disk.
const SORT_BYTES: usize = 2 << 20;

/// Takes extents in any order.
#[derive(Debug)]
pub struct Usage(Sorter<12>);

impl Usage {
    /// Temporary files go to `folder`, and have no name there.
    pub fn new(folder: &Path) -> Self {
        Self(Sorter::new(folder, SORT_BYTES))
    }

    /// Adds an extent of a pack of the format's limits.
    pub fn push(&mut self, extent: Extent) -> io::Result<()> {
        let narrow = |value: u64| u32::try_from(value).map_err(io::Error::other);
        let mut record = [0; 12];
        // Big-endian: the order of the bytes is the order of the numbers.
        record[..4].copy_from_slice(&narrow(extent.pack)?.to_be_bytes());
        record[4..8].copy_from_slice(&narrow(extent.offset)?.to_be_bytes());
        record[8..].copy_from_slice(&narrow(extent.length)?.to_be_bytes());
        self.0.push(&record)
    }

    /// The distinct bytes used of each of `packs` packs, by number. An extent of a pack with a
    /// higher number counts nowhere.
    pub fn finish(self, packs: usize) -> io::Result<Vec<u64>> {
        let mut used = vec![0; packs];
        let mut reached = (0, 0);
        for record in self.0.finish()? {
            let record = record?;
            let (fields, _) = record.as_chunks::<4>();
            let mut fields = fields.iter().map(|field| u32::from_be_bytes(*field));
            let mut next = || fields.next().unwrap_or_default();
            let (pack, start) = (next(), u64::from(next()));
            let end = start + u64::from(next());
            if reached.0 != pack {
                reached = (pack, 0);
            }
            if let Some(used) = used.get_mut(pack as usize) {
                *used += end.saturating_sub(start.max(reached.1));
            }
            reached.1 = reached.1.max(end);
        }
        Ok(used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_count_once_whatever_the_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut usage = Usage::new(folder.path());
        for (pack, offset, length) in [
            (1, 20, 10),
            (0, 5, 10),
            (1, 0, 10),
            (0, 0, 10),
            (1, 20, 5),
            (1, 5, 10),
            (9, 0, 1),
        ] {
            usage
                .push(Extent {
                    pack,
                    offset,
                    length,
                })
                .unwrap();
        }
        assert_eq!(usage.finish(3).unwrap(), [15, 25, 0]);
    }
}
