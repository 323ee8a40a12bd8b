//! What a backup host remembers of stored chunks: the index of the last run, what this run has
//! stored so far, and the journal of a run that has not ended. All of it is a cache of one host,
//! never the truth: whatever does not fit exactly is not used, and the backup is then larger,
//! and right. Blocking I/O only; knows files and folders, but no store, no source and no run.
//!
//! # The index file
//!
//! Pages of 4 KiB: 4,064 bytes of content and a tag, see `pages`. Page 0 is the header, whose
//! content is, little-endian:
//!
//! ```text
//! magic 8 · nonce 16 · repository 16 · epoch 8 · record 32 · job: length 1, 64 bytes, zeros after
//! new bytes 8 · for packs, streams, order, records, listings: first page 8, content length 8
//! ```
//!
//! The nonce is random for each file, and the key of all tags is derived from it and from the
//! dedup secret, so a page of an older file is no page of this one. Sections begin at a page:
//!
//! ```text
//! packs      per pack: SHA-256 32 · size 8 · digest of its head 32 · decompressed size 8
//! streams    per stream: name length 2 · name · chunk bits 4 · begin 8 · first position 4
//!            · count 4 · listing offset 8 · listing length 8
//! order      records of 32 bytes: all chunks of stream after stream, in order
//! records    records of 32 bytes: every chunk once, by id
//! listings   what a stream keeps for its own next run, one after the other
//! record     id 16 · pack 4 · offset 4 · length 4 · position 4
//! ```
//!
//! It is written beside the old one, the header last, made durable and renamed over it. `journal`
//! has the layout of journals.

mod fault;
mod filter;
mod head;
mod index;
mod journal;
mod next;
mod order;
mod pages;
mod record;
mod seen;
mod sorter;
mod spool;
mod stream;
mod table;
#[cfg(test)]
mod tests;

pub use fault::{DamagedPage, IndexFault};
pub use filter::Filter;
pub use head::IndexHead;
pub use index::{Index, Records};
pub use journal::{Frame, Journal, JournalHead, JournalReader, Part};
pub use next::NextIndex;
pub use order::OrderReader;
pub use pages::PagedReader;
pub use record::{NO_POSITION, PackInfo, Place, Record};
pub use seen::Seen;
pub use sorter::{Sorted, Sorter};
pub use spool::{Spool, SpoolReader};
pub use stream::{StreamCache, StreamFacts};
