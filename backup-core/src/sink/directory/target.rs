//! The target: what speaks against it, its quarantine folder, and the step that publishes it.

use std::{
    ffi::OsString,
    fs,
    io::{self, Read},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use backup_model::{Code, Failure};
use rustix::{
    fs::{
        Access, AtFlags, CWD, FileType, Mode, OFlags, Stat, accessat, fchmod, fchown, fsync,
        mkdirat, open, openat, renameat, statat, statvfs, syncfs,
    },
    io::Errno,
};
use tokio_util::sync::CancellationToken;

use super::{
    error::{DirectoryError, failed},
    extract::{ExtractOptions, Extracted, Renames, extract},
    tree::Tree,
};

/// A folder that is to be made, or an empty one that is to be filled.
#[derive(Clone, Debug)]
pub struct DirectoryTarget {
    pub(super) path: PathBuf,
    pub(super) parent: PathBuf,
    pub(super) name: OsString,
    /// The name of the quarantine folder.
    partial: OsString,
}

impl DirectoryTarget {
    /// A target at an absolute path.
    pub fn new(path: &Path) -> Result<Self, DirectoryError> {
        let (Some(parent), Some(name), true) =
            (path.parent(), path.file_name(), path.is_absolute())
        else {
            return Err(DirectoryError::Target {
                path: path.to_owned(),
            });
        };
        let mut partial = OsString::from(".");
        partial.push(name);
        partial.push(".partial");
        Ok(Self {
            path: path.to_owned(),
            parent: parent.to_owned(),
            name: name.to_owned(),
            partial,
        })
    }

    /// What speaks against restoring there, and the free bytes there if they can be asked.
    pub fn preflight(&self, needed_bytes: u64) -> (Vec<Failure>, Option<u64>) {
        self.preflight_with(needed_bytes, |parent| self.check_free(parent).map(|_| ()))
    }

    /// The same, with what else must hold of the target in its parent folder.
    pub(super) fn preflight_with(
        &self,
        needed_bytes: u64,
        check: impl FnOnce(&OwnedFd) -> Result<(), DirectoryError>,
    ) -> (Vec<Failure>, Option<u64>) {
        let mut obstacles = Vec::new();
        let mut note =
            |error: &DirectoryError| obstacles.push(Failure::from_error(error.code(), error));
        let parent = match self.open_parent() {
            Ok(parent) => parent,
            Err(error) => {
                note(&error);
                return (obstacles, None);
            }
        };
        if let Err(error) = check(&parent) {
            note(&error);
        }
        let partial = statat(&parent, &self.partial, AtFlags::SYMLINK_NOFOLLOW);
        if partial.is_ok() {
            note(&self.left_over());
        }
        let writable = accessat(
            CWD,
            &self.parent,
            Access::WRITE_OK | Access::EXEC_OK,
            AtFlags::EACCESS,
        );
        if let Err(error) = writable {
            note(&failed("write to", &self.parent)(error));
        }
        let free = statvfs(&self.parent).ok();
        let free = free.map(|facts| facts.f_bavail.saturating_mul(facts.f_frsize));
        if let Some(free) = free.filter(|&free| free < needed_bytes) {
            let text = format!(
                "{needed_bytes} bytes are needed in `{}`, {free} are free",
                self.parent.display()
            );
            obstacles.push(Failure::new(Code::NoSpace, text));
        }
        (obstacles, free)
    }

    /// Makes the quarantine folder.
    pub fn begin(&self) -> Result<Extraction, DirectoryError> {
        let parent = self.open_parent()?;
        let before = self.check_free(&parent)?;
        self.quarantine(parent, before)
    }

    pub(super) fn quarantine(
        &self,
        parent: OwnedFd,
        before: Option<Stat>,
    ) -> Result<Extraction, DirectoryError> {
        let shown = self.parent.join(&self.partial);
        match mkdirat(&parent, &self.partial, Mode::RWXU) {
            Ok(()) => {}
            Err(Errno::EXIST) => return Err(self.left_over()),
            Err(error) => return Err(failed("make", shown)(error)),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let root =
            openat(&parent, &self.partial, flags, Mode::empty()).map_err(failed("open", &shown))?;
        Ok(Extraction {
            target: self.clone(),
            parent,
            tree: Tree::new(root),
            before,
            shown,
            there: true,
        })
    }

    pub(super) fn open_parent(&self) -> Result<OwnedFd, DirectoryError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        open(&self.parent, flags, Mode::empty()).map_err(failed("open", &self.parent))
    }

    /// The name must be free, or an empty folder's, whose facts are the result.
    fn check_free(&self, parent: &OwnedFd) -> Result<Option<Stat>, DirectoryError> {
        let stat = match statat(parent, &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(failed("look at", &self.path)(error)),
        };
        let path = self.path.clone();
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind == FileType::Symlink {
            return Err(DirectoryError::Link { path });
        }
        if kind != FileType::Directory {
            return Err(DirectoryError::NotEmpty { path });
        }
        let mut names = fs::read_dir(&path).map_err(failed("list", &path))?;
        if names.next().is_some() {
            return Err(DirectoryError::NotEmpty { path });
        }
        Ok(Some(stat))
    }

    fn left_over(&self) -> DirectoryError {
        DirectoryError::LeftOver {
            path: self.parent.join(&self.partial),
        }
    }
}

/// A restore in its quarantine folder. Dropped, it removes the folder as well as it can.
#[derive(Debug)]
pub struct Extraction {
    pub(super) target: DirectoryTarget,
    pub(super) parent: OwnedFd,
    pub(super) tree: Tree,
    /// The empty folder that is to be replaced.
    before: Option<Stat>,
    pub(super) shown: PathBuf,
    /// Whether the quarantine folder is still there.
    there: bool,
}

impl Extraction {
    /// Makes what a tar holds. Reads it to its end, unless it cannot be read or written, or the
    /// caller cancels.
    pub fn extract(
        &mut self,
        tar: &mut dyn Read,
        options: ExtractOptions,
        cancel: &CancellationToken,
    ) -> Result<Extracted, DirectoryError> {
        self.extract_renamed(tar, options, &Renames::new(), cancel)
    }

    /// The same, with other names for some files.
    pub fn extract_renamed(
        &mut self,
        tar: &mut dyn Read,
        options: ExtractOptions,
        renames: &Renames,
        cancel: &CancellationToken,
    ) -> Result<Extracted, DirectoryError> {
        let how = (options, renames);
        extract(&mut self.tree, &self.shown, tar, how, cancel)
    }

    /// Brings everything to disk, then gives the folder its name.
    ///
    /// The whole file system is synchronised in one go: that covers every file and folder, whatever
    /// its mode, and does not wait for each of them.
    pub fn publish(mut self) -> Result<PathBuf, DirectoryError> {
        let path = self.target.path.clone();
        let root = self.tree.root();
        if let Some(before) = &self.before {
            let owner = (
                rustix::fs::Uid::from_raw(before.st_uid),
                rustix::fs::Gid::from_raw(before.st_gid),
            );
            fchown(root, Some(owner.0), Some(owner.1))
                .map_err(failed("set owner of", &self.shown))?;
            fchmod(root, Mode::from_raw_mode(before.st_mode & 0o7777))
                .map_err(failed("set mode of", &self.shown))?;
        }
        syncfs(root).map_err(failed("bring to disk", &self.shown))?;
        match renameat(
            &self.parent,
            &self.target.partial,
            &self.parent,
            &self.target.name,
        ) {
            Ok(()) => self.there = false,
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => {
                return Err(DirectoryError::NotEmpty { path });
            }
            Err(error) => return Err(failed("publish", path)(error)),
        }
        fsync(&self.parent).map_err(failed("bring to disk", &self.target.parent))?;
        Ok(path)
    }

    /// Removes the quarantine folder with everything in it.
    pub fn abandon(mut self) -> Result<(), DirectoryError> {
        self.remove().map_err(failed("remove", &self.shown))
    }

    fn remove(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.there) {
            return Ok(());
        }
        self.tree.unlock();
        fs::remove_dir_all(&self.shown)
    }
}

impl Drop for Extraction {
    fn drop(&mut self) {
        // Nobody is left to be told; the next restore to this target will say that it is there.
        drop(self.remove());
    }
}
