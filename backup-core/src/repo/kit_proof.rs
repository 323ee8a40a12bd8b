//! When somebody last proved a recovery kit: `<state>/<repository id>/kit.json` in the host's
//! state, where whoever tells the repository's health finds it.
//!
//! It is a [`KitProof`] as JSON, not a secret, and it does not need the host's writer key: an
//! administrator's machine has a state folder and no key.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use backup_model::{KitProof, RepositoryId};
use tempfile::NamedTempFile;

use super::HostError;

/// Writes down that a kit was proved, in the place of what was written before. Gives the file.
pub fn write_kit_proof(state: &Path, proof: &KitProof) -> Result<PathBuf, HostError> {
    let path = path(state, proof.repository);
    let write = || -> io::Result<()> {
        let folder = state.join(proof.repository.to_string());
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        let mut file = NamedTempFile::new_in(&folder)?;
        serde_json::to_writer(&mut file, proof)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        File::open(&folder)?.sync_all()
    };
    write().map_err(|source| HostError::Io {
        path: path.clone(),
        source,
    })?;
    Ok(path)
}

/// What was written down, if anything was.
pub fn kit_proof(state: &Path, id: RepositoryId) -> Result<Option<KitProof>, HostError> {
    let path = path(state, id);
    let read = || match fs::read(&path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    read().map_err(|source| HostError::Io {
        path: path.clone(),
        source,
    })
}

fn path(state: &Path, id: RepositoryId) -> PathBuf {
    state.join(id.to_string()).join("kit.json")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn proof(at: i64) -> KitProof {
        KitProof {
            at: Timestamp::from_second(at).unwrap(),
            repository: RepositoryId([1; 16]),
            location: "/srv/repo".to_owned(),
            administrator: "ann".parse().unwrap(),
            added: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_last_proof_is_found_and_no_other_file_left() {
        let state = tempfile::tempdir().unwrap();
        let id = RepositoryId([1; 16]);
        assert_eq!(kit_proof(state.path(), id).unwrap(), None);
        write_kit_proof(state.path(), &proof(1)).unwrap();
        let file = write_kit_proof(state.path(), &proof(2)).unwrap();
        assert_eq!(kit_proof(state.path(), id).unwrap(), Some(proof(2)));
        assert_eq!(
            kit_proof(state.path(), RepositoryId([2; 16])).unwrap(),
            None
        );
        assert_eq!(file.parent().unwrap().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_proof_is_not_taken_for_one() {
        let state = tempfile::tempdir().unwrap();
        let file = write_kit_proof(state.path(), &proof(1)).unwrap();
        for text in ["", "{}", "{\"at\":\"today\"}"] {
            fs::write(&file, text).unwrap();
            let read = kit_proof(state.path(), RepositoryId([1; 16]));
            assert!(matches!(read, Err(HostError::Io { .. })), "{text}");
        }
    }
}
