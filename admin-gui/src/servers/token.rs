//! Files of tokens: their owner's alone, and refused when others can read them.

use std::{
    fs::{self, File, Permissions},
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::{
    ServersError,
    stored::{make_folder, write_whole},
};

/// Where they lie, beside the list.
pub(super) const FOLDER: &str = "tokens";
/// No token is longer.
const ROOM: u64 = 4096;

/// Why a token cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Its file cannot be read.
    #[error("could not read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others can read it.
    #[error("{} holds a token and can be read by others (mode {mode:04o})", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

/// Reads a token from a file that nobody but its owner can read.
pub fn read_token(path: &Path) -> Result<SecretString, TokenError> {
    let read = |source| TokenError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(read)?;
    // Asked of the open file: what is read is what was checked.
    let mode = file.metadata().map_err(read)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        let path = path.to_owned();
        return Err(TokenError::Exposed { path, mode });
    }
    let mut text = Zeroizing::new(String::with_capacity(2 * ROOM as usize));
    file.take(ROOM).read_to_string(&mut text).map_err(read)?;
    Ok(SecretString::from(text.trim()))
}

/// Writes a token into a new file; gives where, from the folder of the list.
pub(super) fn write(folder: &Path, token: &SecretString) -> Result<PathBuf, ServersError> {
    make_folder(folder)?;
    let tokens = folder.join(FOLDER);
    make_folder(&tokens)?;
    let refused = |source| ServersError::Write {
        path: tokens.clone(),
        source,
    };
    fs::set_permissions(&tokens, Permissions::from_mode(0o700)).map_err(refused)?;
    // A name of its own, which says nothing: those that people give may be no file names.
    let name = (1_u32..).map(|number| format!("{number}.token"));
    let name = name.take(10_000).find(|name| !tokens.join(name).exists());
    let full = || refused(io::Error::from(io::ErrorKind::StorageFull));
    let name = name.ok_or_else(full)?;
    write_whole(&tokens, &name, token.expose_secret().as_bytes())?;
    Ok(Path::new(FOLDER).join(name))
}

/// Deletes a token's file; that it is gone already is as good.
pub(super) fn delete(folder: &Path, file: &Path) -> Result<(), ServersError> {
    let path = folder.join(file);
    match fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(ServersError::Write { path, source })
        }
        _ => Ok(()),
    }
}
