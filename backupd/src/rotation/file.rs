//! A file with a secret, and what lies beside it while the secret is replaced: `<file>.new` before,
//! `<file>.old` after.
//!
//! Each step is one rename or less, and durable when it returns; whoever reads the file meanwhile
//! finds the old secret or the new one, whole. What the secrets are for is not known here.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown},
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};
use secrecy::{ExposeSecret as _, SecretString};

use super::RotationError;

/// What an interrupted rotation left beside a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing: there was none, or it got to its end.
    Nothing,
    /// A new secret that has not come to count.
    Unused,
    /// A new secret that counts, and is not in its place yet or not proven there.
    InUse,
}

/// A file that holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SecretFile {
    path: PathBuf,
}

/// Keeps any other rotation away from the folders of some files, for as long as it lives.
#[derive(Debug)]
pub(super) struct FolderLocks {
    _folders: Vec<File>,
}

impl FolderLocks {
    /// Takes them or fails: nobody waits for a rotation.
    pub(super) fn take(files: &[&SecretFile]) -> Result<Self, RotationError> {
        let (mut seen, mut folders) = (BTreeSet::new(), Vec::new());
        for file in files {
            let failed = |source: io::Error| file.failed("lock the folder of", source);
            let folder = File::open(file.folder()).map_err(failed)?;
            let facts = folder.metadata().map_err(failed)?;
            if !seen.insert((facts.dev(), facts.ino())) {
                continue;
            }
            match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => folders.push(folder),
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    return Err(RotationError::Busy(file.folder().to_owned()));
                }
                Err(error) => return Err(failed(error.into())),
            }
        }
        Ok(Self { _folders: folders })
    }
}

