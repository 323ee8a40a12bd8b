//! In place: what was extracted takes the name of what is there, which is kept beside it.
//!
//! The new tree first gets the name under which the old one will be kept, and then the two
//! exchange their names in one step. So the root's name is never empty, and the old tree is never
//! under the quarantine's name, which whoever finds it left over may remove: a crash in between
//! leaves the old tree where it was, and the new one beside it.

use std::{
    ffi::OsString,
    fs, io,
    os::{
        fd::OwnedFd,
        unix::ffi::{OsStrExt as _, OsStringExt as _},
    },
    path::{Path, PathBuf},
};

use backup_model::Failure;
use rustix::{
    fs::{
        AtFlags, FileType, RenameFlags, StatxAttributes, StatxFlags, fstat, fsync, renameat_with,
        statat, statx, syncfs,
    },
    io::Errno,
};

use super::{
    error::{DirectoryError, failed},
    target::{DirectoryTarget, Extraction},
};

/// A root of a snapshot as a target: a folder or file that may be there.
#[derive(Clone, Debug)]
pub struct InPlace {
    target: DirectoryTarget,
    /// The name under which what is there is kept.
    kept: OsString,
}

/// What is at a root now, and what was there before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swapped {
    /// The root.
    pub path: PathBuf,
    /// Where that which was there is kept.
    pub kept_as: Option<PathBuf>,
}

impl InPlace {
    /// A root, with a word for the name of what is kept: `<name>.before-<stamp>`.
    pub fn new(root: &Path, stamp: &str) -> Result<Self, DirectoryError> {
        let mut target = DirectoryTarget::new(root)?;
        // Without a slash at its end, as the archive names it.
        target.path = target.parent.join(&target.name);
        let mut kept = target.name.clone();
        kept.push(format!(".before-{stamp}"));
        Ok(Self { target, kept })
    }

    /// Where that which is there would be kept; `None` if nothing is there.
    pub fn kept_as(&self) -> Option<PathBuf> {
        let there = self.target.path.symlink_metadata().is_ok();
        there.then(|| self.target.parent.join(&self.kept))
    }

    /// What speaks against replacing it, and the free bytes there if they can be asked.
    pub fn preflight(&self, needed_bytes: u64) -> (Vec<Failure>, Option<u64>) {
        let check = |parent: &OwnedFd| self.check(parent).map(|_| ());
        self.target.preflight_with(needed_bytes, check)
    }

    /// Makes the quarantine folder.
    pub fn begin(&self) -> Result<Replacement, DirectoryError> {
        let parent = self.target.open_parent()?;
        let there = self.check(&parent)?;
        Ok(Replacement {
            extraction: self.target.quarantine(parent, None)?,
            kept: there.then(|| self.kept.clone()),
        })
    }

    /// Whether something is there, which must be replaceable.
    fn check(&self, parent: &OwnedFd) -> Result<bool, DirectoryError> {
        let (target, flags) = (&self.target, AtFlags::SYMLINK_NOFOLLOW);
        let path = || target.path.clone();
        let stat = match statat(parent, &target.name, flags) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(false),
            Err(error) => return Err(failed("look at", path())(error)),
        };
        if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
            return Err(DirectoryError::Link { path: path() });
        }
        let above = fstat(parent).map_err(failed("look at", &target.parent))?;
        // A folder of the same file system can be mounted, too; older kernels do not tell.
        let about = statx(parent, &target.name, flags, StatxFlags::TYPE);
        let mounted =
            about.is_ok_and(|about| about.stx_attributes.contains(StatxAttributes::MOUNT_ROOT));
        if stat.st_dev != above.st_dev || mounted {
            return Err(DirectoryError::MountPoint { path: path() });
        }
        if let Some(path) =
            mounted_beneath(&path()).map_err(failed("look for mounts in", path()))?
        {
            return Err(DirectoryError::MountPoint { path });
        }
        match statat(parent, &self.kept, flags) {
            Err(Errno::NOENT) => Ok(true),
            Ok(_) => Err(DirectoryError::KeptTaken {
                path: target.parent.join(&self.kept),
            }),
            Err(error) => Err(failed("look at", target.parent.join(&self.kept))(error)),
        }
    }
}

