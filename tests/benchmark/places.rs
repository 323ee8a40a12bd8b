//! The folders of a benchmark: data sets, which stay, and everything else, which goes.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::error::BenchError;

/// The folders of a benchmark.
#[derive(Debug)]
pub(crate) struct Places {
    /// Data sets.
    pub(crate) data: PathBuf,
    /// What everybody stores and restores. Gone when this is dropped.
    pub(crate) work: PathBuf,
}

impl Places {
    /// Makes both below `dir`.
    pub(crate) fn make(dir: &Path) -> Result<Self, BenchError> {
        let dir = std::path::absolute(dir).map_err(BenchError::io("find", dir))?;
        let places = Self {
            data: dir.join("data"),
            work: dir.join("work"),
        };
        // What a benchmark that was killed has left.
        remove(&places.work)?;
        for folder in [&dir, &places.data, &places.work] {
            fs::create_dir_all(folder).map_err(BenchError::io("make", folder))?;
        }
        // The server has another user when we are root.
        for folder in [&dir, &places.work] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
                .map_err(BenchError::io("set the mode of", folder))?;
        }
        Ok(places)
    }

    /// A new folder for work, in place of one of that name.
    pub(crate) fn fresh(&self, name: &str) -> Result<PathBuf, BenchError> {
        let folder = self.work.join(name);
        remove(&folder)?;
        fs::create_dir_all(&folder).map_err(BenchError::io("make", &folder))?;
        Ok(folder)
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        // What stays is removed by the next benchmark in this folder.
        remove(&self.work).ok();
    }
}

/// Removes a folder, if it is there.
pub(crate) fn remove(folder: &Path) -> Result<(), BenchError> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(BenchError::io("remove", folder))?;
    }
    Ok(())
}

/// The files below a folder, in order.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<PathBuf>, BenchError> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).map_err(BenchError::io("list", &folder))? {
            let entry = entry.map_err(BenchError::io("list", &folder))?;
            let kind = entry
                .file_type()
                .map_err(BenchError::io("look at", &entry.path()))?;
            if kind.is_dir() {
                waiting.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The bytes of all files below a folder.
pub(crate) fn bytes_below(folder: &Path) -> Result<u64, BenchError> {
    let mut bytes = 0;
    for file in files_below(folder)? {
        let facts = fs::symlink_metadata(&file).map_err(BenchError::io("look at", &file))?;
        bytes += facts.len();
    }
    Ok(bytes)
}
