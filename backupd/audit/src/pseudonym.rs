//! Pseudonyms for addresses: HMAC-SHA-256 under a key of the month, which is destroyed after its
//! time. Then nobody can tell any more whose they were, and the log is as it was.

use std::{
    io::{Read as _, Write as _},
    path::PathBuf,
};

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{
    error::{AuditError, at},
    folder::Folder,
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
        let folder = Folder::make(&self.folder)?;
        let key = match read(&folder, month)? {
            Some(key) => key,
            None => make(&folder, month)?,
        };
        Ok(name(month, &key, address))
    }

    /// All names that an address had in months whose key is still there.
    pub(crate) fn all_of(&self, address: &str) -> Result<Vec<String>, AuditError> {
        let Some(folder) = Folder::find(&self.folder)? else {
            return Ok(Vec::new());
        };
        let mut names = Vec::new();
        for month in months(&folder)? {
            let key = read(&folder, month)?;
            names.extend(key.map(|key| name(month, &key, address)));
        }
        Ok(names)
    }

    /// Destroys the keys of months that are over for so long.
    pub(crate) fn discard(&self, keep: SignedDuration, now: Timestamp) -> Result<(), AuditError> {
        let Some(folder) = Folder::find(&self.folder)? else {
            return Ok(());
        };
        for month in months(&folder)? {
            if now.duration_since(month.end()) > keep {
                folder.remove(&file(month))?;
            }
        }
        Ok(())
    }
}

type Key = Zeroizing<Vec<u8>>;

fn file(month: Month) -> String {
    format!("{month}{AFTER}")
}

fn months(folder: &Folder) -> Result<Vec<Month>, AuditError> {
    let names = folder.names()?;
    let month = |name: &String| name.strip_suffix(AFTER)?.parse::<Month>().ok();
    Ok(names.iter().filter_map(month).collect())
}

/// A key; one that is not whole is none.
fn read(folder: &Folder, month: Month) -> Result<Option<Key>, AuditError> {
    let name = file(month);
    let Some(mut found) = folder.read(&name)? else {
        return Ok(None);
    };
    let mut key = Zeroizing::new(Vec::new());
    (&mut found)
        .take(64)
        .read_to_end(&mut key)
        .map_err(at(&folder.at(&name)))?;
    Ok(Some(key).filter(|key| key.len() == 32))
}

fn make(folder: &Folder, month: Month) -> Result<Key, AuditError> {
    let mut key = Zeroizing::new(vec![0; 32]);
    getrandom::fill(&mut key).map_err(|_| AuditError::Random)?;
    let name = file(month);
    let mut file = folder.append(&name)?;
    // One that is there was cut by a crash.
    file.set_len(0)
        .and_then(|()| file.write_all(&key))
        .and_then(|()| file.sync_all())
        .map_err(at(&folder.at(&name)))?;
    Ok(key)
}

fn name(month: Month, key: &Key, address: &str) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!("any length is a key"));
    mac.update(address.as_bytes());
    let mac = mac.finalize().into_bytes();
    format!("{month}:{}", HEXLOWER.encode(&mac[..SHOWN]))
}
