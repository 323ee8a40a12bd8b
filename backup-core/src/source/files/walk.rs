//! The order of a walk: depth first, names sorted by their bytes.
//!
//! Keeps its own stack of open folders, as deep as a path may be and no deeper, and knows nothing
//! of what is done with a place. The names of the open folders are in memory, one after another
//! without a box for each, and nothing else is: a million names cost some 21 MiB.

use std::{
    ffi::{CStr, CString},
    io,
    mem::MaybeUninit,
    os::fd::OwnedFd,
    rc::Rc,
};

use rustix::fs::RawDir;

/// A name in an open folder.
pub(super) struct Place {
    pub(super) folder: Rc<OwnedFd>,
    pub(super) name: CString,
    /// Its path in the archive.
    pub(super) path: Vec<u8>,
}

struct Frame {
    folder: Rc<OwnedFd>,
    path: Vec<u8>,
    names: Names,
}

/// The names of a folder, given one by one.
#[derive(Default)]
struct Names {
    /// All of them, each with its NUL.
    bytes: Vec<u8>,
    /// Where each begins.
    starts: Vec<usize>,
    given: usize,
}

impl Names {
    fn push(&mut self, name: &CStr) {
        self.starts.push(self.bytes.len());
        self.bytes.extend_from_slice(name.to_bytes_with_nul());
    }

    fn sort(&mut self) {
        let Self { bytes, starts, .. } = self;
        starts.sort_unstable_by(|&a, &b| name_at(bytes, a).cmp(name_at(bytes, b)));
    }

    fn next(&mut self) -> Option<&CStr> {
        let start = *self.starts.get(self.given)?;
        self.given += 1;
        Some(name_at(&self.bytes, start))
    }
}

fn name_at(bytes: &[u8], start: usize) -> &CStr {
    CStr::from_bytes_until_nul(&bytes[start..]).expect("each name was kept with its NUL")
}

/// A walk beneath one root.
#[derive(Default)]
pub(super) struct Walk {
    stack: Vec<Frame>,
}

impl Walk {
    /// The next place, or the end of the walk.
    pub(super) fn next(&mut self) -> Option<Place> {
        while let Some(frame) = self.stack.last_mut() {
            if let Some(name) = frame.names.next() {
                return Some(Place {
                    folder: Rc::clone(&frame.folder),
                    path: joined(&frame.path, name),
                    name: name.to_owned(),
                });
            }
            self.stack.pop();
        }
        None
    }

    /// Goes on beneath this folder first. What could be listed before an error is walked too.
    pub(super) fn enter(&mut self, folder: OwnedFd, path: Vec<u8>) -> io::Result<()> {
        let mut names = Names::default();
        let result = read_names(&folder, &mut names);
        names.sort();
        self.stack.push(Frame {
            folder: Rc::new(folder),
            path,
            names,
        });
        result
    }
}

fn joined(path: &[u8], name: &CStr) -> Vec<u8> {
    let mut joined = Vec::with_capacity(path.len() + 1 + name.count_bytes());
    joined.extend_from_slice(path);
    if !joined.is_empty() {
        joined.push(b'/');
    }
    joined.extend_from_slice(name.to_bytes());
    joined
}

fn read_names(folder: &OwnedFd, names: &mut Names) -> io::Result<()> {
    let mut buffer = vec![MaybeUninit::uninit(); 32 * 1024];
    let mut entries = RawDir::new(folder, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            names.push(name);
        }
    }
    Ok(())
}
