//! The files: one a month, in the order of their names, and the lines in them.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, BufRead as _, BufReader},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, chown, fchown},
    path::{Path, PathBuf},
};

use backup_model::{AuditEntry, Digest};
use sha2::{Digest as _, Sha256};

use crate::{
    error::{AuditError, at},
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

/// The folder, made if it is not there.
pub(crate) fn make(folder: &Path) -> Result<(), AuditError> {
    if folder.is_dir() {
        return Ok(());
    }
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(at(folder))?;
    let parent = folder.parent().and_then(|parent| fs::metadata(parent).ok());
    if let Some(facts) = parent {
        chown(folder, Some(facts.uid()), Some(facts.gid())).ok();
    }
    Ok(())
}

/// Gives a file to whom its folder belongs: what root makes there, the daemon goes on with. Who is
/// not root cannot, and need not.
pub(crate) fn hand_over(file: &File, folder: &Path) {
    let facts = fs::metadata(folder).and_then(|to| Ok((to, file.metadata()?)));
    if let Ok((to, own)) = facts
        && own.uid() != to.uid()
    {
        fchown(file, Some(to.uid()), Some(to.gid())).ok();
    }
}

/// The file of a month.
pub(crate) fn file(folder: &Path, month: Month) -> PathBuf {
    folder.join(format!("{BEFORE}{month}{AFTER}"))
}

/// The months of which there are files, the oldest first.
pub(crate) fn months(folder: &Path) -> Result<Vec<Month>, AuditError> {
    let listed = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.map_err(at(folder))?,
    };
    let mut months = Vec::new();
    for found in listed {
        let name = found.map_err(at(folder))?.file_name();
        let name = name.to_str().and_then(|name| name.strip_prefix(BEFORE));
        let month = name.and_then(|name| name.strip_suffix(AFTER));
        months.extend(month.and_then(|month| month.parse::<Month>().ok()));
    }
    months.sort();
    Ok(months)
}

/// The lines of a file, one after the other.
pub(crate) fn lines(
    path: &Path,
) -> Result<impl Iterator<Item = Result<Line, AuditError>>, AuditError> {
    let mut reader = BufReader::new(File::open(path).map_err(at(path))?);
    let path = path.to_owned();
    let mut number = 0;
    Ok(std::iter::from_fn(move || {
        let mut bytes = Vec::new();
        let mut limited = io::Read::take(&mut reader, LONGEST_LINE);
        match limited.read_until(b'\n', &mut bytes) {
            Err(error) => Some(Err(at(&path)(error))),
            Ok(0) => None,
            Ok(_) => {
                number += 1;
                Some(Ok(line(&bytes, number)))
            }
        }
    }))
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
