//! Files that hold secrets: written for their owner only, and refused when others can read them.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

/// No key file is longer.
const MAX_BYTES: u64 = 64 * 1024;

/// What goes wrong with a private file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateFileError {
    /// It cannot be read.
    #[error("could not read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be written, or is there already.
    #[error("could not write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Group or others have access.
    #[error("{} can be read by others (mode {mode:04o})", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A link, folder or device, too long, or not text.
    #[error("{} is {what}, not a key file", path.display())]
    NotAKeyFile {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: &'static str,
    },
}

/// Reads a secret from a regular file that nobody but its owner can read.
pub fn read_private(path: &Path) -> Result<SecretString, PrivateFileError> {
    let bytes = read_private_bytes(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| PrivateFileError::NotAKeyFile {
        path: path.to_owned(),
        what: "no text",
    })?;
    Ok(SecretString::from(text))
}

/// The same for one that need not be text: an encrypted identity file, for example.
pub fn read_private_bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>, PrivateFileError> {
    let read = |source| PrivateFileError::Read {
        path: path.to_owned(),
        source,
    };
    let not = |what| PrivateFileError::NotAKeyFile {
        path: path.to_owned(),
        what,
    };
    if path.symlink_metadata().map_err(read)?.is_symlink() {
        return Err(not("a symbolic link"));
    }
    let file = File::open(path).map_err(read)?;
    // Asked of the open file: what is read is what was checked.
    let meta = file.metadata().map_err(read)?;
    if !meta.is_file() {
        return Err(not("no regular file"));
    }
    if meta.mode() & 0o077 != 0 {
        return Err(PrivateFileError::Exposed {
            path: path.to_owned(),
            mode: meta.mode() & 0o7777,
        });
    }
    if meta.len() > MAX_BYTES {
        return Err(not("too long"));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(64 * 1024));
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(read)?;
    Ok(bytes)
}

/// Writes a secret to a new file that only its owner can read, and makes it durable.
pub fn write_private(path: &Path, secret: &SecretString) -> Result<(), PrivateFileError> {
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(secret.expose_secret().as_bytes())?;
        file.sync_all()?;
        path.parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .map_or(Ok(()), |parent| File::open(parent)?.sync_all())
    };
    write().map_err(|source| PrivateFileError::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn only_a_private_regular_file_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        write_private(&path, &"secret".into()).unwrap();
        assert_eq!(read_private(&path).unwrap().expose_secret(), "secret");
        assert!(matches!(
            write_private(&path, &"again".into()),
            Err(PrivateFileError::Write { .. })
        ));
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(
            read_private(&link),
            Err(PrivateFileError::NotAKeyFile { .. })
        ));
        assert!(matches!(
            read_private(dir.path()),
            Err(PrivateFileError::NotAKeyFile { .. })
        ));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            read_private(&path),
            Err(PrivateFileError::Exposed { mode: 0o640, .. })
        ));
    }
}