impl SecretFile {
    pub(super) fn new(path: &Path) -> Self {
        let path = path.to_owned();
        Self { path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the new secret is until it counts.
    pub(super) fn new_path(&self) -> PathBuf {
        self.beside(".new")
    }

    /// Where the old secret is until the new one is proven.
    pub(super) fn old_path(&self) -> PathBuf {
        self.beside(".old")
    }

    /// The new file, if it is there.
    pub(super) fn find_new(&self) -> Result<Option<PathBuf>, RotationError> {
        self.find(self.new_path())
    }

    /// The old file, if it is there.
    pub(super) fn find_old(&self) -> Result<Option<PathBuf>, RotationError> {
        self.find(self.old_path())
    }

    /// Writes the new secret beside the old one, for the same owner.
    pub(super) fn write_new(&self, secret: &SecretString) -> Result<(), RotationError> {
        let write = || {
            let now = fs::symlink_metadata(&self.path)?;
            let mut options = OpenOptions::new();
            options.write(true).create_new(true).mode(0o600);
            let mut new = options.open(self.new_path())?;
            if new.metadata()?.uid() != now.uid() {
                fchown(&new, Some(now.uid()), None)?;
            }
            // The group may do nothing with the file: that it stays the same is a courtesy.
            drop(fchown(&new, None, Some(now.gid())));
            new.write_all(secret.expose_secret().as_bytes())?;
            new.sync_all()?;
            self.sync()
        };
        write().map_err(|source| self.failed("write a new secret beside", source))
    }

    /// The new secret takes the place of the old one, which is gone.
    pub(super) fn take_new(&self) -> Result<(), RotationError> {
        fs::rename(self.new_path(), &self.path)
            .map_err(|source| self.failed("put the new secret in place of", source))
    }

    /// The same, but the old one stays beside it. May be called again after it was interrupted.
    pub(super) fn swap_new(&self) -> Result<(), RotationError> {
        let keep = || match fs::hard_link(&self.path, self.old_path()) {
            // Of an earlier try: the file itself may be the new one by now.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            kept => kept.and_then(|()| self.sync()),
        };
        keep().map_err(|source| self.failed("keep the old secret of", source))?;
        self.take_new()?;
        self.make_durable()
    }

    /// The old secret is in its place again, and no other is left.
    pub(super) fn put_back(&self) -> Result<(), RotationError> {
        let back = || {
            match fs::rename(self.old_path(), &self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            // Of two names of one file a rename leaves both.
            remove(&self.old_path())?;
            remove(&self.new_path())?;
            self.sync()
        };
        back().map_err(|source| self.failed("put the old secret back into", source))
    }

    /// What lies beside goes.
    pub(super) fn clear(&self) -> Result<(), RotationError> {
        let clear = || {
            remove(&self.new_path())?;
            remove(&self.old_path())?;
            self.sync()
        };
        clear().map_err(|source| self.failed("remove what lies beside", source))
    }

    /// Whatever was renamed stays so, also when the machine goes down.
    pub(super) fn make_durable(&self) -> Result<(), RotationError> {
        self.sync()
            .map_err(|source| self.failed("make a change durable of", source))
    }

    fn folder(&self) -> &Path {
        // The configuration makes every path absolute, and a file's path has a parent then.
        self.path.parent().unwrap_or(Path::new("/"))
    }

    fn sync(&self) -> io::Result<()> {
        File::open(self.folder())?.sync_all()
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(ending);
        name.into()
    }

    fn find(&self, path: PathBuf) -> Result<Option<PathBuf>, RotationError> {
        match fs::symlink_metadata(&path) {
            Ok(_) => Ok(Some(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(self.failed("look beside", source)),
        }
    }

    fn failed(&self, what: &'static str, source: io::Error) -> RotationError {
        RotationError::File {
            what,
            path: self.path.clone(),
            source,
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> (tempfile::TempDir, SecretFile) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        fs::write(&path, "first").unwrap();
        (dir, SecretFile::new(&path))
    }

    fn names(dir: &tempfile::TempDir) -> BTreeSet<String> {
        let entries = fs::read_dir(dir.path()).unwrap();
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
        entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_secret_is_swapped_and_the_old_one_kept_until_told() {
        let (dir, file) = world();
        file.write_new(&"second".into()).unwrap();
        let mode = fs::metadata(file.new_path()).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o600);
        assert!(file.write_new(&"third".into()).is_err());
        file.swap_new().unwrap();
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "second");
        assert_eq!(fs::read_to_string(file.old_path()).unwrap(), "first");
        file.clear().unwrap();
        assert_eq!(names(&dir), ["secret".to_owned()].into());
    }

    #[test]
    fn the_old_secret_comes_back_from_wherever_it_stopped() {
        for steps in 0..4 {
            let (dir, file) = world();
            if steps > 0 {
                file.write_new(&"second".into()).unwrap();
            }
            if steps == 2 {
                // Kept, and not yet replaced.
                fs::hard_link(file.path(), file.old_path()).unwrap();
            }
            if steps == 3 {
                file.swap_new().unwrap();
            }
            file.put_back().unwrap();
            assert_eq!(fs::read_to_string(file.path()).unwrap(), "first");
            assert_eq!(names(&dir), ["secret".to_owned()].into(), "{steps}");
        }
    }

    #[test]
    fn an_interrupted_swap_goes_on() {
        let (_dir, file) = world();
        file.write_new(&"second".into()).unwrap();
        fs::hard_link(file.path(), file.old_path()).unwrap();
        file.swap_new().unwrap();
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "second");
        assert_eq!(fs::read_to_string(file.old_path()).unwrap(), "first");
    }

    #[test]
    fn one_rotation_at_a_time_in_a_folder() {
        let (dir, file) = world();
        let other = SecretFile::new(&dir.path().join("other"));
        let lock = FolderLocks::take(&[&file, &other]).unwrap();
        assert!(matches!(
            FolderLocks::take(&[&other]),
            Err(RotationError::Busy(_))
        ));
        drop(lock);
        FolderLocks::take(&[&other]).unwrap();
    }
}
