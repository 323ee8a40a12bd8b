//! A new tree beneath one open folder: every name is resolved there and never through a link.
//!
//! Folders are made open for their owner and get their mode and time last, deepest first, because
//! what is made in a folder changes it. Links are made after every file, so while files are
//! written there is none that a name could lead through.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs::File,
    io,
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    path::Path,
    rc::Rc,
};

use rustix::{
    fs::{
        AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, Timespec, Timestamps, UTIME_OMIT, Uid,
        chmodat, chownat, fchmod, fchown, futimens, linkat, mkdirat, openat, openat2, statat,
        symlinkat, utimensat,
    },
    io::Errno,
};

use super::error::TarFault;
use crate::format::FileTime;

/// Owner, mode and time of what is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attributes {
    pub(super) mode: u32,
    /// `None` leaves the owner as it comes.
    pub(super) owner: Option<(u32, u32)>,
    /// `None` leaves the time as it comes.
    pub(super) mtime: Option<FileTime>,
}

/// Why something was not made: the archive's fault or the system's.
#[derive(Debug)]
pub(super) enum NotMade {
    Fault(TarFault),
    System(io::Error),
}

impl From<Errno> for NotMade {
    fn from(error: Errno) -> Self {
        Self::System(error.into())
    }
}

/// The tree and what is still to be done to it.
#[derive(Debug)]
pub(super) struct Tree {
    root: OwnedFd,
    /// Every folder that was made.
    folders: BTreeMap<Vec<u8>, Attributes>,
    /// Links to be made at the end.
    links: BTreeMap<Vec<u8>, (Vec<u8>, Attributes)>,
    /// The folder that was used last.
    recent: Option<(Vec<u8>, Rc<OwnedFd>)>,
    /// Things whose owner the system did not let us set.
    pub(super) owners_refused: u64,
}

impl Tree {
    pub(super) fn new(root: OwnedFd) -> Self {
        Self {
            root,
            folders: BTreeMap::new(),
            links: BTreeMap::new(),
            recent: None,
            owners_refused: 0,
        }
    }

    pub(super) fn root(&self) -> &OwnedFd {
        &self.root
    }

    /// Makes a folder; one that is a folder already only takes the attributes.
    pub(super) fn folder(&mut self, path: &[u8], attributes: Attributes) -> Result<(), NotMade> {
        let (parent, name) = self.place(path)?;
        match mkdirat(&*parent, name, Mode::RWXU) {
            Ok(()) => {}
            Err(Errno::EXIST) if self.folders.contains_key(path) => {}
            Err(error) => return Err(taken(error)),
        }
        self.folders.insert(path.to_vec(), attributes);
        Ok(())
    }