/// A mount beneath a root. It would go along with the old tree, so that whoever throws that away
/// would empty it, and the new tree would be without it.
fn mounted_beneath(root: &Path) -> io::Result<Option<PathBuf>> {
    let root = fs::canonicalize(root)?;
    let mounts = fs::read("/proc/self/mountinfo")?;
    let points = mounts.split(|&byte| byte == b'\n').filter_map(|line| {
        let point = line.split(|&byte| byte == b' ').nth(4)?;
        Some(PathBuf::from(OsString::from_vec(unescaped(point))))
    });
    let mut beneath = points.filter(|point| *point != root && point.starts_with(&root));
    Ok(beneath.next())
}

/// The kernel writes blanks and backslashes as three octal digits.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let octal = after.get(..3).filter(|_| *first == b'\\');
        let octal = octal.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            bytes.push(byte);
            rest = &after[3..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    bytes
}

/// What will take the place of a root, in its quarantine folder. Dropped, it removes that folder.
#[derive(Debug)]
pub struct Replacement {
    extraction: Extraction,
    /// The name for what is there.
    kept: Option<OsString>,
}

impl Replacement {
    /// Where the tar goes.
    pub fn extraction(&mut self) -> &mut Extraction {
        &mut self.extraction
    }

    /// Brings everything to disk. A swap comes after it, and takes no time.
    pub fn settle(&self) -> Result<(), DirectoryError> {
        let root = self.extraction.tree.root();
        syncfs(root).map_err(failed("bring to disk", &self.extraction.shown))
    }

    /// Gives the root's name to what was extracted, and keeps what is there.
    pub fn swap(self) -> Result<Swapped, DirectoryError> {
        let Extraction {
            target,
            parent,
            tree,
            ..
        } = &self.extraction;
        let path = target.path.clone();
        // As the archive names it: from the file system's root on.
        let bytes = path.as_os_str().as_bytes();
        let inside = Path::new(std::ffi::OsStr::from_bytes(&bytes[1..]));
        let alone = RenameFlags::NOREPLACE;
        let kept_as = match &self.kept {
            None => {
                let published = renameat_with(tree.root(), inside, parent, &target.name, alone);
                published.map_err(|error| match error {
                    Errno::EXIST => DirectoryError::NotEmpty { path: path.clone() },
                    error => failed("publish", &path)(error),
                })?;
                None
            }
            Some(kept) => {
                let kept_path = target.parent.join(kept);
                let beside = renameat_with(tree.root(), inside, parent, kept, alone);
                beside.map_err(|error| match error {
                    Errno::EXIST => DirectoryError::KeptTaken {
                        path: kept_path.clone(),
                    },
                    error => failed("make", &kept_path)(error),
                })?;
                let swap = RenameFlags::EXCHANGE;
                let swapped = renameat_with(parent, kept, parent, &target.name, swap);
                if let Err(error) = swapped {
                    // Back into the quarantine, which goes away. If that fails, too, the new tree
                    // stays beside the old one; this error stays the first.
                    renameat_with(parent, kept, tree.root(), inside, alone).ok();
                    return Err(failed("exchange", path)(error));
                }
                Some(kept_path)
            }
        };
        fsync(parent).map_err(failed("bring to disk", &target.parent))?;
        Ok(Swapped { path, kept_as })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_beneath_a_folder_are_found_by_their_real_names() {
        assert_eq!(unescaped(br"/a\040b\134c"), br"/a b\c");
        assert_eq!(unescaped(br"/a\04"), br"/a\04");
        // Everywhere something is mounted: that the kernel tells of mounts needs one.
        assert!(mounted_beneath(Path::new("/")).unwrap().is_some());
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(mounted_beneath(empty.path()).unwrap(), None);
    }
}
