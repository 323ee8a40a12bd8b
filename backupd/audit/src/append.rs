//! Appending: one line at a time, in one chain, whoever writes.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use backup_model::{AuditEntry, AuditOutcome, Digest};
use jiff::{SignedDuration, Timestamp};

use crate::{
    act::{Act, cut},
    error::{AuditError, at},
    files::{self, Line},
    folder::Folder,
    month::Month,
    pseudonym::Pseudonyms,
};

/// Who keeps the log in order.
const SELF: &str = "backupd";

/// As much of a file's end is read as the longest line takes.
const TAIL: u64 = 64 << 10;

/// More of a file that has no line ends there is not read to find one.
const LARGEST: u64 = 1 << 30;

/// The log in a folder. Nothing is read or written before it is asked to.
#[derive(Clone, Debug)]
pub struct AuditLog {
    pub(crate) folder: PathBuf,
    pub(crate) pseudonyms: Pseudonyms,
    pub(crate) keep: SignedDuration,
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

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts something on record. When this returns, it is durable.
    pub fn record(&self, act: Act, now: Timestamp) -> Result<(), AuditError> {
        let folder = Folder::make(&self.folder)?;
        let _lock = lock(&folder)?;
        let source = act.source.as_deref();
        let source = source
            .map(|address| self.pseudonyms.of(address, now))
            .transpose()?;
        let (file, end) = end(&folder, now)?;
        append(&folder, &file, end, act, source, now)?;
        Ok(())
    }

    /// The digest of the last entry, if there is one.
    pub fn head(&self) -> Result<Option<Digest>, AuditError> {
        let Some((folder, _lock)) = self.at_rest()? else {
            return Ok(None);
        };
        for month in files::months(&folder)?.into_iter().rev() {
            let name = files::name(month);
            let Some(file) = folder.read(&name)? else {
                continue;
            };
            if let (_, Some(last)) = tail(&folder.at(&name), &file)? {
                return Ok(Some(last.digest));
            }
        }
        Ok(None)
    }

    /// Removes what has been kept for long enough, and says so in the log.
    pub fn discard(&self, now: Timestamp) -> Result<(), AuditError> {
        let folder = Folder::make(&self.folder)?;
        let _lock = lock(&folder)?;
        self.pseudonyms.discard(self.keep_pseudonyms, now)?;
        let old = |month: &Month| now.duration_since(month.end()) > self.keep;
        for month in files::months(&folder)?.into_iter().filter(old) {
            let (file, end) = end(&folder, now)?;
            let act = Act::new(SELF, "audit.discard", month.to_string());
            let act = act.came_to(AuditOutcome::Done, None);
            append(&folder, &file, end, act, None, now)?;
            folder.remove(&files::name(month))?;
        }
        Ok(())
    }

    /// The folder while nobody writes, which lasts until the lock is let go of; none if there is
    /// no log.
    pub(crate) fn at_rest(&self) -> Result<Option<(Folder, Option<File>)>, AuditError> {
        let Some(folder) = Folder::find(&self.folder)? else {
            return Ok(None);
        };
        let lock = folder.read(LOCK)?;
        if let Some(lock) = &lock {
            lock.lock_shared().map_err(at(&folder.at(LOCK)))?;
        }
        Ok(Some((folder, lock)))
    }
}

const LOCK: &str = "lock";

/// Keeps others from writing until it is let go of.
fn lock(folder: &Folder) -> Result<File, AuditError> {
    let file = folder.append(LOCK)?;
    file.lock().map_err(at(&folder.at(LOCK)))?;
    Ok(file)
}

/// The file for the next line, and where the chain has come to. A clock that was set back does not
/// go back to an older file. What was never finished is cut off, and the log says so.
fn end(folder: &Folder, now: Timestamp) -> Result<(String, End), AuditError> {
    let months = files::months(folder)?;
    let current = Month::of(now);
    let newest = months
        .last()
        .copied()
        .map_or(current, |last| last.max(current));
    let (mut end, mut torn) = (START, 0);
    for month in months.into_iter().rev() {
        let name = files::name(month);
        let (file, path) = (folder.append(&name)?, folder.at(&name));
        let (whole, last) = tail(&path, &file)?;
        let length = file.metadata().map_err(at(&path))?.len();
        if whole < length {
            torn += length - whole;
            let cut = file.set_len(whole).and_then(|()| file.sync_all());
            cut.map_err(at(&path))?;
        }
        if let Some(last) = last {
            end = End {
                // Of a line that is no entry the number is not known: the check tells of it.
                seq: last.entry.map_or(0, |entry| entry.seq),
                digest: last.digest,
            };
            break;
        }
    }
    let file = files::name(newest);
    if torn > 0 {
        let act = Act::new(SELF, "audit.torn", format!("{torn} bytes"));
        let why = Some("an entry was never finished".to_owned());
        let act = act.came_to(AuditOutcome::Done, why);
        end = append(folder, &file, end, act, None, now)?;
    }
    Ok((file, end))
}

/// How far a file has whole lines, and the last of them.
fn tail(path: &Path, file: &File) -> Result<(u64, Option<Line>), AuditError> {
    let length = file.metadata().map_err(at(path))?.len();
    let (whole, last) = tail_from(path, file, length.saturating_sub(TAIL))?;
    if last.is_none() && length > TAIL {
        return tail_from(path, file, 0);
    }
    Ok((whole, last))
}

fn tail_from(path: &Path, mut file: &File, from: u64) -> Result<(u64, Option<Line>), AuditError> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(from)).map_err(at(path))?;
    (&mut file)
        .take(LARGEST)
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
    folder: &Folder,
    name: &str,
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
    let path = folder.at(name);
    let mut bytes = serde_json::to_vec(&entry).map_err(|error| at(&path)(error.into()))?;
    bytes.push(b'\n');
    let mut file = folder.append(name)?;
    let length = file.metadata().map_err(at(&path))?.len();
    let written = file.write_all(&bytes).and_then(|()| file.sync_data());
    if let Err(error) = written {
        // If even this fails, the next one finds a line that was never finished.
        file.set_len(length).ok();
        return Err(at(&path)(error));
    }
    Ok(End {
        seq: entry.seq,
        digest: files::line(&bytes, 0).digest,
    })
}
