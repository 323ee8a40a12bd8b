//! The seek table of zstd's seekable format (version 0.1.0 of the specification in zstd's `contrib`), as
//! `doc/format.md` restricts it: no checksums, since age authenticates the whole.

use super::{CodecError, block::MAX_BLOCK};

const SKIPPABLE_MAGIC: [u8; 4] = [0x5e, 0x2a, 0x4d, 0x18];
const SEEKABLE_MAGIC: [u8; 4] = [0xb1, 0xea, 0x92, 0x8f];
const HEADER: usize = 8;
const ENTRY: usize = 8;
const FOOTER: usize = 9;

/// Bytes at the end of a seek table that tell its length.
pub const SEEK_TABLE_END: usize = FOOTER;

const MAX_BLOCKS: usize = 65_536;

/// Where a block is, in the pack's plaintext and in the decompressed pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockPlace {
    /// Where its frame begins.
    pub start: usize,
    /// The frame's length.
    pub len: usize,
    /// Where its bytes begin in the decompressed pack.
    pub plain_start: u64,
    /// How many there are.
    pub plain_len: usize,
}

/// The seek table for blocks of (compressed, decompressed) sizes.
pub fn seek_table(blocks: &[(u32, u32)]) -> Vec<u8> {
    let count =
        u32::try_from(blocks.len()).expect("a writer closes a pack long before 2^32 blocks");
    let content = blocks.len().saturating_mul(ENTRY).saturating_add(FOOTER);
    let size = u32::try_from(content).expect("2^16 blocks of 8 bytes fit");
    let mut table = Vec::with_capacity(content.saturating_add(HEADER));
    table.extend_from_slice(&SKIPPABLE_MAGIC);
    table.extend_from_slice(&size.to_le_bytes());
    for (compressed, plain) in blocks {
        table.extend_from_slice(&compressed.to_le_bytes());
        table.extend_from_slice(&plain.to_le_bytes());
    }
    table.extend_from_slice(&count.to_le_bytes());
    table.push(0);
    table.extend_from_slice(&SEEKABLE_MAGIC);
    table
}

/// Reads the seek table at the end of a pack's plaintext. The blocks and the table must fill it
/// exactly, and decompress to `plain_total`, which the caller has from a signed recipe.
pub fn read_seek_table(pack: &[u8], plain_total: u64) -> Result<Vec<BlockPlace>, CodecError> {
    let table = pack.len().checked_sub(seek_table_len(pack)?);
    let table = table.and_then(|start| pack.get(start..));
    let table = table.ok_or(CodecError::SeekTable("longer than the pack"))?;
    parse_seek_table(table, pack.len() as u64, plain_total)
}

/// The length of a pack's seek table, by the last bytes of its plaintext, at least
/// [`SEEK_TABLE_END`].
pub fn seek_table_len(end: &[u8]) -> Result<usize, CodecError> {
    let wrong = CodecError::SeekTable;
    let (rest, magic) = end.split_last_chunk::<4>().ok_or(wrong("missing"))?;
    let (&descriptor, rest) = rest.split_last().ok_or(wrong("missing"))?;
    let (_, count) = rest.split_last_chunk::<4>().ok_or(wrong("missing"))?;
    let count = u32::from_le_bytes(*count) as usize;
    if *magic != SEEKABLE_MAGIC || descriptor != 0 {
        return Err(wrong("missing"));
    }
    if count > MAX_BLOCKS {
        return Err(wrong("over the format's limits"));
    }
    Ok(table_len(count))
}

fn table_len(count: usize) -> usize {
    count.saturating_mul(ENTRY).saturating_add(HEADER + FOOTER)
}

/// Reads a seek table, cut out of a pack's plaintext of `pack_len` bytes by [`seek_table_len`].
pub fn parse_seek_table(
    table: &[u8],
    pack_len: u64,
    plain_total: u64,
) -> Result<Vec<BlockPlace>, CodecError> {
    let wrong = CodecError::SeekTable;
    if seek_table_len(table)? != table.len() {
        return Err(wrong("longer than the pack"));
    }
    let blocks_len = pack_len
        .checked_sub(table.len() as u64)
        .ok_or(wrong("longer than the pack"))?;
    let content = table.len().saturating_sub(HEADER);
    let (magic, table) = table.split_first_chunk::<4>().ok_or(wrong("missing"))?;
    let (size, table) = table.split_first_chunk::<4>().ok_or(wrong("missing"))?;
    if *magic != SKIPPABLE_MAGIC || u32::from_le_bytes(*size) as usize != content {
        return Err(wrong("not a skippable frame of its length"));
    }
    let entries = table.get(..table.len().saturating_sub(FOOTER));
    let (entries, _) = entries.unwrap_or_default().as_chunks::<ENTRY>();
    let mut places = Vec::with_capacity(entries.len());
    let (mut start, mut plain_start) = (0usize, 0u64);
    for [c0, c1, c2, c3, p0, p1, p2, p3] in entries {
        let len = u32::from_le_bytes([*c0, *c1, *c2, *c3]) as usize;
        let plain_len = u32::from_le_bytes([*p0, *p1, *p2, *p3]) as usize;
        if plain_len as u64 > MAX_BLOCK || plain_len == 0 {
            return Err(wrong("over the format's limits"));
        }
        places.push(BlockPlace {
            start,
            len,
            plain_start,
            plain_len,
        });
        start = start.saturating_add(len);
        plain_start = plain_start.saturating_add(plain_len as u64);
    }
    if start as u64 != blocks_len || plain_start != plain_total {
        return Err(wrong("not in agreement with the pack"));
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_describes_its_pack_exactly_or_is_refused() {
        let blocks = [(10u32, 100u32), (20, 200)];
        let mut pack = vec![0; 30];
        pack.extend(seek_table(&blocks));
        let places = read_seek_table(&pack, 300).unwrap();
        assert_eq!(places.len(), 2);
        assert_eq!((places[1].start, places[1].plain_start), (10, 100));
        assert!(read_seek_table(&pack, 301).is_err());
        assert!(read_seek_table(&pack[1..], 300).is_err());
        for cut in 0..pack.len() {
            assert!(read_seek_table(&pack[..cut], 300).is_err(), "cut to {cut}");
        }
        for at in 30..pack.len() {
            let mut bad = pack.clone();
            bad[at] ^= 0x11;
            assert!(read_seek_table(&bad, 300).is_err(), "byte {at} changed");
        }
    }
}
