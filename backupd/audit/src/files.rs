//! The files: one a month, in the order of their names, and the lines in them.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader},
    path::Path,
};

use backup_model::{AuditEntry, Digest};
use sha2::{Digest as _, Sha256};

use crate::{
    error::{AuditError, at},
    folder::Folder,
    month::Month,
};

const BEFORE: &str = "audit-";
const AFTER: &str = ".jsonl";

/// The longest line; ours are a tenth of it.
const LONGEST_LINE: u64 = 64 << 10;

/// A line as it lies there.
#[derive(Debug)]
pub(crate) struct Line {
    /// Its digest, with its line feed.
    pub(crate) digest: Digest,
    /// Its number in its file, from 1 on.
    pub(crate) number: u64,
    /// What it says, if it is an entry.
    pub(crate) entry: Option<AuditEntry>,
}

/// The name of a month's file.
pub(crate) fn name(month: Month) -> String {
    format!("{BEFORE}{month}{AFTER}")
}

/// The months of which there are files, the oldest first.
pub(crate) fn months(folder: &Folder) -> Result<Vec<Month>, AuditError> {
    let names = folder.names()?;
    let month = |name: &String| {
        let month = name.strip_prefix(BEFORE)?.strip_suffix(AFTER)?;
        month.parse::<Month>().ok()
    };
    let mut months: Vec<Month> = names.iter().filter_map(month).collect();
    months.sort();
    Ok(months)
}

/// The lines of a file, one after the other.
pub(crate) fn lines(path: &Path, file: File) -> impl Iterator<Item = Result<Line, AuditError>> {
    let mut reader = BufReader::new(file);
    let mut number = 0;
    std::iter::from_fn(move || {
        let mut bytes = Vec::new();
        let mut limited = io::Read::take(&mut reader, LONGEST_LINE);
        match limited.read_until(b'\n', &mut bytes) {
            Err(error) => Some(Err(at(path)(error))),
            Ok(0) => None,
            Ok(_) => {
                number += 1;
                Some(Ok(line(&bytes, number)))
            }
        }
    })
}

/// What a line is. One without a line feed was never finished.
pub(crate) fn line(bytes: &[u8], number: u64) -> Line {
    let text = bytes.strip_suffix(b"\n");
    Line {
        digest: Digest(Sha256::digest(bytes).into()),
        number,
        entry: text.and_then(|text| serde_json::from_slice(text).ok()),
    }
}
