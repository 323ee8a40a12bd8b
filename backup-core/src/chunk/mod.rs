//! Content-defined chunking and chunk ids, both keyed with the host's dedup secret.
//!
//! The secret keeps a store that sees pack sizes from recognising known content. It never leaves
//! the host; without it everything stored stays readable, and the next backup is full.

mod chunker;
mod secret;

pub use chunker::{ChunkSizes, Chunker};
pub use secret::{ChunkId, DedupSecret, GearTable};
