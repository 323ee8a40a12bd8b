//! Streams to packs and back.
//!
//! Writing: chunk, look up, gather what is new into blocks, compress, seal into packs, check that
//! each pack decodes to what went in, upload. Reading: fetch, check, open, decompress, and check
//! the stream's own digest, ahead of whoever consumes it. The CPU's work runs on plain named threads, the store's on tokio; the
//! two meet in bounded channels, and only here.

mod assembly;
mod blocks;
mod check;
mod dedup;
mod error;
mod fetch;
mod lane;
mod lists;
mod needs;
mod pack;
mod parts;
mod read;
mod snapshot;
mod stream;
#[cfg(test)]
mod tests;
mod thread;
mod upload;

pub use assembly::{Assembled, Assembly, FilesWriter, NewStream};
pub use check::{CheckedReader, EntryList, Expected};
pub use dedup::Dedup;
pub use error::PipelineError;
pub use fetch::Fetcher;
pub use lane::{Lane, LaneOptions, NewPack};
pub use lists::{Entries, Extents};
pub use pack::Packs;
pub use read::{AheadReader, StreamReader};
pub use snapshot::SnapshotReader;
pub use stream::{Observer, StoredStream, StreamWriter};
pub use thread::on_thread;
pub(crate) use upload::put_checked;
pub use upload::uploader;

pub(crate) use error::{Carried, unwrap_io};
