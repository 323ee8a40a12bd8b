//! Compressing and decompressing many blocks with the same memory: what a thread keeps between
//! them.

use std::fmt;

use zstd::{
    bulk::{Compressor, Decompressor},
    zstd_safe::{CParameter, DParameter, compress_bound},
};

use super::{
    CodecError,
    block::{READ_WINDOW_LOG, WRITE_WINDOW_LOG},
    error::has_checksum,
};

/// A thread's compressor and decompressor. Both are made when they are first needed.
#[derive(Default)]
pub struct BlockCodec {
    compressor: Option<(i32, Compressor<'static>)>,
    decompressor: Option<Decompressor<'static>>,
    buffer: Vec<u8>,
}

impl fmt::Debug for BlockCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlockCodec")
    }
}

impl BlockCodec {
    /// One that holds nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Compresses a block to one frame with a checksum of what went in.
    pub fn compress(&mut self, plain: &[u8], level: i32) -> Result<Vec<u8>, CodecError> {
        let kept = self.compressor.take();
        let mut compressor = match kept {
            Some((of, compressor)) if of == level => compressor,
            Some((_, mut compressor)) => {
                compressor
                    .set_compression_level(level)
                    .map_err(CodecError::Compress)?;
                compressor
            }
            None => new_compressor(level)?,
        };
        self.buffer.clear();
        self.buffer.reserve(compress_bound(plain.len()));
        let done = compressor.compress_to_buffer(plain, &mut self.buffer);
        self.compressor = Some((level, compressor));
        done.map_err(CodecError::Compress)?;
        Ok(self.buffer.clone())
    }

    /// Decompresses a block that must give `plain_len` bytes, and compares its checksum. The
    /// bytes are this codec's own until the next call.
    pub fn decompress(&mut self, frame: &[u8], plain_len: usize) -> Result<&[u8], CodecError> {
        if !has_checksum(frame) {
            return Err(CodecError::Frame);
        }
        let decompressor = match &mut self.decompressor {
            Some(decompressor) => decompressor,
            empty @ None => empty.insert(new_decompressor()?),
        };
        self.buffer.clear();
        self.buffer.reserve(plain_len);
        decompressor
            .decompress_to_buffer(frame, &mut self.buffer)
            .map_err(CodecError::Decompress)?;
        if self.buffer.len() != plain_len {
            return Err(CodecError::Length {
                found: self.buffer.len() as u64,
                expected: plain_len as u64,
            });
        }
        Ok(&self.buffer)
    }
}

fn new_compressor(level: i32) -> Result<Compressor<'static>, CodecError> {
    let mut compressor = Compressor::new(level).map_err(CodecError::Compress)?;
    for parameter in [
        CParameter::ChecksumFlag(true),
        CParameter::WindowLog(WRITE_WINDOW_LOG),
    ] {
        compressor
            .set_parameter(parameter)
            .map_err(CodecError::Compress)?;
    }
    Ok(compressor)
}

fn new_decompressor() -> Result<Decompressor<'static>, CodecError> {
    let mut decompressor = Decompressor::new().map_err(CodecError::Decompress)?;
    decompressor
        .set_parameter(DParameter::WindowLogMax(READ_WINDOW_LOG))
        .map_err(CodecError::Decompress)?;
    Ok(decompressor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_codec_serves_many_blocks_and_levels() {
        let mut codec = BlockCodec::new();
        for (level, byte) in [(1, 7u8), (6, 8), (3, 9)] {
            let plain = vec![byte; 100_000];
            let frame = codec.compress(&plain, level).unwrap();
            assert_eq!(codec.decompress(&frame, plain.len()).unwrap(), plain);
            assert!(codec.decompress(&frame, plain.len() + 1).is_err());
            let mut bad = frame.clone();
            *bad.last_mut().unwrap() ^= 1;
            assert!(codec.decompress(&bad, plain.len()).is_err(), "checksum");
        }
    }
}
