//! Two trees side by side: types, modes, times, link targets, content.

use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{FileTypeExt as _, MetadataExt as _},
    },
    path::{Path, PathBuf},
};

use backup_model::Failure;
use sha2::{Digest as _, Sha256};

use super::{super::workplace::local, Compared};

/// Compares each folder with its copy below `restored`, where it lies under its whole path.
pub(in super::super) fn folders(
    originals: &[PathBuf],
    restored: Option<&Path>,
) -> Result<Option<Compared>, Failure> {
    let Some(restored) = restored else {
        return Ok(None);
    };
    let mut entries = 0;
    let mut different = Vec::new();
    for original in originals {
        let below = original.strip_prefix("/").unwrap_or(original);
        let copy = restored.join(below);
        compare(original, &copy, &mut entries, &mut different)
            .map_err(|error| local(&format!("compare {}", copy.display()), &error))?;
    }
    Ok(Some(Compared {
        what: format!("{entries} files and folders"),
        different,
    }))
}

fn compare(
    original: &Path,
    copy: &Path,
    entries: &mut u64,
    different: &mut Vec<String>,
) -> io::Result<()> {
    let mut pending = vec![(original.to_owned(), copy.to_owned())];
    while let Some((original, copy)) = pending.pop() {
        let kind = fs::symlink_metadata(&original)?.file_type();
        if kind.is_socket() || kind.is_fifo() || kind.is_char_device() || kind.is_block_device() {
            // Backups leave these out.
            continue;
        }
        *entries += 1;
        if describe(&original)? != describe(&copy).unwrap_or_default() {
            different.push(original.display().to_string());
        }
        if kind.is_dir() && copy.is_dir() {
            let names: BTreeSet<_> = names(&original)?.into_iter().chain(names(&copy)?).collect();
            for name in names {
                match fs::symlink_metadata(original.join(&name)) {
                    Ok(_) => pending.push((original.join(&name), copy.join(&name))),
                    Err(_) => different.push(copy.join(&name).display().to_string()),
                }
            }
        }
    }
    Ok(())
}

fn names(folder: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name()))
        .collect()
}

/// All that should be equal, as one digest.
fn describe(path: &Path) -> io::Result<Vec<u8>> {
    let meta = fs::symlink_metadata(path)?;
    let mut digest = Sha256::new();
    digest.update(meta.mtime().to_le_bytes());
    digest.update(meta.mtime_nsec().to_le_bytes());
    if meta.is_symlink() {
        digest.update(b"link");
        digest.update(fs::read_link(path)?.as_os_str().as_bytes());
    } else {
        digest.update((meta.mode() & 0o777).to_le_bytes());
    }
    if meta.is_file() {
        digest.update(b"file");
        io::copy(&mut fs::File::open(path)?, &mut HashWriter(&mut digest))?;
    }
    Ok(digest.finalize().to_vec())
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
