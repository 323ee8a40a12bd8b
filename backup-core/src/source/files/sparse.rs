//! Where a file has data: asks the file system for holes.

use std::fs::File;

use rustix::{
    fs::{SeekFrom, Stat, seek},
    io::Errno,
};

use super::open;
use crate::format::pax::{BLOCK_BYTES, MAX_REGIONS, Region};

/// The data of a file that has holes; `None` when it has none or nobody knows.
///
/// Regions are whole blocks of tar, except where the file ends: readers disagree about padding
/// between others. The last region ends where the file does, even if it is empty.
pub(super) fn regions(file: &File, stat: &Stat) -> Option<Vec<Region>> {
    let size = open::size(stat);
    let allocated = u64::try_from(stat.st_blocks).unwrap_or(u64::MAX);
    if allocated.saturating_mul(512) >= size {
        return None;
    }
    let mut regions = ask(file, size).ok()?.finish();
    if regions.iter().map(|region| region.length).sum::<u64>() == size {
        return None;
    }
    if regions
        .last()
        .is_none_or(|last| last.offset + last.length < size)
    {
        regions.push(Region {
            offset: size,
            length: 0,
        });
    }
    Some(regions)
}

fn ask(file: &File, size: u64) -> Result<Found, Errno> {
    let mut found = Found::new(size);
    let mut at = 0;
    while at < size {
        let start = match seek(file, SeekFrom::Data(at)) {
            Ok(start) if start < size => start,
            Ok(_) | Err(Errno::NXIO) => break,
            Err(error) => return Err(error),
        };
        let end = seek(file, SeekFrom::Hole(start))?.min(size);
        if end <= start {
            return Err(Errno::INVAL);
        }
        found.push(Region {
            offset: start,
            length: end - start,
        });
        at = end;
    }
    Ok(found)
}

/// What was found so far. Holes can be as many as blocks, so small ones are filled on the way:
/// never are more than twice as many regions held as a reader takes.
struct Found {
    size: u64,
    regions: Vec<Region>,
    /// Holes up to here are filled.
    gap: u64,
}

impl Found {
    fn new(size: u64) -> Self {
        Self {
            size,
            regions: Vec::new(),
            gap: 0,
        }
    }

    fn push(&mut self, region: Region) {
        if self.regions.len() >= 2 * MAX_REGIONS {
            self.thin();
        }
        self.regions.push(region);
    }

    /// Fewer regions than a reader takes.
    fn finish(mut self) -> Vec<Region> {
        self.regions = merged(&self.regions, self.gap, self.size);
        self.thin();
        self.regions
    }

    fn thin(&mut self) {
        while self.regions.len() >= MAX_REGIONS {
            self.gap = (self.gap * 2).max(4096);
            self.regions = merged(&self.regions, self.gap, self.size);
        }
    }
}

/// Rounds outwards to blocks and joins what is then no further apart than `gap`.
fn merged(found: &[Region], gap: u64, size: u64) -> Vec<Region> {
    let mut regions: Vec<Region> = Vec::new();
    for region in found {
        let start = region.offset / BLOCK_BYTES * BLOCK_BYTES;
        let end = (region.offset + region.length)
            .next_multiple_of(BLOCK_BYTES)
            .min(size);
        match regions.last_mut() {
            Some(last) if start <= last.offset + last.length + gap => {
                last.length = end - last.offset;
            }
            _ => regions.push(Region {
                offset: start,
                length: end - start,
            }),
        }
    }
    regions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_whole_blocks_and_never_overlap() {
        let region = |offset, length| Region { offset, length };
        let found = [region(100, 10), region(700, 1), region(4096, 1000)];
        let joined = vec![region(0, 1024), region(4096, 1000)];
        assert_eq!(merged(&found, 0, 5096), joined);
        assert_eq!(merged(&found, 4096, 5096), vec![region(0, 5096)]);
    }

    #[test]
    fn a_hole_in_every_other_block_costs_no_memory() {
        let (block, count) = (4096, 20 * MAX_REGIONS as u64);
        let mut found = Found::new(2 * block * count);
        for number in 0..count {
            found.push(Region {
                offset: 2 * block * number,
                length: block,
            });
            assert!(found.regions.len() <= 2 * MAX_REGIONS);
        }
        // All of it is data by then, up to the last hole.
        let regions = found.finish();
        let whole = Region {
            offset: 0,
            length: 2 * block * count - block,
        };
        assert_eq!(regions, [whole]);
    }
}
