//! The files of kits: read, and written where they do no harm.

use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use backup_keys::{
    PrivateFileError,
    kit::{Kit, KitError},
    write_private,
};
use backup_model::{Code, Failure};
use backupd::service::Access;
use secrecy::SecretString;

/// No kit is longer, with the script that it ends in.
const MAX_BYTES: u64 = 1 << 20;

/// Reads a kit. That others can read it is told and forbids nothing: file systems of USB sticks
/// know no owners, and this is no time to be strict.
pub(super) fn read(path: &Path) -> Result<(Kit, Option<Failure>), Failure> {
    let mut bytes = Vec::with_capacity(64 * 1024);
    let read = || -> io::Result<(Vec<u8>, u32)> {
        let file = File::open(path)?;
        let mode = file.metadata()?.mode();
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        Ok((bytes, mode))
    };
    let (bytes, mode) = read().map_err(|error| Failure {
        causes: vec![error.to_string()],
        ..Failure::new(Code::LocalIo, format!("could not read {}", path.display()))
    })?;
    let text = String::from_utf8(bytes).map(SecretString::from);
    // What is no text has no line of a kit, either.
    let text = text.unwrap_or_else(|_| SecretString::from("\0"));
    let kit = Kit::parse(&text).map_err(|error| invalid(path, &error))?;
    let exposed = kit.is_secret() && mode & 0o077 != 0;
    let warning = exposed.then(|| {
        let text = format!(
            "{} holds secrets and can be read by others (mode {:04o})",
            path.display(),
            mode & 0o7777
        );
        Failure::new(Code::IdentityInvalid, text)
    });
    Ok((kit, warning))
}

/// Every line that is wrong, as a cause of its own.
fn invalid(path: &Path, error: &KitError) -> Failure {
    let faults = error.faults.iter();
    Failure {
        causes: faults
            .map(|fault| format!("line {}: {}", fault.line, fault.fault))
            .collect(),
        ..Failure::new(
            Code::KitInvalid,
            format!("{} is not a whole recovery kit", path.display()),
        )
    }
}

/// Writes a secret text to a new file that only its owner can read.
pub(super) fn write(path: &Path, text: &SecretString) -> Result<(), Failure> {
    write_private(path, text).map_err(|error| match &error {
        PrivateFileError::Write { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
            taken(path)
        }
        _ => Failure::from_error(Code::LocalIo, &error),
    })
}

/// Refuses a place where something is, and one where whoever has the backups, or the host, would
/// have the key to them.
pub(super) fn check_place(path: &Path, access: &Access) -> Result<(), Failure> {
    if path.symlink_metadata().is_ok() {
        return Err(taken(path));
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let real = parent.canonicalize().map_err(|error| Failure {
        causes: vec![error.to_string()],
        ..Failure::new(
            Code::LocalIo,
            format!("could not use the folder {}", parent.display()),
        )
    })?;
    let repositories = access.places.iter().filter_map(|place| place.url.folder());
    let forbidden = repositories
        .map(|folder| (folder, "a repository's"))
        .chain([(access.state.as_path(), "this host's state")]);
    for (folder, whose) in forbidden {
        let folder = folder
            .canonicalize()
            .unwrap_or_else(|_| PathBuf::from(folder));
        if real.starts_with(&folder) {
            let text = format!(
                "{} is in {whose} folder {}, where a key to the backups must not be",
                path.display(),
                folder.display()
            );
            return Err(Failure::new(Code::TargetRefused, text));
        }
    }
    Ok(())
}

fn taken(path: &Path) -> Failure {
    let text = format!("{} is there already", path.display());
    Failure::new(Code::TargetNotEmpty, text)
}
