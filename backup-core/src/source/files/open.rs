//! Opening what a walk found: never through a link, never waiting, leaving access times alone.

use std::{ffi::CStr, fs::File, io, os::fd::OwnedFd};

use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, openat, statat},
    io::Errno,
};

use crate::format::{FileTime, Node, NodeKind};

/// The lowest 53 bits: stored integers have no more.
const STORED_BITS: u64 = (1 << 53) - 1;

/// Looks at a name without following it.
pub(super) fn look(folder: &OwnedFd, name: &CStr) -> Result<Stat, Errno> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    statat(folder, name, flags)
}

/// Opens a file, which must still be one once it is open.
pub(super) fn open_file(folder: &OwnedFd, name: &CStr) -> io::Result<(File, Stat)> {
    let file = open_quietly(folder, name, OFlags::NONBLOCK | OFlags::NOCTTY)?;
    let stat = fstat(&file)?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
        Ok((file.into(), stat))
    } else {
        Err(io::Error::other("replaced by something else meanwhile"))
    }
}

/// Opens a folder.
pub(super) fn open_folder(folder: &OwnedFd, name: &CStr) -> io::Result<(OwnedFd, Stat)> {
    let opened = open_quietly(folder, name, OFlags::DIRECTORY)?;
    let stat = fstat(&opened)?;
    Ok((opened, stat))
}

/// Only the owner may leave access times alone; others read as usual.
fn open_quietly(folder: &OwnedFd, name: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(folder, name, flags | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => openat(folder, name, flags, Mode::empty()),
        result => result,
    }
}

/// What an entry says of this.
pub(super) fn node(path: Vec<u8>, kind: NodeKind, stat: &Stat) -> Node {
    let size = match kind {
        NodeKind::File { .. } => size(stat),
        NodeKind::Directory | NodeKind::Symlink { .. } | NodeKind::Hardlink { .. } => 0,
    };
    Node {
        path,
        kind,
        size,
        mode: stat.st_mode & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        mtime: mtime(stat),
        ctime: ctime(stat),
        dev: stat.st_dev & STORED_BITS,
        ino: stat.st_ino & STORED_BITS,
    }
}

pub(super) fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

pub(super) fn mtime(stat: &Stat) -> FileTime {
    FileTime {
        secs: stat.st_mtime,
        nanos: nanos(stat.st_mtime_nsec),
    }
}

pub(super) fn ctime(stat: &Stat) -> FileTime {
    FileTime {
        secs: stat.st_ctime,
        nanos: nanos(stat.st_ctime_nsec),
    }
}

fn nanos(value: impl TryInto<u32>) -> u32 {
    value.try_into().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use rustix::fs::CWD;

    use super::*;

    #[test]
    fn what_was_replaced_between_look_and_open_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let folder: OwnedFd = File::open(dir.path()).unwrap().into();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("link")).unwrap();
        std::fs::create_dir(dir.path().join("folder")).unwrap();
        let mode = Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(CWD, dir.path().join("fifo"), FileType::Fifo, mode, 0).unwrap();
        for name in [c"link", c"folder", c"fifo", c"gone"] {
            assert!(open_file(&folder, name).is_err(), "{name:?}");
        }
        assert!(open_folder(&folder, c"link").is_err());
        assert!(open_folder(&folder, c"folder").is_ok());
    }
}
