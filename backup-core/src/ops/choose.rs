//! Choosing entries of a `files` stream by paths: what of the stream must be read for them.
//!
//! A path means an entry and everything beneath it. A hard link whose first name is not chosen
//! needs that file's bytes: they are chosen, too, under the link's name. Memory grows with the
//! number of paths and of such links, not with the entries.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    ops::Range,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use backup_model::ChosenEntries;

use super::OpError;
use crate::{
    format::{Entry, Node, NodeKind, PathFault, check_path},
    repo::RepoError,
    sink::directory::Renames,
};

/// Paths with the last name that was asked for which are named when a path is not there.
const NAMED_ALIKE: usize = 3;

/// Paths as they are asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Paths {
    wanted: Vec<Wanted>,
}

#[derive(Clone, Debug)]
struct Wanted {
    shown: PathBuf,
    path: Vec<u8>,
    found: bool,
    /// Other paths with the same last name.
    alike: Vec<String>,
}

/// What of a stream was chosen.
#[derive(Clone, Debug, Default)]
pub(super) struct Chosen {
    /// Its parts, in order.
    pub(super) parts: Vec<Range<u64>>,
    /// Files that get the name of a link to them.
    pub(super) renames: Renames,
    /// How much it is.
    pub(super) entries: ChosenEntriesCount,
}

/// Entries and bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ChosenEntriesCount {
    entries: u64,
    length: u64,
}

impl From<ChosenEntriesCount> for ChosenEntries {
    fn from(count: ChosenEntriesCount) -> Self {
        Self {
            entries: count.entries,
            length_bytes: count.length,
        }
    }
}

/// A path as people give it, as an archive names it: without slashes around it.
pub(super) fn entry_path(path: &Path) -> Result<Vec<u8>, OpError> {
    let mut bytes = path.as_os_str().as_bytes();
    while let Some(rest) = bytes.strip_prefix(b"/") {
        bytes = rest;
    }
    while let Some(rest) = bytes.strip_suffix(b"/") {
        bytes = rest;
    }
    check_path(bytes).map_err(|fault: PathFault| OpError::BadPath {
        path: path.to_owned(),
        source: fault,
    })?;
    Ok(bytes.to_vec())
}

/// Whether a path is another, or beneath it.
pub(super) fn is_within(path: &[u8], folder: &[u8]) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

impl Paths {
    /// Reads paths as people give them.
    pub(super) fn new(paths: &[PathBuf]) -> Result<Self, OpError> {
        let wanted = paths.iter().map(|shown| {
            Ok(Wanted {
                path: entry_path(shown)?,
                shown: shown.clone(),
                found: false,
                alike: Vec::new(),
            })
        });
        Ok(Self {
            wanted: wanted.collect::<Result<_, OpError>>()?,
        })
    }

    /// Whether nothing in particular was asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Chooses from the entries of a stream, which are read once, or twice if links need it.
    pub(super) fn choose<I>(
        &mut self,
        entries: impl Fn() -> Result<I, RepoError>,
    ) -> Result<Chosen, RepoError>
    where
        I: Iterator<Item = Result<Entry, RepoError>>,
    {
        let mut renames = Renames::new();
        let first = self.pass(entries()?, &BTreeMap::new(), &mut renames)?;
        if renames.is_empty() {
            return Ok(first);
        }
        let links = renames.clone();
        let mut second = self.pass(entries()?, &links, &mut renames)?;
        second.renames = links;
        Ok(second)
    }

    /// Whether a path is chosen; remembers that it was there.
    fn takes(&mut self, path: &[u8]) -> bool {
        let mut taken = false;
        for wanted in &mut self.wanted {
            if is_within(path, &wanted.path) {
                wanted.found = true;
                taken = true;
            } else if !wanted.found
                && wanted.alike.len() < NAMED_ALIKE
                && last_name(path) == last_name(&wanted.path)
            {
                wanted
                    .alike
                    .push(String::from_utf8_lossy(path).into_owned());
            }
        }
        taken
    }

    fn pass(
        &mut self,
        entries: impl Iterator<Item = Result<Entry, RepoError>>,
        links: &Renames,
        renames: &mut Renames,
    ) -> Result<Chosen, RepoError> {
        let mut chosen = Chosen::default();
        let mut at = 0u64;
        for entry in entries {
            let Entry { length, node, .. } = entry?;
            let end = at.saturating_add(length);
            if let Some(node) = node
                && (self.takes(&node.path) || links.contains_key(&node.path))
            {
                self.note_link(node, renames);
                match chosen.parts.last_mut() {
                    Some(last) if last.end == at => last.end = end,
                    _ => chosen.parts.push(at..end),
                }
                chosen.entries.entries += 1;
                chosen.entries.length += length;
            }
            at = end;
        }
        Ok(chosen)
    }

