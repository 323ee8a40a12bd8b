//! Files with several names: which name came first.
//!
//! Only files that have another name are remembered, and each only until all its names have been
//! seen: a tree of a million hard links between two folders needs memory for those in between.

use std::collections::HashMap;

use rustix::fs::Stat;

/// The first names of files with several.
#[derive(Default)]
pub(super) struct Links {
    by_file: HashMap<(u64, u64), First>,
}

struct First {
    path: Vec<u8>,
    names_to_come: u64,
}

impl Links {
    /// The first name of this file, if another name of it was written already.
    pub(super) fn first(&mut self, stat: &Stat) -> Option<Vec<u8>> {
        let id = (stat.st_dev, stat.st_ino);
        let first = self.by_file.get_mut(&id)?;
        first.names_to_come -= 1;
        if first.names_to_come > 0 {
            return Some(first.path.clone());
        }
        self.by_file.remove(&id).map(|first| first.path)
    }

    /// This file was written under this name.
    pub(super) fn written(&mut self, stat: &Stat, path: &[u8]) {
        let names = count(stat.st_nlink);
        if names > 1 {
            let first = First {
                path: path.to_vec(),
                names_to_come: names - 1,
            };
            self.by_file.insert((stat.st_dev, stat.st_ino), first);
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.by_file.len()
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
}
