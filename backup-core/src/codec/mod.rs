//! Compression: zstd frames, and the seekable format that packs are in.
//!
//! Sizes inside stored data are hints at most: what a frame may decompress to is the caller's to
//! say, from signed records or the format's limits.

mod block;
mod context;
mod error;
mod frame;
mod seek_table;

pub use block::{MAX_BLOCK, compress_block, decompress_block};
pub use context::BlockCodec;
pub use error::CodecError;
pub use frame::{compress_frame, decompress_frame};
pub use seek_table::{
    BlockPlace, SEEK_TABLE_END, parse_seek_table, read_seek_table, seek_table, seek_table_len,
};
