//! The files of a snapshot: all of them, in a form in which a million are small, and in which every
//! folder is there at once.

use std::{cmp::Ordering, collections::HashMap, path::PathBuf};

use backup_model::{EntryInfo, EntryKind};
use jiff::Timestamp;

/// A place in a tree; places are as good as names while the tree is the same.
pub type Place = u32;

/// An entry: one component of a path.
#[derive(Clone, Debug)]
struct Node {
    name: Box<str>,
    /// The name's bytes, where they are no UTF-8.
    raw: Option<Box<[u8]>>,
    parent: Place,
    /// None for a folder that only its contents tell of.
    kind: Option<EntryKind>,
    /// Bytes of a file; of a folder, of all beneath.
    bytes: u64,
    /// Files, folders and links beneath.
    beneath: u32,
    modified: Option<Timestamp>,
    mode: u32,
    target: Option<Box<str>>,
}

/// All files, folders and links of a snapshot.
#[derive(Clone, Debug)]
pub struct Tree {
    nodes: Vec<Node>,
    /// What is in each folder, folders first, by name: a part of `order` for each node.
    order: Vec<Place>,
    spans: Vec<(u32, u32)>,
}

/// What is shown of an entry.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// Its own name, lossily if it is no UTF-8.
    pub name: &'a str,
    /// Whether it has things in it.
    pub is_folder: bool,
    /// What it is; none for a folder that only its contents tell of.
    pub kind: Option<EntryKind>,
    /// Bytes of a file; of a folder, of all files beneath.
    pub bytes: u64,
    /// Files, folders and links beneath.
    pub beneath: u32,
    /// When its content changed last.
    pub modified: Option<Timestamp>,
    /// The permission bits.
    pub mode: u32,
    /// Where a link points.
    pub target: Option<&'a str>,
}

/// A tree while its entries come, in whatever order.
#[derive(Debug)]
pub struct Growing {
    nodes: Vec<Node>,
    /// Where folders and entries are, by parent and name.
    known: HashMap<(Place, Box<[u8]>), Place>,
}

impl Tree {
    /// Where it begins: above everything.
    pub const ROOT: Place = 0;

    /// How many entries there are.
    pub fn count(&self) -> usize {
        self.nodes.len() - 1
    }

    /// What is in a folder: folders first, by name.
    pub fn children(&self, folder: Place) -> &[Place] {
        let (from, to) = self.spans.get(folder as usize).copied().unwrap_or_default();
        &self.order[from as usize..to as usize]
    }

    /// What is shown of an entry.
    pub fn shown(&self, place: Place) -> Shown<'_> {
        let node = &self.nodes[place as usize];
        Shown {
            name: &node.name,
            is_folder: node.is_folder(),
            kind: node.kind,
            bytes: node.bytes,
            beneath: node.beneath,
            modified: node.modified,
            mode: node.mode,
            target: node.target.as_deref(),
        }
    }

    /// The folder that it is in; the root is in itself.
    pub fn parent(&self, place: Place) -> Place {
        self.nodes[place as usize].parent
    }

    /// The folders above, from the outermost on, and the entry itself last; without the root.
    pub fn line(&self, place: Place) -> Vec<Place> {
        let mut line = Vec::new();
        let mut at = place;
        while at != Self::ROOT {
            line.push(at);
            at = self.parent(at);
        }
        line.reverse();
        line
    }

    /// Its path for people, lossily if it is no UTF-8.
    pub fn path(&self, place: Place) -> String {
        let names = self.line(place).into_iter();
        let names = names.map(|at| &*self.nodes[at as usize].name);
        names.collect::<Vec<_>>().join("/")
    }

    /// Its path as the snapshot has it, byte by byte.
    #[cfg(unix)]
    pub fn raw_path(&self, place: Place) -> PathBuf {
        use std::os::unix::ffi::OsStringExt as _;
        let names = self
            .line(place)
            .into_iter()
            .map(|at| self.nodes[at as usize].bytes());
        PathBuf::from(std::ffi::OsString::from_vec(
            names.collect::<Vec<_>>().join(&b'/'),
        ))
    }

    /// The first folder at or below this one that has more in it than one folder: nobody wants to
    /// click through `srv`, `docker`, `webui` one by one.
    pub fn unfold(&self, folder: Place) -> Place {
        let mut at = folder;
        while let [only] = self.children(at)
            && self.nodes[*only as usize].is_folder()
        {
            at = *only;
        }
        at
    }

    /// Whether a name has these words in it, in small letters.
    pub fn matches(&self, place: Place, words: &str) -> bool {
        let name = &self.nodes[place as usize].name;
        if name.is_ascii() && words.is_ascii() {
            let (name, words) = (name.as_bytes(), words.as_bytes());
            return words.len() <= name.len()
                && name
                    .windows(words.len().max(1))
                    .any(|part| part.eq_ignore_ascii_case(words));
        }
        name.to_lowercase().contains(words)
    }
}

