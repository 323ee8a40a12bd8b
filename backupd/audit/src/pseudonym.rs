//! Pseudonyms for addresses: HMAC-SHA-256 under a key of the month, which is destroyed after its
//! time. Then nobody can tell any more whose they were, and the log is as it was.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{
    error::{AuditError, at},
    files,
    month::Month,
};

const AFTER: &str = ".key";

/// So many bytes of it are written: enough that two addresses do not meet.
const SHOWN: usize = 8;

/// Where the keys are.
#[derive(Clone, Debug)]
pub(crate) struct Pseudonyms {
    folder: PathBuf,
}

impl Pseudonyms {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// An address by this month's name for it. The first of a month makes the key.
    pub(crate) fn of(&self, address: &str, now: Timestamp) -> Result<String, AuditError> {
        let month = Month::of(now);
        let path = self.path(month);
        let key = if let Some(key) = read(&path)? {
            key
        } else {
            files::make(&self.folder)?;
            make(&path)?
        };
        Ok(name(month, &key, address))
    }

    /// All names that an address had in months whose key is still there.
    pub(crate) fn all_of(&self, address: &str) -> Result<Vec<String>, AuditError> {
        let mut names = Vec::new();
        for month in self.months()? {
            if let Some(key) = read(&self.path(month))? {
                names.push(name(month, &key, address));
            }
        }
        Ok(names)
    }

    /// Destroys the keys of months that are over for so long.
    pub(crate) fn discard(&self, keep: SignedDuration, now: Timestamp) -> Result<(), AuditError> {
        for month in self.months()? {
            if now.duration_since(month.end()) > keep {
                let path = self.path(month);
                fs::remove_file(&path).map_err(at(&path))?;
            }
        }
        Ok(())
    }

    fn months(&self) -> Result<Vec<Month>, AuditError> {
        let listed = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            listed => listed.map_err(at(&self.folder))?,
        };
        let mut months = Vec::new();
        for found in listed {
            let name = found.map_err(at(&self.folder))?.file_name();
            let month = name.to_str().and_then(|name| name.strip_suffix(AFTER));
            months.extend(month.and_then(|month| month.parse::<Month>().ok()));
        }
        Ok(months)
    }

    fn path(&self, month: Month) -> PathBuf {
        self.folder.join(format!("{month}{AFTER}"))
    }
}

type Key = Zeroizing<Vec<u8>>;

/// A key; one that is not whole is none.
fn read(path: &Path) -> Result<Option<Key>, AuditError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(Zeroizing::new(bytes)).filter(|bytes| bytes.len() == 32)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path)(error)),
    }
}

fn make(path: &Path) -> Result<Key, AuditError> {
    let mut key = Zeroizing::new(vec![0; 32]);
    getrandom::fill(&mut key).map_err(|_| AuditError::Random)?;
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path).map_err(at(path))?;
    if let Some(folder) = path.parent() {
        files::hand_over(&file, folder);
    }
    file.write_all(&key)
        .and_then(|()| file.sync_all())
        .map_err(at(path))?;
    Ok(key)
}

fn name(month: Month, key: &Key, address: &str) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!("any length is a key"));
    mac.update(address.as_bytes());
    let mac = mac.finalize().into_bytes();
    format!("{month}:{}", HEXLOWER.encode(&mac[..SHOWN]))
}
