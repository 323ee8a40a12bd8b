//! Files with several names: which name came first.
//!
//! Only files that have another name are remembered, and each only until all its names have been
//! seen. Names that lie elsewhere never come, so only so many files are remembered, the latest
//! ones. A name of one that was forgotten is archived as a file with the same bytes, and what is
//! restored from it are two files instead of one.
//!
//! A file that is deleted during the walk leaves its number to the next one that is made. So a
//! name is a link only if nothing about the file has changed since its first name was written;
//! any other is read.

use std::{
    collections::{HashMap, hash_map::Entry},
    mem,
};

use rustix::fs::Stat;

use super::open::{ctime, mtime, size};
use crate::format::FileTime;

/// So many files are remembered before the older half of all is forgotten: some 30 MB.
const HALF: usize = 1 << 16;

/// Files by device and number.
type ByFile = HashMap<(u64, u64), First>;

/// The first names of files with several.
#[derive(Default)]
pub(super) struct Links {
    newer: ByFile,
    older: ByFile,
}

struct First {
    path: Vec<u8>,
    names_to_come: u64,
    state: State,
}

/// What a change of a file changes; another name, or one less, changes the last of it.
#[derive(PartialEq, Eq)]
struct State {
    size: u64,
    mtime: FileTime,
    ctime: FileTime,
}

impl Links {
    /// The first name of this file, if another name of it was written already and the file is
    /// still the same.
    pub(super) fn first(&mut self, stat: &Stat) -> Option<Vec<u8>> {
        let file = (stat.st_dev, stat.st_ino);
        let half = if self.newer.contains_key(&file) {
            &mut self.newer
        } else {
            &mut self.older
        };
        let Entry::Occupied(mut known) = half.entry(file) else {
            return None;
        };
        let first = known.get_mut();
        if count(stat.st_nlink) < 2 || first.state != state(stat) {
            known.remove();
            return None;
        }
        first.names_to_come -= 1;
        if first.names_to_come > 0 {
            return Some(first.path.clone());
        }
        Some(known.remove().path)
    }

    /// This file was written under this name.
    pub(super) fn written(&mut self, stat: &Stat, path: &[u8]) {
        let names = count(stat.st_nlink);
        if names > 1 {
            let first = First {
                path: path.to_vec(),
                names_to_come: names - 1,
                state: state(stat),
            };
            self.newer.insert((stat.st_dev, stat.st_ino), first);
            if self.newer.len() >= HALF {
                self.older = mem::take(&mut self.newer);
            }
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.newer.len() + self.older.len()
    }
}

fn state(stat: &Stat) -> State {
    State {
        size: size(stat),
        mtime: mtime(stat),
        ctime: ctime(stat),
    }
}

/// Its type differs between processors.
fn count(links: impl TryInto<u64>) -> u64 {
    links.try_into().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use rustix::fs::stat;

    use super::*;

    #[test]
    fn a_file_is_forgotten_with_its_last_name() {
        let dir = tempfile::tempdir().unwrap();
        let name = |name| dir.path().join(name);
        for file in ["single", "double", "triple"] {
            std::fs::write(name(file), file).unwrap();
        }
        std::fs::hard_link(name("double"), name("d2")).unwrap();
        std::fs::hard_link(name("triple"), name("t2")).unwrap();
        std::fs::hard_link(name("triple"), name("t3")).unwrap();
        let facts = |file| stat(name(file)).unwrap();
        let mut links = Links::default();
        for file in ["single", "double", "triple"] {
            assert_eq!(links.first(&facts(file)), None);
            links.written(&facts(file), file.as_bytes());
        }
        assert_eq!(links.len(), 2);
        assert_eq!(links.first(&facts("d2")).as_deref(), Some(&b"double"[..]));
        assert_eq!(links.first(&facts("t2")).as_deref(), Some(&b"triple"[..]));
        assert_eq!(links.len(), 1);
        assert_eq!(links.first(&facts("t3")).as_deref(), Some(&b"triple"[..]));
        assert_eq!(links.len(), 0);
        assert_eq!(links.first(&facts("single")), None);
    }

    #[test]
    fn another_file_under_the_same_number_is_no_link() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("first"), "first").unwrap();
        std::fs::hard_link(dir.path().join("first"), dir.path().join("outside")).unwrap();
        let first = stat(dir.path().join("first")).unwrap();
        let changes: [fn(&mut Stat); 4] = [
            |stat| stat.st_nlink = 1,
            |stat| stat.st_size += 1,
            |stat| stat.st_mtime += 1,
            |stat| stat.st_ctime_nsec ^= 1,
        ];
        for change in changes {
            let mut other = first;
            change(&mut other);
            let mut links = Links::default();
            links.written(&first, b"first");
            assert_eq!(links.first(&other), None);
            // The file that was known is gone, so no later name is one of it.
            assert_eq!(links.len(), 0);
        }
    }

    #[test]
    fn files_whose_other_names_never_come_are_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let mut facts = stat(dir.path()).unwrap();
        facts.st_nlink = 2;
        let mut links = Links::default();
        let numbers = 0..3 * HALF as u64;
        for number in numbers.clone() {
            facts.st_ino = number;
            links.written(&facts, b"name");
            assert!(links.len() <= 2 * HALF);
        }
        facts.st_ino = numbers.start;
        assert_eq!(links.first(&facts), None);
        // The latest half is always there.
        for number in [numbers.end - HALF as u64, numbers.end - 1] {
            facts.st_ino = number;
            assert!(links.first(&facts).is_some());
        }
    }
}
