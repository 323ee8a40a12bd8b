//! Packs to streams.
//!
//! ```text
//! snapshot       a snapshot's streams, by its recipe; lists: extents and entries as they flow
//!   ├─ check     the last word on a stream: its length and digest
//!   ├─ parts     some ranges of a stream
//!   └─ ahead     extents to bytes, here or on a thread that runs ahead
//!        ├─ needs    what is wanted of each pack: whole, or block by block
//!        └─ blocks   packs and blocks within a budget; pack: opening them; fetch: the store
//! ```

mod ahead;
mod blocks;
mod check;
mod fetch;
mod lists;
mod needs;
mod pack;
mod parts;
mod snapshot;
#[cfg(test)]
mod tests;

pub use ahead::{AheadReader, StreamReader};
pub use check::{CheckedReader, EntryList, Expected};
pub use fetch::Fetcher;
pub use lists::{Entries, Extents};
pub use pack::Packs;
pub use snapshot::SnapshotReader;

use super::error;
#[cfg(test)]
use super::on_thread;
