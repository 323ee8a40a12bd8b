//! A tree of files with everything that goes wrong in backups, and what must come back of it.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::program::{Ran, stock};

/// Makes it in the empty working directory. The two last lines: a folder's own time comes last.
const NASTY: &str = r#"
set -eu
long=$(printf 'n%.0s' $(seq 240))
mkdir -p empty locked sticky -- -dash "$long/$long/$long"
mkfifo pipe
for name in "line
feed" -rf " space " "back\\slash" ... "ünï 🦀" "quote'\"" '$HOME'; do
    printf '%s' "$name" >"./$name"
done
printf odd >"$(printf '\377\376 odd')"
echo deep >"$long/$long/$long/leaf"
head -c 300001 /dev/urandom >random
head -c 512 /dev/zero >block
: >nothing
ln -s no/such dangling
ln -s empty todir
ln -s /etc/passwd absolute
ln -s loop loop
ln -s ../../.. up
ln -s "$long$long" longlink
ln -s "$(printf '\377/')" oddlink
echo linked >one
ln one two
ln one empty/three
truncate -s 8M hole
truncate -s 8M sparse
printf start | dd of=sparse conv=notrunc status=none
printf middle | dd of=sparse conv=notrunc status=none bs=1 seek=5000077
printf end >tail
truncate -s 0 tail
printf end | dd of=tail conv=notrunc status=none bs=1 seek=4000000
for mode in 400 600 644 755 4711 2755; do echo "$mode" >"m$mode"; chmod "$mode" "m$mode"; done
if [ "$(id -u)" = 0 ]; then
    echo secret >m000
    chmod 0 m000
    chown 3000000:77 m644
    chown -h 12345:6 dangling
fi
touch -h -d '1969-12-31 23:59:58.5 UTC' m400
touch -h -d '2001-02-03 04:05:06.123456789 UTC' block
touch -h -d '2002-03-04 05:06:07.999999999 UTC' dangling
echo x >locked/inside
chmod 1777 sticky
chmod 500 locked
touch -d '2003-04-05 06:07:08.000000001 UTC' locked
touch -d '2004-05-06 07:08:09.987654321 UTC' .
"#;

/// Makes the tree in a new folder.
pub(crate) fn make_nasty(root: &Path) {
    fs::create_dir(root).unwrap();
    let mut command = stock("bash");
    command.args(["-c", NASTY]).current_dir(root);
    Ran::of(command).expect(0);
}

/// What one thing in a tree is.
#[derive(PartialEq, Eq)]
enum Node {
    Folder,
    Link(PathBuf),
    File {
        content: Vec<u8>,
        sparse: bool,
        same_as: PathBuf,
    },
}

/// What must be as it was.
#[derive(PartialEq, Eq)]
struct Facts {
    node: Node,
    mode: u32,
    owner: (u32, u32),
    mtime: (i64, i64),
}

/// A tree as it must come back, by path. Pipes and sockets do not come back.
pub(crate) struct Tree(BTreeMap<PathBuf, Facts>);

impl Tree {
    /// Reads a tree.
    pub(crate) fn of(root: &Path) -> Self {
        let mut found = BTreeMap::new();
        let mut first_names = BTreeMap::new();
        let mut waiting = vec![root.to_owned()];
        while let Some(path) = waiting.pop() {
            let metadata = path
                .symlink_metadata()
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let short = path.strip_prefix(root).unwrap().to_owned();
            let kind = metadata.file_type();
            let node = if kind.is_dir() {
                let entries = fs::read_dir(&path).unwrap();
                let mut names: Vec<OsString> =
                    entries.map(|entry| entry.unwrap().file_name()).collect();
                // The stack gives them back in order, so that the first of several links is
                // the same one everywhere.
                names.sort_by(|a, b| b.cmp(a));
                waiting.extend(names.iter().map(|name| path.join(name)));
                Node::Folder
            } else if kind.is_symlink() {
                Node::Link(fs::read_link(&path).unwrap())
            } else if kind.is_file() {
                let first = first_names.entry(metadata.ino());
                Node::File {
                    content: fs::read(&path).unwrap(),
                    sparse: metadata.blocks() * 512 < metadata.len(),
                    same_as: first.or_insert_with(|| short.clone()).clone(),
                }
            } else {
                continue;
            };
            let facts = Facts {
                node,
                mode: metadata.mode(),
                owner: (metadata.uid(), metadata.gid()),
                mtime: (metadata.mtime(), metadata.mtime_nsec()),
            };
            found.insert(short, facts);
        }
        Self(found)
    }

    /// How many things are in it.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Fails the test and names every path that differs.
    #[track_caller]
    pub(crate) fn assert_same(&self, other: &Self) {
        let mut paths: Vec<&PathBuf> = self.0.keys().chain(other.0.keys()).collect();
        paths.sort();
        paths.dedup();
        let told: Vec<String> = paths
            .into_iter()
            .filter(|path| self.0.get(*path) != other.0.get(*path))
            .map(|path| {
                let (ours, theirs) = (self.0.get(path), other.0.get(path));
                format!("{path:?}: {} is now {}", shown(ours), shown(theirs))
            })
            .collect();
        assert!(told.is_empty(), "{}", told.join("\n"));
    }
}

fn shown(facts: Option<&Facts>) -> String {
    let Some(facts) = facts else {
        return "nothing".to_owned();
    };
    let node = match &facts.node {
        Node::Folder => "a folder".to_owned(),
        Node::Link(target) => format!("a link to {target:?}"),
        Node::File {
            content,
            sparse,
            same_as,
        } => {
            let length = content.len();
            format!("a file of {length} bytes, sparse {sparse}, like {same_as:?}")
        }
    };
    let Facts {
        mode, owner, mtime, ..
    } = facts;
    format!("{node} {mode:o} {owner:?} {mtime:?}")
}
