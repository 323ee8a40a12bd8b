//! Folders and files as one POSIX pax tar.
//!
//! Reads what is there through folder descriptors, never following a link, and pushes the tar
//! entry by entry, each with its line for the table of contents. What cannot be read is listed
//! and left out; only the sink and the caller can stop it. Blocking: it wants a plain thread.
//! It must not know of chunks, stores or earlier snapshots.
//!
//! A header is written before its content and cannot be taken back. So a file that shrinks or
//! fails while it is read is filled up with zeros, one that grows is cut at the size that its
//! header says, and both are listed.

mod archive;
mod header;
mod open;
mod output;
mod roots;
mod sparse;
mod walk;

pub use archive::{FilesError, FilesSpec, archive};
pub use output::EntrySink;
