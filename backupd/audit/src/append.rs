//! Appending: one line at a time, in one chain, whoever writes.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use backup_model::{AuditEntry, AuditOutcome, Digest};
use jiff::{SignedDuration, Timestamp};

use crate::{
    act::{Act, cut},
    error::{AuditError, at},
    files::{self, Line},
    month::Month,
    pseudonym::Pseudonyms,
};

/// Who keeps the log in order.
const SELF: &str = "backupd";

/// As much of a file's end is read as the longest line takes.
const TAIL: u64 = 64 << 10;

/// The log in a folder. Nothing is read or written before it is asked to.
#[derive(Clone, Debug)]
pub struct AuditLog {
    pub(crate) folder: PathBuf,
    pub(crate) pseudonyms: Pseudonyms,
    keep: SignedDuration,
    keep_pseudonyms: SignedDuration,
}

/// Where the chain has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct End {
    seq: u64,
    digest: Digest,
}

const START: End = End {
    seq: 0,
    digest: Digest([0; 32]),
};

impl AuditLog {
    /// A log in this folder, with the keys of its pseudonyms in another; how long entries and
    /// keys are kept.
    pub fn new(folder: PathBuf, keys: PathBuf, keep: Duration, keep_pseudonyms: Duration) -> Self {
        Self {
            folder,
            pseudonyms: Pseudonyms::new(keys),
            keep: SignedDuration::try_from(keep).unwrap_or(SignedDuration::MAX),
            keep_pseudonyms: SignedDuration::try_from(keep_pseudonyms)
                .unwrap_or(SignedDuration::MAX),
        }
    }

    /// Its files, the oldest first.
    pub fn files(&self) -> Result<Vec<PathBuf>, AuditError> {
        let months = files::months(&self.folder)?.into_iter();
        Ok(months
            .map(|month| files::file(&self.folder, month))
            .collect())
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts something on record. When this returns, it is durable.
    pub fn record(&self, act: Act, now: Timestamp) -> Result<(), AuditError> {
        let _lock = self.lock()?;
        let source = act.source.as_deref();
        let source = source
            .map(|address| self.pseudonyms.of(address, now))
            .transpose()?;
        let (file, end) = self.end(now)?;
        append(&file, end, act, source, now)?;
        Ok(())
    }

    /// The digest of the last entry, if there is one.
    pub fn head(&self) -> Result<Option<Digest>, AuditError> {
        let _lock = self.lock()?;
        for month in files::months(&self.folder)?.into_iter().rev() {
            let path = files::file(&self.folder, month);
            let file = File::open(&path).map_err(at(&path))?;
            if let (_, Some(last)) = tail(&path, &file)? {
                return Ok(Some(last.digest));
            }
        }
        Ok(None)
    }

    /// Removes what has been kept for long enough, and says so in the log.
    pub fn discard(&self, now: Timestamp) -> Result<(), AuditError> {
        let _lock = self.lock()?;
        self.pseudonyms.discard(self.keep_pseudonyms, now)?;
        let old = |month: &Month| now.duration_since(month.end()) > self.keep;
        for month in files::months(&self.folder)?.into_iter().filter(old) {
            let (file, end) = self.end(now)?;
            let act = Act::new(SELF, "audit.discard", month.to_string());
            append(&file, end, act.came_to(AuditOutcome::Done, None), None, now)?;
            let path = files::file(&self.folder, month);
            fs::remove_file(&path).map_err(at(&path))?;
        }
        Ok(())
    }

    /// Keeps others from writing until it is let go of.
    fn lock(&self) -> Result<File, AuditError> {
        files::make(&self.folder)?;
        let path = self.folder.join("lock");
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(&path).map_err(at(&path))?;
        files::hand_over(&file, &self.folder);
        file.lock().map_err(at(&path))?;
        Ok(file)
    }

    /// The file for the next line, and where the chain has come to. A clock that was set back does
    /// not go back to an older file.
    fn end(&self, now: Timestamp) -> Result<(PathBuf, End), AuditError> {
        let months = files::months(&self.folder)?;
        let month = months.last().copied().max(Some(Month::of(now)));
        let file = files::file(&self.folder, month.unwrap_or_else(|| Month::of(now)));
        for month in months.into_iter().rev() {
            let path = files::file(&self.folder, month);
            if let Some(end) = end_of(&path, now)? {
                return Ok((file, end));
            }
        }
        Ok((file, START))
    }
}

/// Where the chain has come to in a file; none if it has no line. What was never finished is
/// cut off, and the log says so.
fn end_of(path: &Path, now: Timestamp) -> Result<Option<End>, AuditError> {
    let mut options = OpenOptions::new();
    let file = options
        .read(true)
        .write(true)
        .open(path)
        .map_err(at(path))?;
    let (whole, last) = tail(path, &file)?;
    let length = file.metadata().map_err(at(path))?.len();
    let end = last.map(|last| End {
        // Of a line that is no entry the number is not known: the check tells of it.
        seq: last.entry.map_or(0, |entry| entry.seq),
        digest: last.digest,
    });
    if whole == length {
        return Ok(end);
    }
    file.set_len(whole)
        .and_then(|()| file.sync_all())
        .map_err(at(path))?;
    let act = Act::new(SELF, "audit.torn", format!("{} bytes", length - whole));
    let act = act.came_to(
        AuditOutcome::Done,
        Some("an entry was never finished".to_owned()),
    );
    append(path, end.unwrap_or(START), act, None, now).map(Some)
}

/// How far a file has whole lines, and the last of them.
fn tail(path: &Path, mut file: &File) -> Result<(u64, Option<Line>), AuditError> {
    let length = file.metadata().map_err(at(path))?.len();
    let from = length.saturating_sub(TAIL);
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(from)).map_err(at(path))?;
    (&mut file)
        .take(TAIL)
        .read_to_end(&mut bytes)
        .map_err(at(path))?;
    let Some(feed) = bytes.iter().rposition(|&byte| byte == b'\n') else {
        return Ok((from, None));
    };
    let begins = bytes[..feed].iter().rposition(|&byte| byte == b'\n');
    let last = &bytes[begins.map_or(0, |before| before + 1)..=feed];
    Ok((from + feed as u64 + 1, Some(files::line(last, 0))))
}

/// Writes one line, or nothing.
fn append(
    path: &Path,
    end: End,
    act: Act,
    source: Option<String>,
    now: Timestamp,
) -> Result<End, AuditError> {
    let entry = AuditEntry {
        seq: end.seq + 1,
        time: now,
        actor: cut(act.actor),
        action: cut(act.action),
        object: cut(act.object),
        outcome: act.outcome,
        details: act.details.map(cut),
        session: act.session.map(cut),
        client: act.client.map(cut),
        source,
        prev: end.digest,
    };
    let mut bytes = serde_json::to_vec(&entry).map_err(|error| at(path)(error.into()))?;
    bytes.push(b'\n');
    let mut options = OpenOptions::new();
    let options = options.append(true).create(true).mode(0o600);
    let mut file = options.open(path).map_err(at(path))?;
    if let Some(folder) = path.parent() {
        files::hand_over(&file, folder);
    }
    let length = file.metadata().map_err(at(path))?.len();
    let written = file.write_all(&bytes).and_then(|()| file.sync_data());
    if let Err(error) = written {
        // If even this fails, the next one finds a line that was never finished.
        file.set_len(length).ok();
        return Err(at(path)(error));
    }
    Ok(End {
        seq: entry.seq,
        digest: files::line(&bytes, 0).digest,
    })
}
