//! The head of a `pg_dump` archive in custom format, versions 1.14 to 1.16 (PostgreSQL 12 and
//! later): its header and the entries of its table of contents, from bytes in memory.
//!
//! Every reader here takes a prefix of what is to come and answers `None` while it is too short.
//! It needs to know nothing of what the entries mean: only how long they are, and which of them
//! have data to follow.

use backup_model::Code;

/// The longest entry of a table of contents: more than any view or function people write.
pub(super) const ENTRY_BYTES: usize = 64 << 20;
/// More entries than any server has objects; each that has data costs a few bytes of memory.
const ENTRIES: i64 = 20_000_000;
const MAGIC: &[u8] = b"PGDMP";
const CUSTOM_FORMAT: u8 = 1;
const OLDEST: (u8, u8) = (1, 14);
const NEWEST: (u8, u8) = (1, 16);

/// Why bytes are not a whole archive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// It does not begin like one.
    #[error("this is not a pg_dump archive in custom format")]
    NotAnArchive,
    /// It is of a version that is not known here.
    #[error("the archive has version {}.{}, known are {}.{} to {}.{}", .0.0, .0.1, OLDEST.0, OLDEST.1, NEWEST.0, NEWEST.1)]
    Version((u8, u8)),
    /// Its data is compressed.
    #[error("the archive is compressed")]
    Compressed,
    /// Something in it cannot be.
    #[error("the archive is damaged at byte {at}: {what}")]
    Damaged {
        /// The place.
        at: u64,
        /// What cannot be.
        what: &'static str,
    },
    /// It stops in the middle of something.
    #[error("the archive ends at byte {at}, inside {inside}")]
    Incomplete {
        /// Its length.
        at: u64,
        /// What has no end.
        inside: &'static str,
    },
    /// It stops between blocks, and some are missing.
    #[error(
        "the archive ends without the data of {count} of its entries, the first of them number {first}"
    )]
    DataMissing {
        /// How many entries have no data.
        count: usize,
        /// The lowest number of them.
        first: i64,
    },
}

impl ArchiveError {
    /// The stable code, for an archive that is read back.
    pub fn code(&self) -> Code {
        match self {
            Self::Version(_) => Code::PgTooOld,
            Self::NotAnArchive
            | Self::Compressed
            | Self::Damaged { .. }
            | Self::Incomplete { .. }
            | Self::DataMissing { .. } => Code::Damaged,
        }
    }
}

/// What the header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) version: (u8, u8),
    pub(super) int_bytes: usize,
    offset_bytes: usize,
    pub(super) entries: i64,
}

/// What matters of an entry.
pub(super) struct Entry {
    pub(super) id: i64,
    pub(super) has_data: bool,
}

/// Bytes from the start of something; what is read is taken off.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    int_bytes: usize,
}

/// Too short so far (`None`), impossible (`Err`), or read.
type Read<T> = Result<Option<T>, &'static str>;

/// `?` for what is both: leaves the function when there are too few bytes.
macro_rules! take {
    ($read:expr) => {
        match $read {
            Some(value) => value,
            None => return Ok(None),
        }
    };
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8], int_bytes: usize) -> Self {
        Self { bytes, int_bytes }
    }

    /// How many bytes of `all`, which this was made of, have been read.
    pub(super) fn used(&self, all: &[u8]) -> usize {
        all.len() - self.bytes.len()
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(byte)
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(len)?;
        self.bytes = rest;
        Some(taken)
    }

    /// A sign, then the magnitude with its lowest byte first.
    pub(super) fn int(&mut self) -> Option<i64> {
        let (number, rest) = self.bytes.split_at_checked(1 + self.int_bytes)?;
        self.bytes = rest;
        let (sign, digits) = number.split_first()?;
        let magnitude = digits
            .iter()
            .rev()
            .fold(0_i64, |sum, &digit| (sum << 8) | i64::from(digit));
        Some(if *sign == 0 { magnitude } else { -magnitude })
    }

    /// A string's bytes; the inner `None` is the archive's NULL.
    fn string(&mut self) -> Read<Option<&'a [u8]>> {
        let len = take!(self.int());
        if len < 0 {
            return Ok(Some(None));
        }
        match usize::try_from(len) {
            Ok(len) if len <= ENTRY_BYTES => Ok(self.take(len).map(Some)),
            _ => Err("a string is longer than any can be"),
        }
    }
}

