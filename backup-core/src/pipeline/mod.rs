//! Streams to packs and back.
//!
//! Writing: chunk, look up, gather what is new into blocks, compress, seal into packs, check that
//! each pack decodes to what went in, upload. Reading: fetch, check, open, decompress, and check
//! the stream's own digest, ahead of whoever consumes it. The CPU's work runs on plain named threads, the store's on tokio; the
//! two meet in bounded channels, and only here.

mod assembly;
mod blocks;
mod budget;
mod check;
mod dedup;
mod error;
mod extents;
mod fetch;
mod files;
mod journal;
mod lane;
mod level;
mod listing;
mod lists;
mod needs;
mod pack;
mod parts;
mod pool;
mod read;
mod retire;
mod snapshot;
mod stream;
#[cfg(test)]
mod tests;
mod thread;
mod upload;
mod usage;

pub use assembly::{Assembled, Assembly, NewStream, PackOptions, Pipeline, StoredStream};
pub use budget::Budget;
pub use check::{CheckedReader, EntryList, Expected};
pub use dedup::Dedup;
pub use error::PipelineError;
pub use fetch::Fetcher;
pub use files::FilesWriter;
pub use journal::RunJournal;
pub use lane::Lane;
pub use level::{LevelControl, LevelMode, Observation};
pub use lists::{Entries, Extents};
pub use pack::Packs;
pub use pool::Pool;
pub use read::{AheadReader, StreamReader};
pub use retire::{PackUse, retire};
pub use snapshot::SnapshotReader;
pub use stream::{Observer, StreamWriter};
pub use thread::on_thread;
pub(crate) use upload::put_checked;
pub use upload::{NewPack, uploader};
pub use usage::Usage;

pub(crate) use error::{Carried, unwrap_io};
