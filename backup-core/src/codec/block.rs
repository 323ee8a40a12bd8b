//! Blocks: one zstd frame each, compressed and decompressed whole.

use super::{BlockCodec, CodecError};

/// A block does not decompress to more.
pub const MAX_BLOCK: u64 = 16 << 20;

/// What writers allow themselves: 2 MiB.
pub(super) const WRITE_WINDOW_LOG: u32 = 21;

/// What readers allow: 16 MiB.
pub(super) const READ_WINDOW_LOG: u32 = 24;

/// Compresses a block.
pub fn compress_block(plain: &[u8], level: i32) -> Result<Vec<u8>, CodecError> {
    BlockCodec::new().compress(plain, level)
}

/// Decompresses a block that must give `plain_len` bytes.
pub fn decompress_block(block: &[u8], plain_len: usize) -> Result<Vec<u8>, CodecError> {
    let mut codec = BlockCodec::new();
    codec.decompress(block, plain_len).map(<[u8]>::to_vec)
}
