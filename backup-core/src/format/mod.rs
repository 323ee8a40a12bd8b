//! What is stored, as types: pure bytes to bytes, by `doc/format.md`.

mod entry;
mod forget;
pub mod layout;
pub mod pax;
mod pin;
mod prune;
mod recipe;
mod refs;
mod run;

pub use entry::{
    Entry, EntryError, FileTime, MAX_DEPTH, MAX_PATH_BYTES, Node, NodeKind, PathFault, check_path,
};
pub use forget::{DeadRun, DeadRuns, Forget, Hold, MAX_REASON, is_reason};
pub use pin::Pin;
pub use prune::{Done, Final, Objects, Plan, SizedDigest};
pub use recipe::{
    Extent, INLINE_LINES, Lines, LinesError, ListRef, MAX_LINE, MAX_PACK, MAX_PLAIN, PackLine,
    Recipe, RecipeHead, RecipeStream, StreamLine, extents_fit, is_stream_name, parse_line,
    push_line,
};
pub use refs::{Refs, RefsHead, RefsPack};
pub use run::{Aborted, Commit, Fence, ObjectRef, RunEnd, Session};
