//! Checks, while it streams by, that a `pg_dump` archive is whole.
//!
//! An archive has no end mark: one that was cut between two blocks looks like a shorter one. But
//! its table of contents, which comes first, says which entries have data. So it is whole when
//! every one of those had its block, and it ends where a block ends. Exit status 0 alone does not
//! say that, nor does a clean end of the pipe.
//!
//! Memory is bounded: one entry of the table of contents, and the numbers of entries whose data
//! is still to come.

use std::collections::BTreeSet;

use super::toc::{self, ArchiveError, Cursor, ENTRY_BYTES, Header};

/// How many bytes are tried at once with what an earlier piece left over.
const TOP_UP: usize = 4096;
const BLOCK_OF_DATA: u8 = 1;
const BLOCK_OF_LARGE_OBJECTS: u8 = 3;

/// What a whole archive holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArchiveSummary {
    /// The format's version, major and minor.
    pub version: (u8, u8),
    /// Entries of the table of contents.
    pub entries: u64,
    /// Entries that have data: mostly tables.
    pub data_blocks: u64,
    /// Large objects.
    pub large_objects: u64,
    /// Bytes of rows and large objects.
    pub data_bytes: u64,
    /// The archive's length.
    pub length_bytes: u64,
}

/// An archive being checked.
#[derive(Clone, Debug)]
pub struct ArchiveCheck {
    state: State,
    header: Option<Header>,
    /// The start of something whose rest has not come yet.
    carry: Vec<u8>,
    /// Bytes of data still to pass by.
    skip: u64,
    awaited: BTreeSet<i64>,
    summary: ArchiveSummary,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Header,
    Entries {
        left: i64,
    },
    Block,
    /// The length of a piece of a table's data, or of a large object.
    Piece {
        large_object: bool,
    },
    LargeObject,
}

impl Default for ArchiveCheck {
    fn default() -> Self {
        Self::new()
    }
}

impl ArchiveCheck {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self {
            state: State::Header,
            header: None,
            carry: Vec::new(),
            skip: 0,
            awaited: BTreeSet::new(),
            summary: ArchiveSummary::default(),
        }
    }

    /// Takes the next bytes, in pieces of any size.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), ArchiveError> {
        while !bytes.is_empty() {
            let used = if self.skip > 0 {
                let skip = usize::try_from(self.skip).unwrap_or(usize::MAX);
                let len = skip.min(bytes.len());
                self.skip -= len as u64;
                self.summary.data_bytes += len as u64;
                len
            } else if self.carry.is_empty() {
                match self.step(bytes)? {
                    Some(used) => used,
                    None => self.keep(bytes)?,
                }
            } else {
                self.top_up(bytes)?
            };
            self.summary.length_bytes += used as u64;
            bytes = &bytes[used..];
        }
        Ok(())
    }

    /// Ends it: whole, or not.
    pub fn finish(self) -> Result<ArchiveSummary, ArchiveError> {
        let inside = match self.state {
            State::Header => Some("its header"),
            State::Entries { .. } => Some("its table of contents"),
            State::Piece { large_object: true } => Some("a large object"),
            State::Piece { .. } => Some("the data of a table"),
            State::LargeObject => Some("the large objects"),
            State::Block if !self.carry.is_empty() => Some("the start of a block"),
            State::Block => None,
        };
        if let Some(inside) = inside {
            let at = self.summary.length_bytes;
            return Err(ArchiveError::Incomplete { at, inside });
        }
        match self.awaited.first() {
            None => Ok(self.summary),
            Some(&first) => Err(ArchiveError::DataMissing {
                count: self.awaited.len(),
                first,
            }),
        }
    }

    /// Completes what an earlier piece began; tells how much of `bytes` that took.
    fn top_up(&mut self, bytes: &[u8]) -> Result<usize, ArchiveError> {
        let mut carry = std::mem::take(&mut self.carry);
        let had = carry.len();
        let added = bytes.len().min(TOP_UP);
        carry.extend_from_slice(&bytes[..added]);
        if let Some(used) = self.step(&carry)? {
            // More than it had, or it would have been read before.
            return Ok(used.saturating_sub(had));
        }
        if carry.len() > ENTRY_BYTES {
            return Err(self.damaged("an entry is longer than any can be"));
        }
        self.carry = carry;
        Ok(added)
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<usize, ArchiveError> {
        if bytes.len() > ENTRY_BYTES {
            return Err(self.damaged("an entry is longer than any can be"));
        }
        self.carry.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// Reads the next thing from its start; tells its length, or `None` when it is not all there.
    fn step(&mut self, bytes: &[u8]) -> Result<Option<usize>, ArchiveError> {
        let Some(header) = &self.header else {
            return Ok(toc::header(bytes)?.map(|(header, used)| {
                self.summary.version = header.version;
                self.state = entries_or_block(header.entries);
                self.header = Some(header);
                used
            }));
        };
        let mut cursor = Cursor::new(bytes, header.int_bytes);
        if let State::Entries { left } = self.state {
            let read = toc::entry(header, &mut cursor).map_err(|what| self.damaged(what))?;
            let Some(entry) = read else {
                return Ok(None);
            };
            if entry.has_data && !self.awaited.insert(entry.id) {
                return Err(self.damaged("two entries have one number"));
            }
            self.summary.entries += 1;
            self.state = entries_or_block(left - 1);
            return Ok(Some(cursor.used(bytes)));
        }
        let kind = match self.state {
            State::Block => cursor.byte(),
            _ => Some(0),
        };
        let (Some(kind), Some(number)) = (kind, cursor.int()) else {
            return Ok(None);
        };
        self.state = self.advance(kind, number)?;
        Ok(Some(cursor.used(bytes)))
    }

    /// What follows a number between data. `kind` counts only at the start of a block.
    fn advance(&mut self, kind: u8, number: i64) -> Result<State, ArchiveError> {
        match self.state {
            State::Block => {
                if !self.awaited.remove(&number) {
                    return Err(self.damaged("a block belongs to no entry, or is there twice"));
                }
                self.summary.data_blocks += 1;
                match kind {
                    BLOCK_OF_DATA => Ok(State::Piece {
                        large_object: false,
                    }),
                    BLOCK_OF_LARGE_OBJECTS => Ok(State::LargeObject),
                    _ => Err(self.damaged("a block is of an unknown kind")),
                }
            }
            State::LargeObject if number == 0 => Ok(State::Block),
            State::LargeObject => {
                self.summary.large_objects += 1;
                Ok(State::Piece { large_object: true })
            }
            State::Piece { large_object } if number == 0 => Ok(if large_object {
                State::LargeObject
            } else {
                State::Block
            }),
            State::Piece { .. } | State::Header | State::Entries { .. } => {
                self.skip = u64::try_from(number)
                    .map_err(|_| self.damaged("a piece of data has a length below zero"))?;
                Ok(self.state)
            }
        }
    }

    fn damaged(&self, what: &'static str) -> ArchiveError {
        let at = self.summary.length_bytes;
        ArchiveError::Damaged { at, what }
    }
}

fn entries_or_block(left: i64) -> State {
    if left == 0 {
        State::Block
    } else {
        State::Entries { left }
    }
}
