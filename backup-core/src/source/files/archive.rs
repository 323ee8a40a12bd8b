//! The archive: visits every place of the roots and writes its entry.

use std::{
    collections::HashMap,
    ffi::CString,
    fmt::Display,
    fs::File,
    io,
    os::{
        fd::OwnedFd,
        unix::{ffi::OsStrExt as _, fs::FileExt as _},
    },
    path::{Path, PathBuf},
    rc::Rc,
};

use backup_model::{Code, FilesFacts, Unreadable};
use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, open, readlinkat};
use tokio_util::sync::CancellationToken;

use super::{
    header::header,
    open::{look, mtime, node, open_file, open_folder, size},
    output::{EntrySink, Output},
    roots::{self, LINK},
    sparse,
    walk::{Place, Walk},
};
use crate::format::{
    NodeKind, check_path,
    pax::{Region, sparse_map},
};

/// How much of a file is read at once.
const PIECE_BYTES: usize = 256 * 1024;

/// How many unreadable things are listed by name.
const MAX_EXAMPLES: usize = 1000;

/// What to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilesSpec {
    /// Folders and files, by absolute path; one may lie within another.
    pub roots: Vec<PathBuf>,
}

/// Why an archive could not be written to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilesError {
    /// A configured path is not absolute, or has `..` in it.
    #[error("`{}` is not an absolute path without `..`", path.display())]
    Root {
        /// The path, as configured.
        path: PathBuf,
    },
    /// The sink did not take it.
    #[error("could not hand on the archive of files")]
    Sink(#[source] io::Error),
    /// The caller wanted no more.
    #[error("reading files was cancelled")]
    Cancelled,
}

impl FilesError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Root { .. } => Code::Config,
            Self::Sink(_) => Code::Failed,
            Self::Cancelled => Code::Interrupted,
        }
    }
}

/// Writes everything beneath the roots as a tar, and says what could not be read.
pub fn archive(
    spec: &FilesSpec,
    sink: &mut dyn EntrySink,
    cancel: &CancellationToken,
) -> Result<FilesFacts, FilesError> {
    let roots = roots::plan(&spec.roots)?;
    let shown = spec.roots.iter().map(|root| root.display().to_string());
    let mut archive = Archive {
        out: Output::new(sink),
        cancel,
        facts: FilesFacts {
            roots: shown.collect(),
            ..FilesFacts::default()
        },
        linked: HashMap::new(),
        buffer: vec![0; PIECE_BYTES],
    };
    for root in &roots.outer {
        archive.root(root)?;
    }
    for (outer, inner) in &roots.inner {
        if let Some(reason) = roots::unreached(outer, inner) {
            archive.list(relative(inner), reason);
        }
    }
    archive.put(&[0; 1024])?;
    archive.out.finish(None).map_err(FilesError::Sink)?;
    Ok(archive.facts)
}

struct Archive<'a> {
    out: Output<'a>,
    cancel: &'a CancellationToken,
    facts: FilesFacts,
    /// Files with several names, by device and inode, and the first name that was written.
    linked: HashMap<(u64, u64), Vec<u8>>,
    buffer: Vec<u8>,
}

