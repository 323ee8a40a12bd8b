//! The archive: visits every place of the roots and writes its entry.

use std::{
    ffi::CString,
    fs::File,
    io,
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    path::{Path, PathBuf},
    rc::Rc,
};

use backup_model::{Code, FilesFacts};
use rustix::fs::{FileType, Mode, OFlags, Stat, open, readlinkat};
use tokio_util::sync::CancellationToken;

use super::{
    content::{Fault, Layout, Reader, settle},
    header::header,
    links::Links,
    listed::Listed,
    open::{look, node, open_file, open_folder, size},
    output::{EntrySink, Output},
    pattern::{Excludes, Pattern},
    roots::{self, LINK},
    walk::{Place, Walk},
};
use crate::format::{FileTime, Node, NodeKind, check_path};

/// Up to here a file is read as a whole before anything of it is written.
const SMALL_BYTES: u64 = 4 << 20;

/// What to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilesSpec {
    /// Folders and files, by absolute path; one may lie within another.
    pub roots: Vec<PathBuf>,
    /// What to leave out.
    pub exclude: Vec<Pattern>,
    /// Files that are larger are left out.
    pub max_file_bytes: Option<u64>,
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
    /// The patterns are too many or too large together.
    #[error("the patterns of what to leave out cannot be used together")]
    Patterns(#[source] globset::Error),
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
            Self::Root { .. } | Self::Patterns(_) => Code::Config,
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
        excludes: Excludes::new(&spec.exclude).map_err(FilesError::Patterns)?,
        most_bytes: spec.max_file_bytes,
        listed: Listed::new(shown.collect()),
        links: Links::default(),
        reader: Reader::new(cancel),
        small: Vec::new(),
    };
    for root in &roots.outer {
        archive.root(root)?;
    }
    for (outer, inner) in &roots.inner {
        if let Some(reason) = roots::unreached(outer, inner) {
            archive.listed.unreadable(relative(inner), reason);
        }
    }
    archive.put(&[0; 1024])?;
    archive.out.finish(None).map_err(FilesError::Sink)?;
    Ok(archive.listed.into_facts())
}