impl Node {
    fn is_folder(&self) -> bool {
        matches!(self.kind, None | Some(EntryKind::Directory))
    }

    fn bytes(&self) -> &[u8] {
        self.raw.as_deref().unwrap_or(self.name.as_bytes())
    }
}

impl Default for Growing {
    fn default() -> Self {
        let root = Node {
            name: "".into(),
            raw: None,
            parent: Tree::ROOT,
            kind: None,
            bytes: 0,
            beneath: 0,
            modified: None,
            mode: 0,
            target: None,
        };
        Self {
            nodes: vec![root],
            known: HashMap::new(),
        }
    }
}

impl Growing {
    /// How many entries have come.
    pub fn count(&self) -> usize {
        self.nodes.len() - 1
    }

    /// Takes an entry. Folders above it that did not come are made up.
    pub fn add(&mut self, entry: &EntryInfo) {
        let raw = entry.path_hex.as_deref().and_then(bytes_of);
        let path = raw.as_deref().unwrap_or(entry.path.as_bytes());
        let mut at = Tree::ROOT;
        for name in path
            .split(|byte| *byte == b'/')
            .filter(|name| !name.is_empty())
        {
            at = self.child(at, name);
        }
        if at == Tree::ROOT {
            return;
        }
        let node = &mut self.nodes[at as usize];
        node.kind = Some(entry.kind);
        node.bytes = entry.size_bytes;
        node.modified = entry.modified;
        node.mode = entry.mode;
        node.target = entry.target.as_deref().map(Into::into);
    }

    fn child(&mut self, parent: Place, name: &[u8]) -> Place {
        if let Some(known) = self.known.get(&(parent, name.into())) {
            return *known;
        }
        // Whoever has more entries than this sees the first ones.
        let Ok(place) = Place::try_from(self.nodes.len()) else {
            return parent;
        };
        let text = String::from_utf8_lossy(name);
        let raw = matches!(text, std::borrow::Cow::Owned(_)).then(|| name.into());
        self.nodes.push(Node {
            name: text.into(),
            raw,
            parent,
            kind: None,
            bytes: 0,
            beneath: 0,
            modified: None,
            mode: 0,
            target: None,
        });
        self.known.insert((parent, name.into()), place);
        place
    }

    /// The tree, with what is in each folder in order.
    pub fn done(self) -> Tree {
        let mut nodes = self.nodes;
        drop(self.known);
        // What is in a folder comes after it in `nodes`: from the last on, sums are whole.
        for at in (1..nodes.len()).rev() {
            let (bytes, beneath, parent) = (nodes[at].bytes, nodes[at].beneath, nodes[at].parent);
            let above = &mut nodes[parent as usize];
            above.bytes = above.bytes.saturating_add(bytes);
            above.beneath = above.beneath.saturating_add(beneath).saturating_add(1);
        }
        let count = Place::try_from(nodes.len()).unwrap_or(Place::MAX);
        let mut order: Vec<Place> = (1..count).collect();
        order.sort_unstable_by(|a, b| by_folder(&nodes[*a as usize], &nodes[*b as usize]));
        let mut spans = vec![(0, 0); nodes.len()];
        let mut from = 0;
        while from < order.len() {
            let parent = nodes[order[from] as usize].parent;
            let same = order[from..].iter();
            let same = same
                .take_while(|at| nodes[**at as usize].parent == parent)
                .count();
            let span = (place(from), place(from + same));
            spans[parent as usize] = span;
            from += same;
        }
        Tree {
            nodes,
            order,
            spans,
        }
    }
}

fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// By the folder that they are in; there, folders first, and then by name.
fn by_folder(a: &Node, b: &Node) -> Ordering {
    let key = |node: &Node| (node.parent, !node.is_folder());
    key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    };
    digits.chunks_exact(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt as _;

    use backup_model::Digest;

    use super::*;

    fn entry(path: &str, kind: EntryKind, size_bytes: u64) -> EntryInfo {
        EntryInfo {
            stream: "config".to_owned(),
            path: path.to_owned(),
            path_hex: None,
            kind,
            size_bytes,
            mode: 0o644,
            uid: 0,
            gid: 0,
            modified: None,
            target: None,
            digest: Digest([0; 32]),
        }
    }

    fn grown() -> Tree {
        let mut growing = Growing::default();
        for (path, kind, size) in [
            ("srv/docker/webui", EntryKind::Directory, 0),
            ("srv/docker/webui/b.env", EntryKind::File, 10),
            ("srv/docker/webui/data", EntryKind::Directory, 0),
            ("srv/docker/webui/data/x.bin", EntryKind::File, 300),
            ("srv/docker/webui/a.toml", EntryKind::File, 7),
        ] {
            growing.add(&entry(path, kind, size));
        }
        growing.done()
    }

    fn names(tree: &Tree, folder: Place) -> Vec<&str> {
        let children = tree.children(folder).iter();
        children.map(|at| tree.shown(*at).name).collect()
    }

    #[test]
    fn folders_come_first_and_those_with_one_thing_in_them_are_passed() {
        let tree = grown();
        assert_eq!(names(&tree, Tree::ROOT), ["srv"]);
        let webui = tree.unfold(Tree::ROOT);
        assert_eq!(tree.path(webui), "srv/docker/webui");
        assert_eq!(names(&tree, webui), ["data", "a.toml", "b.env"]);
        let shown = tree.shown(webui);
        assert_eq!((shown.bytes, shown.beneath), (317, 4));
        assert_eq!(tree.count(), 7);
        let found: Vec<_> = (1..8).filter(|at| tree.matches(*at, "bin")).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(tree.path(found[0]), "srv/docker/webui/data/x.bin");
    }

    #[test]
    fn a_name_that_is_no_text_comes_back_byte_by_byte() {
        let mut growing = Growing::default();
        let mut odd = entry("etc/caf\u{fffd}", EntryKind::File, 1);
        odd.path_hex = Some("6574632f636166e9".to_owned());
        growing.add(&odd);
        growing.add(&entry("etc/two\nlines", EntryKind::File, 1));
        let tree = growing.done();
        let etc = tree.children(Tree::ROOT)[0];
        let all: Vec<_> = tree
            .children(etc)
            .iter()
            .map(|at| tree.raw_path(*at))
            .collect();
        let bytes: Vec<_> = all.iter().map(|path| path.as_os_str().as_bytes()).collect();
        assert_eq!(bytes, [&b"etc/caf\xe9"[..], b"etc/two\nlines"]);
    }

    #[test]
    fn a_million_entries_are_in_order() {
        let mut growing = Growing::default();
        for folder in 0..1_000 {
            for file in 0..1_000 {
                let path = format!("srv/{folder}/{file}");
                growing.add(&entry(&path, EntryKind::File, 1));
            }
        }
        let tree = growing.done();
        assert_eq!(tree.count(), 1_001_001);
        let srv = tree.unfold(Tree::ROOT);
        assert_eq!(tree.children(srv).len(), 1_000);
        assert_eq!(tree.shown(srv).bytes, 1_000_000);
    }
}
