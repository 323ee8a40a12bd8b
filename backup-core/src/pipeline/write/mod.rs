//! Streams to packs.
//!
//! ```text
//! assembly       a snapshot in the making: streams in, a recipe out
//!   ├─ files     a tar, entry by entry; listing: the entries of the run before
//!   └─ stream    bytes to chunks to extents; dedup: what is stored already
//!        └─ lane   new chunks to blocks to packs; budget: the memory of packs
//!             ├─ pool     the threads that compress and finish; level: how strongly
//!             └─ upload   packs to the store, and into the journal
//! ```

mod assembly;
mod budget;
mod dedup;
mod extents;
mod files;
mod journal;
mod lane;
mod level;
mod listing;
mod pool;
mod retire;
mod stream;
mod upload;

pub use assembly::{Assembled, Assembly, NewStream, PackOptions, Pipeline, StoredStream};
pub use budget::Budget;
pub use dedup::{Added, Dedup};
pub use files::FilesWriter;
pub use journal::RunJournal;
pub use level::{LevelControl, LevelMode, Observation};
pub use pool::Pool;
pub use retire::{PackUse, retire};
pub use stream::{Observer, StreamWriter};
pub(crate) use upload::put_checked;
pub use upload::{NewPack, uploader};

use super::{PipelineError, Usage, on_thread};
use lane::Lane;
