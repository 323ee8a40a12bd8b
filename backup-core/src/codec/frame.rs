//! Whole objects in one zstd frame: recipes and refs.

use std::io::Read as _;

use zstd::stream::read::Decoder;

use super::{CodecError, compress_block, error::has_checksum};

/// Recipes and refs are small and read often: a stronger level than blocks.
const LEVEL: i32 = 9;
const READ_WINDOW_LOG: u32 = 24;

/// Compresses to one frame.
pub fn compress_frame(plain: &[u8]) -> Result<Vec<u8>, CodecError> {
    compress_block(plain, LEVEL)
}

/// Decompresses one frame of at most `limit` bytes; nothing may follow it.
pub fn decompress_frame(frame: &[u8], limit: u64) -> Result<Vec<u8>, CodecError> {
    if !has_checksum(frame) {
        return Err(CodecError::Frame);
    }
    let mut decoder = Decoder::with_buffer(frame)
        .map_err(CodecError::Decompress)?
        .single_frame();
    decoder
        .window_log_max(READ_WINDOW_LOG)
        .map_err(CodecError::Decompress)?;
    let mut plain = Vec::new();
    decoder
        .by_ref()
        .take(limit.saturating_add(1))
        .read_to_end(&mut plain)
        .map_err(CodecError::Decompress)?;
    if plain.len() as u64 > limit {
        return Err(CodecError::TooLong(limit));
    }
    if !decoder.finish().is_empty() {
        return Err(CodecError::Trailing);
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_whole_frame_and_nothing_else_is_read() {
        let plain = b"line\n".repeat(10_000);
        let frame = compress_frame(&plain).unwrap();
        assert_eq!(decompress_frame(&frame, 50_000).unwrap(), plain);
        assert!(matches!(
            decompress_frame(&frame, 49_999),
            Err(CodecError::TooLong(49_999))
        ));
        let trailing = [&frame[..], b"x"].concat();
        assert!(matches!(
            decompress_frame(&trailing, 50_000),
            Err(CodecError::Trailing)
        ));
        for cut in 0..frame.len() {
            assert!(
                decompress_frame(&frame[..cut], 50_000).is_err(),
                "cut to {cut}"
            );
        }
        for at in 0..frame.len() {
            let mut bad = frame.clone();
            bad[at] ^= 1;
            let read = decompress_frame(&bad, 50_000);
            assert!(read.is_err() || read.unwrap() == plain, "byte {at}");
        }
    }
}
