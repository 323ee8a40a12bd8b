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
    let found = ask(file, size).ok()?;
    let mut gap = 0;
    let mut regions = merged(&found, gap, size);
    while regions.len() >= MAX_REGIONS {
        gap = if gap == 0 { 4096 } else { gap * 2 };
        regions = merged(&found, gap, size);
    }
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

fn ask(file: &File, size: u64) -> Result<Vec<Region>, Errno> {
    let mut found = Vec::new();
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
}