    /// Makes an empty file, for its owner alone until it is finished.
    pub(super) fn file(&mut self, path: &[u8]) -> Result<File, NotMade> {
        let (parent, name) = self.place(path)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&*parent, name, flags, Mode::RUSR | Mode::WUSR).map_err(taken)?;
        Ok(file.into())
    }

    /// Gives a written file, or a folder, its owner, mode and time, in the order that keeps all.
    pub(super) fn finish(
        &mut self,
        file: impl std::os::fd::AsFd,
        attributes: Attributes,
    ) -> Result<(), NotMade> {
        if let Some((uid, gid)) = attributes.owner {
            let result = fchown(&file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
            self.count_refused(result)?;
        }
        fchmod(&file, Mode::from_raw_mode(attributes.mode))?;
        if let Some(mtime) = attributes.mtime {
            futimens(&file, &timestamps(mtime))?;
        }
        Ok(())
    }

    /// Gives an earlier file one more name.
    pub(super) fn hard_link(&mut self, path: &[u8], target: &[u8]) -> Result<(), NotMade> {
        let missing = |_| NotMade::Fault(TarFault::Hardlink);
        let (folder, file) = split(target);
        let from = self.open_folder(folder).map_err(missing)?;
        let stat = statat(&from, file, AtFlags::SYMLINK_NOFOLLOW).map_err(missing)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(NotMade::Fault(TarFault::Hardlink));
        }
        let (parent, name) = self.place(path)?;
        linkat(&from, file, &*parent, name, AtFlags::empty()).map_err(taken)
    }

    /// Remembers a symbolic link for the end.
    pub(super) fn symlink(
        &mut self,
        path: &[u8],
        target: Vec<u8>,
        attributes: Attributes,
    ) -> Result<(), NotMade> {
        let (parent, name) = self.place(path)?;
        match statat(&*parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => {}
            Ok(_) => return Err(NotMade::Fault(TarFault::Twice)),
            Err(error) => return Err(error.into()),
        }
        self.links.insert(path.to_vec(), (target, attributes));
        Ok(())
    }

    /// Makes the links, then finishes the folders, deepest first.
    pub(super) fn complete(&mut self) -> Result<(), (Vec<u8>, NotMade)> {
        for (path, (target, attributes)) in std::mem::take(&mut self.links) {
            self.make_link(&path, &target, attributes)
                .map_err(|why| (path, why))?;
        }
        self.recent = None;
        for (path, attributes) in self.folders.clone().into_iter().rev() {
            self.finish_folder(&path, attributes)
                .map_err(|why| (path, why))?;
        }
        Ok(())
    }

    /// Opens all folders for their owner again, so that they can be removed.
    pub(super) fn unlock(&self) {
        for path in self.folders.keys() {
            let path = Path::new(OsStr::from_bytes(path));
            // One that stays locked shows when it cannot be removed.
            chmodat(&self.root, path, Mode::RWXU, AtFlags::empty()).ok();
        }
    }

    fn make_link(
        &mut self,
        path: &[u8],
        target: &[u8],
        attributes: Attributes,
    ) -> Result<(), NotMade> {
        let (folder, name) = split(path);
        let parent = self.open_folder(folder)?;
        symlinkat(target, &parent, name).map_err(taken)?;
        if let Some((uid, gid)) = attributes.owner {
            let owner = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
            let flags = AtFlags::SYMLINK_NOFOLLOW;
            let result = chownat(&parent, name, owner.0, owner.1, flags);
            self.count_refused(result)?;
        }
        if let Some(mtime) = attributes.mtime {
            let flags = AtFlags::SYMLINK_NOFOLLOW;
            utimensat(&parent, name, &timestamps(mtime), flags)?;
        }
        Ok(())
    }

    fn finish_folder(&mut self, path: &[u8], attributes: Attributes) -> Result<(), NotMade> {
        let folder = self.open(path, OFlags::RDONLY)?;
        self.finish(folder, attributes)
    }

    fn count_refused(&mut self, result: Result<(), Errno>) -> Result<(), NotMade> {
        match result {
            Err(Errno::PERM) => self.owners_refused += 1,
            other => other?,
        }
        Ok(())
    }

    /// The folder and name of a new path; folders that are missing are made.
    fn place<'p>(&mut self, path: &'p [u8]) -> Result<(Rc<OwnedFd>, &'p [u8]), NotMade> {
        if self.links.contains_key(path) {
            return Err(NotMade::Fault(TarFault::Twice));
        }
        let (folder, name) = split(path);
        if let Some((recent, fd)) = &self.recent
            && recent == folder
        {
            return Ok((Rc::clone(fd), name));
        }
        let opened = match self.open_folder(folder) {
            Err(Errno::NOENT) => {
                self.make_folders(folder)?;
                self.open_folder(folder)
            }
            other => other,
        };
        let fd = Rc::new(opened.map_err(through)?);
        self.recent = Some((folder.to_vec(), Rc::clone(&fd)));
        Ok((fd, name))
    }

    /// Makes what is missing on the way to a folder.
    fn make_folders(&mut self, folder: &[u8]) -> Result<(), NotMade> {
        let ends = (0..folder.len()).filter(|&at| folder[at] == b'/');
        for end in ends.chain([folder.len()]) {
            let path = &folder[..end];
            if self.links.contains_key(path) {
                return Err(NotMade::Fault(TarFault::Through));
            }
            let (above, name) = split(path);
            let parent = self.open_folder(above).map_err(through)?;
            match mkdirat(&parent, name, Mode::RWXU) {
                Ok(()) => {
                    let plain = Attributes {
                        mode: 0o755,
                        owner: None,
                        mtime: None,
                    };
                    self.folders.insert(path.to_vec(), plain);
                }
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn open_folder(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        self.open(path, OFlags::PATH)
    }

    fn open(&self, path: &[u8], access: OFlags) -> Result<OwnedFd, Errno> {
        let path = if path.is_empty() { b"." } else { path };
        let flags = access | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let resolve =
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        openat2(&self.root, path, flags, Mode::empty(), resolve)
    }
}

/// The folder part, empty at the top, and the name.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b"", path),
    }
}

fn taken(error: Errno) -> NotMade {
    match error {
        Errno::EXIST => NotMade::Fault(TarFault::Twice),
        other => other.into(),
    }
}

fn through(error: Errno) -> NotMade {
    match error {
        Errno::NOTDIR | Errno::LOOP | Errno::XDEV => NotMade::Fault(TarFault::Through),
        other => other.into(),
    }
}

fn timestamps(mtime: FileTime) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: mtime.secs,
            tv_nsec: mtime.nanos.into(),
        },
    }
}