impl Archive<'_> {
    fn root(&mut self, root: &Path) -> Result<(), FilesError> {
        let mut walk = Walk::default();
        let path = relative(root);
        let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match (root.parent(), root.file_name()) {
            (Some(parent), Some(name)) => match open(parent, folder, Mode::empty()) {
                Ok(parent) => {
                    let name = CString::new(name.as_bytes());
                    let Ok(name) = name else {
                        self.list(path, "has a NUL byte");
                        return Ok(());
                    };
                    let place = Place {
                        folder: Rc::new(parent),
                        name,
                        path: path.to_vec(),
                    };
                    self.visit(place, true, &mut walk)?;
                }
                Err(error) => self.list(path, error),
            },
            // The root of the file system has no name, so no entry of its own.
            _ => match File::open(root) {
                Ok(top) => self.enter(&mut walk, top.into(), &[]),
                Err(error) => self.list(path, error),
            },
        }
        while let Some(place) = walk.next() {
            self.visit(place, false, &mut walk)?;
        }
        Ok(())
    }

    fn visit(&mut self, place: Place, root: bool, walk: &mut Walk) -> Result<(), FilesError> {
        if self.cancel.is_cancelled() {
            return Err(FilesError::Cancelled);
        }
        if let Err(fault) = check_path(&place.path) {
            self.list(&place.path, fault);
            return Ok(());
        }
        let stat = match look(&place.folder, &place.name) {
            Ok(stat) => stat,
            Err(error) => {
                self.list(&place.path, error);
                return Ok(());
            }
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => self.file(place, &stat),
            FileType::Directory => self.folder(&place, walk),
            FileType::Symlink => {
                if root {
                    self.list(&place.path, LINK);
                }
                self.symlink(place, &stat)
            }
            FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => Ok(()),
        }
    }

    fn folder(&mut self, place: &Place, walk: &mut Walk) -> Result<(), FilesError> {
        match open_folder(&place.folder, &place.name) {
            Ok((folder, stat)) => {
                self.bare(place.path.clone(), NodeKind::Directory, &stat)?;
                self.enter(walk, folder, &place.path);
            }
            Err(error) => self.list(&place.path, error),
        }
        Ok(())
    }

    fn enter(&mut self, walk: &mut Walk, folder: OwnedFd, path: &[u8]) {
        if let Err(error) = walk.enter(folder, path.to_vec()) {
            self.list(path, error);
        }
    }

    fn symlink(&mut self, place: Place, stat: &Stat) -> Result<(), FilesError> {
        match readlinkat(&place.folder, &place.name, Vec::new()) {
            Ok(target) => {
                let target = target.into_bytes();
                self.bare(place.path, NodeKind::Symlink { target }, stat)
            }
            Err(error) => {
                self.list(&place.path, error);
                Ok(())
            }
        }
    }

    fn file(&mut self, place: Place, seen: &Stat) -> Result<(), FilesError> {
        if let Some(target) = self.linked.get(&(seen.st_dev, seen.st_ino)) {
            let target = target.clone();
            return self.bare(place.path, NodeKind::Hardlink { target }, seen);
        }
        let known = node(place.path.clone(), NodeKind::File { sparse: false }, seen);
        if self.out.take_over(&known).map_err(FilesError::Sink)? {
            if seen.st_nlink > 1 {
                self.linked.insert((seen.st_dev, seen.st_ino), place.path);
            }
            return Ok(());
        }
        let (file, stat) = match open_file(&place.folder, &place.name) {
            Ok(opened) => opened,
            Err(error) => {
                self.list(&place.path, error);
                return Ok(());
            }
        };
        if stat.st_nlink > 1 {
            let id = (stat.st_dev, stat.st_ino);
            self.linked.insert(id, place.path.clone());
        }
        let holes = sparse::regions(&file, &stat);
        let sparse = holes.is_some();
        let map = holes.as_deref().map(sparse_map).unwrap_or_default();
        let whole = Region {
            offset: 0,
            length: size(&stat),
        };
        let regions = holes.unwrap_or_else(|| vec![whole]);
        let data: u64 = regions.iter().map(|region| region.length).sum();
        let node = node(place.path, NodeKind::File { sparse }, &stat);
        self.put(&header(&node, map.len() as u64 + data))?;
        self.put(&map)?;
        if let Some(fault) = self.content(&file, &stat, &regions)? {
            self.list(&node.path, fault);
        }
        self.out.finish(Some(node)).map_err(FilesError::Sink)
    }

    /// An entry without content.
    fn bare(&mut self, path: Vec<u8>, kind: NodeKind, stat: &Stat) -> Result<(), FilesError> {
        let node = node(path, kind, stat);
        self.put(&header(&node, 0))?;
        self.out.finish(Some(node)).map_err(FilesError::Sink)
    }

    /// Writes exactly what the header promised, and says what was not as it should be.
    fn content(
        &mut self,
        file: &File,
        stat: &Stat,
        regions: &[Region],
    ) -> Result<Option<String>, FilesError> {
        let mut fault = None;
        for region in regions {
            let mut at = region.offset;
            let end = region.offset + region.length;
            while at < end {
                if self.cancel.is_cancelled() {
                    return Err(FilesError::Cancelled);
                }
                let most = usize::try_from(end - at).unwrap_or(usize::MAX);
                let piece = &mut self.buffer[..most.min(PIECE_BYTES)];
                let got = match fault {
                    None => file.read_at(piece, at),
                    Some(_) => Ok(piece.len()),
                };
                let got = match got {
                    Ok(got) if got > 0 => got,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Ok(_) => zeros(&mut fault, piece, "became shorter while it was read"),
                    Err(error) => zeros(&mut fault, piece, error),
                };
                self.out.write(&piece[..got]).map_err(FilesError::Sink)?;
                at += got as u64;
            }
        }
        let now = fstat(file);
        let changed = now.is_ok_and(|now| size(&now) != size(stat) || mtime(&now) != mtime(stat));
        Ok(fault.or_else(|| changed.then(|| "changed while it was read".to_owned())))
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), FilesError> {
        self.out.write(bytes).map_err(FilesError::Sink)
    }

    fn list(&mut self, path: &[u8], error: impl Display) {
        self.facts.unreadable += 1;
        if self.facts.examples.len() < MAX_EXAMPLES {
            self.facts.examples.push(Unreadable {
                path: format!("/{}", String::from_utf8_lossy(path)),
                error: error.to_string(),
            });
        }
    }
}

/// From here on the content is zeros.
fn zeros(fault: &mut Option<String>, piece: &mut [u8], reason: impl Display) -> usize {
    *fault = Some(reason.to_string());
    piece.fill(0);
    piece.len()
}

/// A path as the archive names it: without its leading slash.
fn relative(path: &Path) -> &[u8] {
    let bytes = path.as_os_str().as_bytes();
    bytes.strip_prefix(b"/").unwrap_or(bytes)
}
