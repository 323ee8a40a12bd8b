//! What goes wrong with compressed data, and the one rule that all frames share.

use std::io;

/// What goes wrong with compressed data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// zstd refused to compress.
    #[error("could not compress")]
    Compress(#[source] io::Error),
    /// Not a zstd frame, or a changed one.
    #[error("not a readable zstd frame")]
    Decompress(#[source] io::Error),
    /// The frame is not of the kind that the format allows.
    #[error("a zstd frame without a checksum, or with a dictionary")]
    Frame,
    /// The frame holds another number of bytes than it should.
    #[error("a zstd frame of {found} bytes where {expected} should be")]
    Length {
        /// Bytes that came out.
        found: u64,
        /// Bytes that should have.
        expected: u64,
    },
    /// It decompresses to more than is allowed here.
    #[error("it decompresses to more than {0} bytes")]
    TooLong(u64),
    /// Something follows the last frame.
    #[error("something follows the zstd frame")]
    Trailing,
    /// The seek table is missing or does not describe the pack.
    #[error("the pack's seek table is {0}")]
    SeekTable(&'static str),
}

/// Whether a frame has the checksum that the format asks for, and no dictionary (RFC 8878,
/// 3.1.1.1.1: the descriptor follows the magic number; bit 2 is the checksum flag, bits 0 and 1
/// the dictionary's).
pub(super) fn has_checksum(frame: &[u8]) -> bool {
    frame.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
        && frame
            .get(4)
            .is_some_and(|descriptor| descriptor & 0b111 == 0b100)
}
