//! Folders and files as one POSIX pax tar.
//!
//! Reads what is there through folder descriptors, never following a link, and pushes the tar
//! entry by entry, each with its line for the table of contents. What cannot be read is listed
//! and left out; only the sink and the caller can stop it. Blocking: it wants a plain thread.
//! It must not know of chunks, stores or earlier snapshots.
//!
//! Entries come in one order: paths compared part by part, byte by byte, a folder before what is
//! in it. So what an earlier run knew can be merged in one pass. A file that the sink knows from
//! there is taken over without being opened.
//!
//! A header is written before its content and cannot be taken back. So a file of up to 4 MiB is
//! read as a whole before its header is written, and again when it changed meanwhile: those are
//! the settings and small databases that programs replace at any time, and a buffer of that size
//! costs nothing. Larger ones go straight through, for reading one twice in the hope that nobody
//! writes to it could take hours. What still shrinks or fails while it is read is filled up with
//! zeros, what grows is cut at the size that its header says, and all of it is listed.
//!
//! Memory: the names of the folders on the way down, the latest files whose other names are still
//! to come, and buffers; nothing per file that was done.

mod archive;
mod content;
mod header;
mod links;
mod listed;
mod open;
mod output;
mod pattern;
mod roots;
mod sparse;
mod walk;

pub use archive::{FilesError, FilesSpec, archive};
pub use output::EntrySink;
pub use pattern::{Pattern, PatternError};