struct Archive<'a> {
    out: Output<'a>,
    cancel: &'a CancellationToken,
    excludes: Excludes,
    most_bytes: Option<u64>,
    listed: Listed,
    links: Links,
    reader: Reader<'a>,
    /// The data of a small file.
    small: Vec<u8>,
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
                        self.listed.unreadable(path, "has a NUL byte");
                        return Ok(());
                    };
                    let place = Place {
                        folder: Rc::new(parent),
                        name,
                        path: path.to_vec(),
                    };
                    self.visit(place, true, &mut walk)?;
                }
                Err(error) => self.listed.unreadable(path, error),
            },
            // The root of the file system has no name, so no entry of its own.
            _ => match File::open(root) {
                Ok(top) => self.enter(&mut walk, top.into(), &[]),
                Err(error) => self.listed.unreadable(path, error),
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
            self.listed.unreadable(&place.path, fault);
            return Ok(());
        }
        if self.excludes.leave_out(&place.path, place.name.to_bytes()) {
            self.listed.excluded();
            return Ok(());
        }
        let stat = match look(&place.folder, &place.name) {
            Ok(stat) => stat,
            Err(error) => {
                self.listed.unreadable(&place.path, error);
                return Ok(());
            }
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => self.file(place, &stat),
            FileType::Directory => self.folder(&place, walk),
            FileType::Symlink => {
                if root {
                    self.listed.unreadable(&place.path, LINK);
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
                if self.excludes.empty(&place.path) {
                    self.listed.excluded();
                } else {
                    self.enter(walk, folder, &place.path);
                }
            }
            Err(error) => self.listed.unreadable(&place.path, error),
        }
        Ok(())
    }

    fn enter(&mut self, walk: &mut Walk, folder: OwnedFd, path: &[u8]) {
        if let Err(error) = walk.enter(folder, path.to_vec()) {
            self.listed.unreadable(path, error);
        }
    }

    fn symlink(&mut self, place: Place, stat: &Stat) -> Result<(), FilesError> {
        match readlinkat(&place.folder, &place.name, Vec::new()) {
            Ok(target) => {
                let target = target.into_bytes();
                self.bare(place.path, NodeKind::Symlink { target }, stat)
            }
            Err(error) => {
                self.listed.unreadable(&place.path, error);
                Ok(())
            }
        }
    }

    fn file(&mut self, place: Place, seen: &Stat) -> Result<(), FilesError> {
        let Place { folder, name, path } = place;
        if let Some(target) = self.links.first(seen) {
            return self.bare(path, NodeKind::Hardlink { target }, seen);
        }
        if self.most_bytes.is_some_and(|most| size(seen) > most) {
            self.listed.too_large(&path, size(seen));
            return Ok(());
        }
        let node = node(path, NodeKind::File { sparse: false }, seen);
        if self.out.take_over(&node).map_err(FilesError::Sink)? {
            self.links.written(seen, &node.path);
            return Ok(());
        }
        match open_file(&folder, &name) {
            Ok((file, stat)) => {
                self.links.written(&stat, &node.path);
                self.opened(node.path, &file, stat)
            }
            Err(error) => {
                self.listed.unreadable(&node.path, error);
                Ok(())
            }
        }
    }

    fn opened(&mut self, path: Vec<u8>, file: &File, stat: Stat) -> Result<(), FilesError> {
        let layout = Layout::of(file, stat);
        if layout.data_bytes() <= SMALL_BYTES {
            return self.small(path, file, layout);
        }
        let node = self.begin(path, &layout)?;
        let out = &mut self.out;
        let fault = self.reader.read(file, &layout, &mut |piece| {
            out.write(piece).map_err(FilesError::Sink)
        })?;
        self.end(node, fault)
    }

    /// Reads a file before its header is written, so that it can be read again.
    fn small(&mut self, path: Vec<u8>, file: &File, layout: Layout) -> Result<(), FilesError> {
        let (reader, small) = (&mut self.reader, &mut self.small);
        let (layout, fault) = settle(file, layout, SMALL_BYTES, |layout| {
            small.clear();
            reader.read(file, layout, &mut |piece| {
                small.extend_from_slice(piece);
                Ok(())
            })
        })?;
        let node = self.begin(path, &layout)?;
        self.out.write(&self.small).map_err(FilesError::Sink)?;
        self.end(node, fault)
    }

    /// Everything before a file's data.
    fn begin(&mut self, path: Vec<u8>, layout: &Layout) -> Result<Node, FilesError> {
        let sparse = layout.sparse;
        let node = node(path, NodeKind::File { sparse }, &layout.stat);
        self.put(&header(&node, layout.stored_bytes()))?;
        self.put(&layout.map)?;
        Ok(node)
    }

    /// Everything after it. What is not what the file held must not be taken for it next time, so
    /// it says that the file was changed last at a time that no file was.
    fn end(&mut self, mut node: Node, fault: Option<Fault>) -> Result<(), FilesError> {
        if let Some(fault) = fault {
            self.listed.unreadable(&node.path, fault);
            node.ctime = FileTime::default();
        }
        self.out.finish(Some(node)).map_err(FilesError::Sink)
    }

    /// An entry without content.
    fn bare(&mut self, path: Vec<u8>, kind: NodeKind, stat: &Stat) -> Result<(), FilesError> {
        let node = node(path, kind, stat);
        self.put(&header(&node, 0))?;
        self.out.finish(Some(node)).map_err(FilesError::Sink)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), FilesError> {
        self.out.write(bytes).map_err(FilesError::Sink)
    }
}

/// A path as the archive names it: without its leading slash.
fn relative(path: &Path) -> &[u8] {
    let bytes = path.as_os_str().as_bytes();
    bytes.strip_prefix(b"/").unwrap_or(bytes)
}
