//! The file of tokens below the state folder: digests of secrets, readable by the daemon alone,
//! replaced whole.

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use backup_model::{Code, Digest, Failure};
use backupd_api::TokenInfo;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

const VERSION: u32 = 1;

/// A token as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    pub(super) info: TokenInfo,
    pub(super) secret: Digest,
    /// A former secret, and until when it counts.
    pub(super) former: Option<(Digest, Timestamp)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    version: u32,
    tokens: Vec<Kept>,
}

/// What is kept; nothing if there is no file.
pub(super) fn read(path: &Path) -> Result<Vec<Kept>, Failure> {
    let refuse = |why: &str| {
        let text = format!("the tokens in {} cannot be used", path.display());
        Failure {
            causes: vec![why.to_owned()],
            ..Failure::new(Code::LocalIo, text)
        }
    };
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        found => found.map_err(|error| refuse(&error.to_string()))?,
    };
    if !found.is_file() || found.uid() != rustix::process::geteuid().as_raw() {
        return Err(refuse("it is not a file of the daemon's own user"));
    }
    if found.permissions().mode() & 0o077 != 0 {
        return Err(refuse("others can read it: its mode must be 0600"));
    }
    let text = fs::read(path).map_err(|error| refuse(&error.to_string()))?;
    let whole: Whole = serde_json::from_slice(&text).map_err(|error| refuse(&error.to_string()))?;
    if whole.version != VERSION {
        return Err(refuse("it is of another version"));
    }
    Ok(whole.tokens)
}

/// Replaces what is kept.
pub(super) fn write(path: &Path, tokens: &[Kept]) -> Result<(), Failure> {
    let failed = |error: &(dyn std::error::Error + 'static)| {
        let cause = Failure::from_error(Code::LocalIo, error);
        let text = format!("cannot write {}", path.display());
        Failure {
            causes: vec![cause.message],
            ..Failure::new(Code::LocalIo, text)
        }
    };
    let whole = Whole {
        version: VERSION,
        tokens: tokens.to_vec(),
    };
    let text = serde_json::to_vec(&whole).map_err(|error| failed(&error))?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let write = || -> io::Result<()> {
        // Made with mode 0600.
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(&text)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        fs::File::open(folder)?.sync_all()
    };
    write().map_err(|error| failed(&error))
}
