//! Blocks: one zstd frame each, compressed and decompressed whole.

use zstd::{
    bulk::{Compressor, Decompressor},
    zstd_safe::{CParameter, DParameter},
};

use super::{CodecError, error::has_checksum};

/// A block does not decompress to more.
pub const MAX_BLOCK: u64 = 16 << 20;

/// What writers allow themselves: 2 MiB.
const WRITE_WINDOW_LOG: u32 = 21;

/// What readers allow: 16 MiB.
const READ_WINDOW_LOG: u32 = 24;

/// Compresses a block.
pub fn compress_block(plain: &[u8], level: i32) -> Result<Vec<u8>, CodecError> {
    let mut compressor = Compressor::new(level).map_err(CodecError::Compress)?;
    compressor
        .set_parameter(CParameter::ChecksumFlag(true))
        .map_err(CodecError::Compress)?;
    compressor
        .set_parameter(CParameter::WindowLog(WRITE_WINDOW_LOG))
        .map_err(CodecError::Compress)?;
    compressor.compress(plain).map_err(CodecError::Compress)
}

/// Decompresses a block that must give `plain_len` bytes.
pub fn decompress_block(block: &[u8], plain_len: usize) -> Result<Vec<u8>, CodecError> {
    if !has_checksum(block) {
        return Err(CodecError::Frame);
    }
    let mut decompressor = Decompressor::new().map_err(CodecError::Decompress)?;
    decompressor
        .set_parameter(DParameter::WindowLogMax(READ_WINDOW_LOG))
        .map_err(CodecError::Decompress)?;
    let plain = decompressor
        .decompress(block, plain_len)
        .map_err(CodecError::Decompress)?;
    if plain.len() != plain_len {
        return Err(CodecError::Length {
            found: plain.len() as u64,
            expected: plain_len as u64,
        });
    }
    Ok(plain)
}
