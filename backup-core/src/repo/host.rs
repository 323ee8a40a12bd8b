//! What a backup host keeps to itself: its writer key, its dedup secrets, locks and indexes.
//!
//! ```text
//! <state>/<repository id>/writer.key        minisign secret key
//! <state>/<repository id>/dedup-<epoch>     32 bytes; lost means the next backup is full
//! <state>/<repository id>/<job>.lock        held while a run of the job is under way
//! <state>/<repository id>/<job>.index       what is stored of the job, see the index
//! <state>/<repository id>/<job>.journal     what a run has stored that has no end yet
//! <state>/<repository id>/kit.json          when a recovery kit was last proved, see kit_proof.rs
//! <state>/seen/<repository id>.json         what this machine has seen of it, see seen.rs
//! ```
//!
//! None of it opens a backup. None of it is needed to restore one.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    process,
    sync::Arc,
};

use backup_keys::{PrivateFileError, SecretKey, SigningError, read_private, write_private};
use backup_model::{Code, JobName, RepositoryId};
use data_encoding::HEXLOWER;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::chunk::DedupSecret;

/// What goes wrong with the host's own files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// This host has no key for the repository.
    #[error("this host has no writer key for the repository: {} is missing", .0.display())]
    NoKey(PathBuf),
    /// A secret file cannot be read or written.
    #[error("could not use the host's secrets")]
    Private(#[source] PrivateFileError),
    /// The writer key is not one.
    #[error("{} is not usable", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SigningError,
    },
    /// The state folder cannot be used.
    #[error("could not use {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// We are root, and the folder is another user's.
    #[error(
        "{} belongs to the user {owner}, who could not use what root makes there",
        path.display()
    )]
    Foreign {
        /// The state folder.
        path: PathBuf,
        /// Whose it is, by number.
        owner: u32,
    },
    /// Another process runs the job.
    #[error("`{0}` is being backed up by another process of this host")]
    Locked(JobName),
    /// No randomness from the system.
    #[error("no random numbers from the system")]
    Random,
}

impl HostError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::NoKey(_) | Self::Key { .. } => Code::WriterRefused,
            Self::Locked(_) => Code::Busy,
            Self::Foreign { .. } => Code::WrongUser,
            Self::Private(PrivateFileError::Exposed { .. }) => Code::IdentityInvalid,
            Self::Private(_) | Self::Random => Code::LocalIo,
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::NoSpace,
                _ => Code::LocalIo,
            },
        }
    }
}

/// The host's files for one repository.
#[derive(Debug)]
pub struct Host {
    folder: PathBuf,
    key: Arc<SecretKey>,
}

impl Host {
    /// Stores a new writer key. Fails if there is one.
    pub fn create(state: &Path, id: RepositoryId, key: SecretKey) -> Result<Self, HostError> {
        usable(state)?;
        let folder = state.join(id.to_string());
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(io_error(&folder))?;
        let path = folder.join("writer.key");
        let text = key
            .to_file_text("backupd writer key")
            .map_err(|source| HostError::Key {
                path: path.clone(),
                source,
            })?;
        write_private(&path, &text).map_err(HostError::Private)?;
        Ok(Self {
            folder,
            key: Arc::new(key),
        })
    }

    /// Reads the writer key.
    pub fn open(state: &Path, id: RepositoryId) -> Result<Self, HostError> {
        let folder = state.join(id.to_string());
        let path = folder.join("writer.key");
        if !path.try_exists().map_err(io_error(&path))? {
            return Err(HostError::NoKey(path));
        }
        let text = read_private(&path).map_err(HostError::Private)?;
        let key =
            SecretKey::from_file_text(&text).map_err(|source| HostError::Key { path, source })?;
        Ok(Self {
            folder,
            key: Arc::new(key),
        })
    }

    /// The writer key.
    pub fn key(&self) -> &Arc<SecretKey> {
        &self.key
    }