    /// A link to a file that is not chosen gets the file's bytes.
    fn note_link(&self, node: Node, renames: &mut Renames) {
        if let NodeKind::Hardlink { target } = node.kind
            && !self.wanted.iter().any(|w| is_within(&target, &w.path))
        {
            renames.entry(target).or_insert(node.path);
        }
    }

    /// Fails if a path was in none of the streams.
    pub(super) fn all_found(self, snapshot: &dyn std::fmt::Display) -> Result<(), OpError> {
        match self.wanted.into_iter().find(|wanted| !wanted.found) {
            None => Ok(()),
            Some(wanted) => Err(OpError::NoPath {
                snapshot: snapshot.to_string(),
                path: wanted.shown,
                alike: wanted.alike,
            }),
        }
    }
}

fn last_name(path: &[u8]) -> &[u8] {
    let name = Path::new(OsStr::from_bytes(path)).file_name();
    name.map_or(path, OsStr::as_bytes)
}

#[cfg(test)]
mod tests {
    use backup_model::Digest;

    use super::*;
    use crate::format::FileTime;

    fn entry(path: &str, kind: NodeKind, length: u64) -> Entry {
        Entry {
            length,
            sha256: Digest([0; 32]),
            node: Some(Node {
                path: path.as_bytes().to_vec(),
                kind,
                size: 0,
                mode: 0,
                uid: 0,
                gid: 0,
                mtime: FileTime::default(),
                ctime: FileTime::default(),
                dev: 0,
                ino: 0,
            }),
        }
    }

    fn entries() -> impl Iterator<Item = Result<Entry, RepoError>> {
        let file = || NodeKind::File { sparse: false };
        let link = |target: &str| NodeKind::Hardlink {
            target: target.as_bytes().to_vec(),
        };
        let all = [
            entry("a", NodeKind::Directory, 1),
            entry("a/b", NodeKind::Directory, 2),
            entry("a/b/c", file(), 4),
            entry("a/bc", link("a/b/c"), 8),
            entry("a/d", file(), 16),
            entry("a/e", link("a/b/c"), 32),
            entry("a/f", link("a/d"), 64),
        ];
        let end = Entry {
            node: None,
            ..entry("", NodeKind::Directory, 1024)
        };
        all.into_iter().chain([end]).map(Ok)
    }

    fn choose(paths: &[&str]) -> (Result<(), OpError>, Chosen) {
        let paths: Vec<_> = paths.iter().map(PathBuf::from).collect();
        let mut paths = Paths::new(&paths).unwrap();
        let chosen = paths.choose(|| Ok(entries())).unwrap();
        (paths.all_found(&"s/1"), chosen)
    }

    #[test]
    fn a_folder_is_one_part_and_names_are_not_prefixes() {
        let (found, chosen) = choose(&["/a/b/"]);
        found.unwrap();
        assert_eq!(chosen.parts, vec![Range { start: 1, end: 7 }]);
        assert!(chosen.renames.is_empty());
        let (found, chosen) = choose(&["a"]);
        found.unwrap();
        assert_eq!(chosen.parts, vec![Range { start: 0, end: 127 }]);
        assert!(chosen.renames.is_empty());
    }

    #[test]
    fn a_link_brings_the_bytes_of_its_file() {
        let (found, chosen) = choose(&["a/e", "a/bc"]);
        found.unwrap();
        assert_eq!(chosen.parts, [3..15, 31..63]);
        let renames = [(b"a/b/c".to_vec(), b"a/bc".to_vec())];
        assert_eq!(chosen.renames, renames.into());
        // With the file chosen the link is an ordinary one.
        let (_, chosen) = choose(&["a/f", "a/d"]);
        assert_eq!(chosen.parts, [15..31, 63..127]);
        assert!(chosen.renames.is_empty());
    }

    #[test]
    fn what_is_not_there_is_named_with_what_is_like_it() {
        let (found, _) = choose(&["a/d", "x/c"]);
        let text = found.unwrap_err().to_string();
        assert!(text.contains("x/c") && text.contains("a/b/c"), "{text}");
        for bad in ["", "/", "a//b", "a/../b", "./a"] {
            assert!(Paths::new(&[bad.into()]).is_err(), "{bad}");
        }
    }
}
