//! What is stored, as types: pure bytes to bytes, by `doc/format.md`.

mod entry;
pub mod pax;

pub use entry::{
    Entry, EntryError, FileTime, MAX_DEPTH, MAX_PATH_BYTES, Node, NodeKind, PathFault, check_path,
};
