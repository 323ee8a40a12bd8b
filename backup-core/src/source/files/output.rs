//! The sink's side: counts and digests the bytes of each entry while they go out.

use std::io::{self, Write};

use backup_model::Digest;
use sha2::{Digest as _, Sha256};

use crate::format::{Entry, Node};

/// Where the tar goes, entry by entry.
pub trait EntrySink: Write {
    /// Called when all bytes of an entry (headers, content, padding) were written.
    fn end_entry(&mut self, entry: &Entry) -> io::Result<()>;

    /// Asks for the entry of an earlier run that describes exactly this file. `true`: it is in the
    /// archive now, and nothing more is to be written for it. Nobody has opened the file yet, so
    /// whether it is sparse does not count. Asked between entries only, in the archive's order.
    fn take_over(&mut self, node: &Node) -> io::Result<bool>;
}

/// A block of the tar.
const ZEROS: [u8; 512] = [0; 512];

/// Writes to a sink and knows what the open entry's bytes add up to.
pub(super) struct Output<'a> {
    sink: &'a mut dyn EntrySink,
    digest: Sha256,
    length: u64,
    /// Bytes in the block that is not full yet.
    filled: usize,
}

impl<'a> Output<'a> {
    pub(super) fn new(sink: &'a mut dyn EntrySink) -> Self {
        Self {
            sink,
            digest: Sha256::new(),
            length: 0,
            filled: 0,
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.length += bytes.len() as u64;
        self.filled = (self.filled + bytes.len()) % ZEROS.len();
        self.sink.write_all(bytes)
    }

    /// Whether the sink has this file already; only between entries.
    pub(super) fn take_over(&mut self, node: &Node) -> io::Result<bool> {
        debug_assert_eq!(self.length, 0, "an entry is open");
        self.sink.take_over(node)
    }

    /// Pads to a whole block and closes the entry; without a node it is the archive's end.
    pub(super) fn finish(&mut self, node: Option<Node>) -> io::Result<()> {
        if self.filled > 0 {
            self.write(&ZEROS[self.filled..])?;
        }
        let entry = Entry {
            length: self.length,
            sha256: Digest(self.digest.finalize_reset().into()),
            node,
        };
        self.length = 0;
        self.sink.end_entry(&entry)
    }
}