/// Reads the header and the number of entries.
pub(super) fn header(bytes: &[u8]) -> Result<Option<(Header, usize)>, ArchiveError> {
    let known = bytes.len().min(MAGIC.len());
    if bytes[..known] != MAGIC[..known] {
        return Err(ArchiveError::NotAnArchive);
    }
    let Some(
        &[
            major,
            minor,
            _revision,
            int_bytes,
            offset_bytes,
            format,
            compression,
        ],
    ) = bytes.get(MAGIC.len()..MAGIC.len() + 7)
    else {
        return Ok(None);
    };
    let version = (major, minor);
    if !(OLDEST..=NEWEST).contains(&version) {
        return Err(ArchiveError::Version(version));
    }
    if format != CUSTOM_FORMAT {
        return Err(ArchiveError::NotAnArchive);
    }
    let widths = 4..=7;
    if !widths.contains(&int_bytes) || !(4..=8).contains(&offset_bytes) {
        return Err(ArchiveError::Damaged {
            at: 8,
            what: "numbers have an impossible width",
        });
    }
    let int_bytes = usize::from(int_bytes);
    // Before 1.15 compression is a number, later one byte: either begins at the same place.
    let start = MAGIC.len() + if minor < 15 { 6 } else { 7 };
    let mut cursor = Cursor::new(&bytes[start..], int_bytes);
    let compressed = if minor < 15 {
        match cursor.int() {
            Some(level) => level != 0,
            None => return Ok(None),
        }
    } else {
        compression != 0
    };
    if compressed {
        return Err(ArchiveError::Compressed);
    }
    let entries = rest_of_header(&mut cursor).map_err(|what| ArchiveError::Damaged {
        at: start as u64,
        what,
    })?;
    Ok(entries.map(|entries| {
        let header = Header {
            version,
            int_bytes,
            offset_bytes: usize::from(offset_bytes),
            entries,
        };
        (header, cursor.used(bytes))
    }))
}

/// When it was made, of which database, by which server and program; then the count of entries.
fn rest_of_header(cursor: &mut Cursor<'_>) -> Read<i64> {
    for _ in 0..7 {
        take!(cursor.int());
    }
    for _ in 0..3 {
        take!(cursor.string()?);
    }
    let entries = take!(cursor.int());
    if (0..=ENTRIES).contains(&entries) {
        Ok(Some(entries))
    } else {
        Err("the number of entries is impossible")
    }
}

/// Reads one entry of the table of contents.
pub(super) fn entry(header: &Header, cursor: &mut Cursor<'_>) -> Read<Entry> {
    let id = take!(cursor.int());
    if id <= 0 {
        return Err("an entry's number is not above zero");
    }
    let has_data = take!(cursor.int()) != 0;
    // Table id, object id, tag, description.
    for _ in 0..4 {
        take!(cursor.string()?);
    }
    take!(cursor.int()); // section
    // Definition, drop statement, copy statement, schema, tablespace, access method.
    for _ in 0..6 {
        take!(cursor.string()?);
    }
    if header.version.1 >= 16 {
        take!(cursor.int()); // kind of relation
    }
    // Owner, and whether it has row ids, which it has not.
    for _ in 0..2 {
        take!(cursor.string()?);
    }
    while take!(cursor.string()?).is_some() {} // what it depends on
    // Where its data is, which whoever writes to a pipe does not know.
    take!(cursor.take(1 + header.offset_bytes));
    Ok(Some(Entry { id, has_data }))
}
