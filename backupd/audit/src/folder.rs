//! The folder, safe to use for root although it belongs to somebody else: nothing in it is followed
//! elsewhere, and nothing is given away that was not made here.

use std::{
    fs::File,
    io,
    os::{
        fd::OwnedFd,
        unix::fs::{MetadataExt as _, fchown},
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, Dir, Mode, OFlags, mkdir, open, openat, unlinkat},
    io::Errno,
};

use crate::error::{AuditError, at};

/// Nothing is followed, and nothing waits for somebody at the other end of a pipe.
const SAFELY: OFlags = OFlags::NOFOLLOW
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

/// An open folder of plain files.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    open: File,
}

impl Folder {
    /// The folder; none if it is not there.
    pub(crate) fn find(path: &Path) -> Result<Option<Self>, AuditError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | SAFELY;
        match open(path, flags, Mode::empty()) {
            Ok(folder) => Ok(Some(Self {
                path: path.to_owned(),
                open: File::from(folder),
            })),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(at(path)(error.into())),
        }
    }

    /// The folder, made if it is not there; then it belongs to whom the one around it does.
    pub(crate) fn make(path: &Path) -> Result<Self, AuditError> {
        if let Some(folder) = Self::find(path)? {
            return Ok(folder);
        }
        let around = path.parent().unwrap_or(path);
        std::fs::create_dir_all(around).map_err(at(around))?;
        match mkdir(path, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(at(path)(error.into())),
        }
        let gone = || at(path)(io::ErrorKind::NotFound.into());
        let folder = Self::find(path)?.ok_or_else(gone)?;
        if let Ok(to) = std::fs::metadata(around) {
            hand_over(&folder.open, to.uid(), to.gid());
        }
        Ok(folder)
    }

    /// Where a file is, for messages.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The names of all that is in it.
    pub(crate) fn names(&self) -> Result<Vec<String>, AuditError> {
        let fail = |error: Errno| at(&self.path)(error.into());
        let mut names = Vec::new();
        for found in Dir::read_from(&self.open).map_err(fail)? {
            let name = found.map_err(fail)?.file_name().to_owned();
            names.extend(name.into_string().ok());
        }
        Ok(names)
    }

    /// A file to read; none if it is not there.
    pub(crate) fn read(&self, name: &str) -> Result<Option<File>, AuditError> {
        match openat(&self.open, name, OFlags::RDONLY | SAFELY, Mode::empty()) {
            Ok(file) => self.plain(name, file).map(Some),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(at(&self.at(name))(error.into())),
        }
    }

    /// A file to read and to append to, made if it is not there.
    pub(crate) fn append(&self, name: &str) -> Result<File, AuditError> {
        let flags = OFlags::RDWR | OFlags::APPEND | SAFELY;
        let made = openat(
            &self.open,
            name,
            flags | OFlags::CREATE | OFlags::EXCL,
            PRIVATE,
        );
        let opened = match made {
            Ok(file) => {
                let file = File::from(file);
                // What root makes here, the one whose folder it is goes on with.
                let to = self.open.metadata().map_err(at(&self.path))?;
                hand_over(&file, to.uid(), to.gid());
                return Ok(file);
            }
            Err(Errno::EXIST) => openat(&self.open, name, flags, Mode::empty()),
            Err(error) => Err(error),
        };
        let fail = |error: Errno| at(&self.at(name))(error.into());
        self.plain(name, opened.map_err(fail)?)
    }

    /// Removes a file.
    pub(crate) fn remove(&self, name: &str) -> Result<(), AuditError> {
        let fail = |error: Errno| at(&self.at(name))(error.into());
        unlinkat(&self.open, name, AtFlags::empty()).map_err(fail)
    }

    /// A plain file that has no other name: one with another is somebody else's, too.
    fn plain(&self, name: &str, file: OwnedFd) -> Result<File, AuditError> {
        let (path, file) = (self.at(name), File::from(file));
        let facts = file.metadata().map_err(at(&path))?;
        if facts.is_file() && facts.nlink() == 1 {
            return Ok(file);
        }
        let why = io::Error::other("it is not a plain file with one name");
        Err(at(&path)(why))
    }
}

/// Gives away what was just made. Only root can, and nobody else needs to.
fn hand_over(made: &File, uid: u32, gid: u32) {
    if made.metadata().is_ok_and(|own| own.uid() != uid) {
        fchown(made, Some(uid), Some(gid)).ok();
    }
}
