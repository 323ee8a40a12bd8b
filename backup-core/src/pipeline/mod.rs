//! Streams to packs and back.
//!
//! Writing: chunk, look up, gather what is new into blocks, compress, seal into packs, check that
//! each pack decodes, upload. Reading: fetch, check, open, decompress, and check the stream's own
//! digest, ahead of whoever consumes it. The CPU's work runs on plain named threads, the store's
//! on tokio; the two meet in bounded channels, and only here.

mod error;
mod read;
mod thread;
mod usage;
mod write;

pub use error::PipelineError;
pub use read::{
    AheadReader, CheckedReader, Entries, EntryList, Expected, Extents, Fetcher, Packs,
    SnapshotReader, StreamReader,
};
pub use thread::on_thread;
pub use usage::Usage;
pub(crate) use write::put_checked;
pub use write::{
    Added, Assembled, Assembly, Budget, Dedup, FilesWriter, LevelControl, LevelMode, NewPack,
    NewStream, Observation, Observer, PackOptions, PackUse, Pipeline, Pool, RunJournal,
    StoredStream, StreamWriter, retire, uploader,
};

pub(crate) use error::{Carried, unwrap_io};