    /// The dedup secret of an epoch. Made when there is none, and made anew when it cannot be one:
    /// a crash may have cut it, and all that it costs is one full backup.
    pub fn dedup_secret(&self, epoch: u64) -> Result<DedupSecret, HostError> {
        let path = self.folder.join(format!("dedup-{epoch}"));
        if path.try_exists().map_err(io_error(&path))? {
            let text = read_private(&path).map_err(HostError::Private)?;
            let bytes = HEXLOWER.decode(text.expose_secret().as_bytes());
            let bytes = Zeroizing::new(bytes.unwrap_or_default());
            if let Ok(bytes) = <[u8; 32]>::try_from(&bytes[..]) {
                return Ok(DedupSecret::new(Box::new(bytes)));
            }
        }
        let mut bytes = Box::new([0; 32]);
        getrandom::fill(&mut *bytes).map_err(|_| HostError::Random)?;
        let text = SecretString::from(HEXLOWER.encode(&*bytes));
        let beside = self.folder.join(format!("dedup-{epoch}.{}", process::id()));
        write_private(&beside, &text).map_err(HostError::Private)?;
        fs::rename(&beside, &path).map_err(io_error(&path))?;
        Ok(DedupSecret::new(bytes))
    }

    /// Takes the job's lock. The operating system frees it when the process ends, however it
    /// ends.
    pub fn lock(&self, job: &JobName) -> Result<JobLock, HostError> {
        usable(&self.folder)?;
        let path = self.folder.join(format!("{job}.lock"));
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(io_error(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(JobLock {
                job: job.clone(),
                _file: file,
            }),
            Err(TryLockError::WouldBlock) => Err(HostError::Locked(job.clone())),
            Err(TryLockError::Error(source)) => Err(HostError::Io { path, source }),
        }
    }

    /// The file of the job's index.
    pub fn index_path(&self, job: &JobName) -> PathBuf {
        self.folder.join(format!("{job}.index"))
    }

    /// The journal of the run of the job that is under way.
    pub fn journal_path(&self, job: &JobName) -> PathBuf {
        self.folder.join(format!("{job}.journal"))
    }

    /// A private folder for temporary files; they have no names there.
    pub fn scratch(&self) -> &Path {
        &self.folder
    }
}

/// The right to run a job on this host.
#[derive(Debug)]
pub struct JobLock {
    job: JobName,
    _file: File,
}

impl JobLock {
    /// The job.
    pub fn job(&self) -> &JobName {
        &self.job
    }
}

/// Root can write into every folder. In one of a user's, as the daemon's is, that would shut out the
/// one whose it is.
fn usable(folder: &Path) -> Result<(), HostError> {
    let owner = match fs::metadata(folder) {
        Ok(facts) => facts.uid(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io_error(folder)(error)),
    };
    if owner != 0 && rustix::process::geteuid().is_root() {
        let path = folder.to_owned();
        return Err(HostError::Foreign { path, owner });
    }
    Ok(())
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> HostError {
    let path = path.to_owned();
    |source| HostError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_dedup_secret_is_made_anew_and_a_whole_one_kept() {
        let state = tempfile::tempdir().unwrap();
        let id = RepositoryId([1; 16]);
        let host = Host::create(state.path(), id, SecretKey::generate().unwrap()).unwrap();
        let first = host.dedup_secret(1).unwrap().id_key();
        assert_eq!(host.dedup_secret(1).unwrap().id_key(), first);
        assert_ne!(host.dedup_secret(2).unwrap().id_key(), first);
        let path = state.path().join(id.to_string()).join("dedup-1");
        fs::write(&path, "abcd").unwrap();
        let second = host.dedup_secret(1).unwrap().id_key();
        assert_ne!(second, first);
        assert_eq!(host.dedup_secret(1).unwrap().id_key(), second);
    }

    #[test]
    fn one_process_at_a_time_runs_a_job() {
        let state = tempfile::tempdir().unwrap();
        let id = RepositoryId([1; 16]);
        let host = Host::create(state.path(), id, SecretKey::generate().unwrap()).unwrap();
        let job: JobName = "webui".parse().unwrap();
        let held = host.lock(&job).unwrap();
        assert!(matches!(host.lock(&job), Err(HostError::Locked(_))));
        assert!(host.lock(&"other".parse().unwrap()).is_ok());
        drop(held);
        assert!(host.lock(&job).is_ok());
    }
}
