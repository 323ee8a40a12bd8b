//! A tree of everything that a file system can hold: into a tar, and back by two programs.

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        ffi::OsStr,
        fs::{self, File},
        io::{self, Write},
        os::unix::{
            ffi::OsStrExt as _,
            fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, lchown, symlink},
        },
        path::{Path, PathBuf},
        process::Command,
    };

    use backup_core::{
        format::{Entry, FileTime, Node, NodeKind},
        sink::directory::{DirectoryTarget, ExtractOptions, Extracted},
        source::files::{EntrySink, FilesSpec, archive},
    };
    use backup_model::{Digest, FilesFacts};
    use rustix::fs::{
        AtFlags, CWD, FileType, Mode, Timespec, Timestamps, UTIME_OMIT, mknodat, utimensat,
    };
    use sha2::{Digest as _, Sha256};
    use tokio_util::sync::CancellationToken;

    /// Whether an earlier run knew this.
    type Known<'a> = Box<dyn FnMut(&Node) -> bool + 'a>;

    /// Keeps everything, and lets a test meddle between writes.
    #[derive(Default)]
    struct Kept<'a> {
        tar: Vec<u8>,
        entries: Vec<Entry>,
        from: usize,
        meddle: Option<Box<dyn FnMut(usize) + 'a>>,
        /// Asked about files of an earlier run.
        known: Option<Known<'a>>,
    }

    impl Write for Kept<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.tar.extend_from_slice(bytes);
            if let Some(meddle) = &mut self.meddle {
                meddle(self.tar.len());
            }
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl EntrySink for Kept<'_> {
        fn end_entry(&mut self, entry: &Entry) -> io::Result<()> {
            let bytes = &self.tar[self.from..];
            assert_eq!(entry.length, bytes.len() as u64);
            assert_eq!(entry.length % 512, 0);
            assert_eq!(entry.sha256, Digest(Sha256::digest(bytes).into()));
            assert!(Entry::parse(&entry.to_line()).is_ok_and(|parsed| parsed == *entry));
            self.from = self.tar.len();
            self.entries.push(entry.clone());
            Ok(())
        }

        fn take_over(&mut self, node: &Node) -> io::Result<bool> {
            assert_eq!(self.from, self.tar.len(), "only between entries");
            assert_eq!(node.kind, NodeKind::File { sparse: false });
            Ok(self.known.as_mut().is_some_and(|known| known(node)))
        }
    }

    impl<'a> Kept<'a> {
        fn meddling(meddle: impl FnMut(usize) + 'a) -> Self {
            Self {
                meddle: Some(Box::new(meddle)),
                ..Self::default()
            }
        }

        fn paths(&self) -> Vec<String> {
            let nodes = self.entries.iter().filter_map(|entry| entry.node.as_ref());
            nodes
                .map(|node| String::from_utf8_lossy(&node.path).into_owned())
                .collect()
        }
    }

    fn spec(roots: &[&Path]) -> FilesSpec {
        FilesSpec {
            roots: roots.iter().map(PathBuf::from).collect(),
            ..FilesSpec::default()
        }
    }

    fn run(roots: &[&Path], kept: &mut Kept<'_>) -> FilesFacts {
        run_spec(&spec(roots), kept)
    }

    fn run_spec(spec: &FilesSpec, kept: &mut Kept<'_>) -> FilesFacts {
        let facts = archive(spec, kept, &CancellationToken::new()).unwrap();
        assert_eq!(kept.from, kept.tar.len());
        assert!(kept.entries.pop().unwrap().node.is_none());
        facts
    }

    fn restore(tar: &[u8], path: &Path, options: ExtractOptions) -> Extracted {
        let mut extraction = DirectoryTarget::new(path).unwrap().begin().unwrap();
        let cancel = CancellationToken::new();
        let done = extraction.extract(&mut &tar[..], options, &cancel).unwrap();
        extraction.publish().unwrap();
        done
    }

    fn everything() -> ExtractOptions {
        ExtractOptions {
            numeric_owner: true,
            keep_setid: true,
        }
    }

    fn set_mtime(path: &Path, secs: i64, nanos: i64) {
        let times = Timestamps {
            last_access: Timespec {
                tv_sec: 0,
                tv_nsec: UTIME_OMIT,
            },
            last_modification: Timespec {
                tv_sec: secs,
                tv_nsec: nanos,
            },
        };
        utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn make_nasty(root: &Path) {
        let at = |name: &[u8]| root.join(OsStr::from_bytes(name));
        let long = "n".repeat(250);
        for dir in ["empty", "sticky", "locked", "-dash"] {
            fs::create_dir_all(root.join(dir)).unwrap();
        }
        let deep = (0..6).fold(root.to_owned(), |path, _| path.join(&long));
        fs::create_dir_all(&deep).unwrap();
        let middle = root.join("m".repeat(60)).join("k".repeat(60));
        fs::create_dir_all(&middle).unwrap();
        let names: [&[u8]; 8] = [
            b"line\nfeed",
            b"-rf",
            b"\xff\xfe odd",
            "\u{fc}n\u{ef} \u{1f980}".as_bytes(),
            b" space ",
            b"tab\t",
            b"back\\slash",
            b"...",
        ];
        for name in names {
            fs::write(at(name), name).unwrap();
        }
        fs::write(deep.join("leaf"), "deep").unwrap();
        fs::write(middle.join("leaf"), vec![b'y'; 300_001]).unwrap();
        fs::write(root.join("nothing"), "").unwrap();
        fs::write(root.join("block"), [7; 512]).unwrap();
        for (name, mode) in [
            ("m000", 0o600),
            ("m0400", 0o400),
            ("m0755", 0o755),
            ("setuid", 0o4711),
        ] {
            fs::write(root.join(name), name).unwrap();
            set_mode(&root.join(name), mode);
        }
        make_links(root);
        make_sparse(root);
        let fifo = Mode::from_raw_mode(0o600);
        mknodat(CWD, root.join("fifo"), FileType::Fifo, fifo, 0).unwrap();
        drop(std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap());
        if rustix::process::geteuid().is_root() {
            // Others can neither read the one nor make the other.
            set_mode(&root.join("m000"), 0);
            lchown(root.join("m0755"), Some(3_000_000), Some(77)).unwrap();
        }
        set_mtime(&root.join("m0400"), -1, 500_000_000);
        set_mtime(&root.join("m0755"), -86_400, 0);
        set_mtime(&root.join("block"), 1_700_000_000, 1);
        set_mtime(&root.join("dangling"), 1_600_000_000, 999_999_999);
        fs::write(root.join("locked/inside"), "x").unwrap();
        set_mode(&root.join("sticky"), 0o1777);
        set_mode(&root.join("locked"), 0o500);
        set_mtime(&root.join("locked"), 1_500_000_000, 123);
        set_mtime(root, 1_400_000_000, 5);
    }

    fn make_links(root: &Path) {
        let links = [
            ("dangling", "no/such"),
            ("todir", "empty"),
            ("absolute", "/etc/passwd"),
            ("loop", "loop"),
            ("up", "../../.."),
        ];
        for (name, target) in links {
            symlink(target, root.join(name)).unwrap();
        }
        symlink("t".repeat(300), root.join("longlink")).unwrap();
        symlink(OsStr::from_bytes(b"\xff/\n"), root.join("oddlink")).unwrap();
        fs::write(root.join("one"), "linked").unwrap();
        fs::hard_link(root.join("one"), root.join("two")).unwrap();
        fs::hard_link(root.join("one"), root.join("empty/three")).unwrap();
    }

    fn make_sparse(root: &Path) {
        let holes = |name: &str| {
            let file = File::create(root.join(name)).unwrap();
            file.set_len(64 << 20).unwrap();
            file
        };
        let file = holes("sparse");
        for (at, text) in [
            (0_u64, "start"),
            ((20 << 20) + 77, "middle"),
            (50 << 20, "late"),
        ] {
            file.write_all_at(text.as_bytes(), at).unwrap();
        }
        holes("hole");
        holes("tail").write_all_at(b"end", (64 << 20) - 3).unwrap();
    }

    /// What must come back, by path.
    fn facts_of(root: &Path) -> BTreeMap<PathBuf, String> {
        let mut found = BTreeMap::new();
        let mut stack = vec![root.to_owned()];
        let mut inodes: BTreeMap<u64, PathBuf> = BTreeMap::new();
        while let Some(path) = stack.pop() {
            let facts = path.symlink_metadata().unwrap();
            let short = path.strip_prefix(root).unwrap().to_owned();
            let kind = facts.file_type();
            let what = if kind.is_dir() {
                let mut names: Vec<_> = fs::read_dir(&path)
                    .unwrap()
                    .map(|name| name.unwrap().path())
                    .collect();
                names.sort();
                stack.extend(names.into_iter().rev());
                "folder".to_owned()
            } else if kind.is_symlink() {
                format!("link to {}", fs::read_link(&path).unwrap().display())
            } else if kind.is_file() {
                let first = inodes.entry(facts.ino()).or_insert_with(|| short.clone());
                let digest = Digest(Sha256::digest(fs::read(&path).unwrap()).into());
                let sparse = facts.blocks() * 512 < facts.len();
                format!(
                    "file {} {digest} like {} sparse {sparse}",
                    facts.len(),
                    first.display()
                )
            } else {
                continue;
            };
            let times = (facts.mtime(), facts.mtime_nsec());
            let line = format!(
                "{what} {:o} {}:{} {times:?}",
                facts.mode(),
                facts.uid(),
                facts.gid()
            );
            found.insert(short, line);
        }
        found
    }

    #[test]
    fn a_nasty_tree_comes_back_by_us_and_by_stock_tar() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("source");
        fs::create_dir(&root).unwrap();
        make_nasty(&root);
        let before = facts_of(&root);
        let mut kept = Kept::default();
        let facts = run(&[&root], &mut kept);
        assert_eq!(facts.unreadable, 0, "{:?}", facts.examples);
        assert_eq!(kept.entries.len(), before.len());
        assert!(kept.tar.len() < 2 << 20, "holes are left out");
        let mut again = Kept::default();
        run(&[&root], &mut again);
        assert!(again.tar == kept.tar, "the same tree gives the same bytes");
        let sparse = kept.entries.iter().filter_map(|entry| entry.node.as_ref());
        let sparse = sparse.filter(|node| node.kind == NodeKind::File { sparse: true });
        assert_eq!(sparse.count(), 3);

        let ours = dir.path().join("ours");
        let inside = root.strip_prefix("/").unwrap();
        let done = restore(&kept.tar, &ours, everything());
        assert_eq!(
            (done.entries, done.warnings.len()),
            (before.len() as u64, 0)
        );
        assert_eq!(facts_of(&ours.join(inside)), before);

        let stock = dir.path().join("stock");
        fs::create_dir(&stock).unwrap();
        fs::write(dir.path().join("a.tar"), &kept.tar).unwrap();
        let output = Command::new("tar")
            .args(["-xp", "--numeric-owner", "-f", "../a.tar"])
            .current_dir(&stock)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(facts_of(&stock.join(inside)), before);
    }

    #[test]
    fn set_id_bits_and_owners_come_back_only_on_request() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("source");
        fs::create_dir(&root).unwrap();
        for name in ["a", "b"] {
            fs::write(root.join(name), name).unwrap();
            set_mode(&root.join(name), 0o6755);
        }
        let mut kept = Kept::default();
        run(&[&root], &mut kept);
        let out = dir.path().join("out");
        let done = restore(&kept.tar, &out, ExtractOptions::default());
        assert_eq!((done.dropped_setid, done.warnings.len()), (2, 1));
        let restored = out.join(root.strip_prefix("/").unwrap()).join("a");
        assert_eq!(fs::metadata(restored).unwrap().mode() & 0o7777, 0o755);
    }

    #[test]
    fn what_cannot_be_read_is_listed_and_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("source");
        fs::create_dir_all(root.join("b")).unwrap();
        for name in ["a", "b/x", "c", "d"] {
            fs::write(root.join(name), name).unwrap();
        }
        symlink("source", dir.path().join("link")).unwrap();
        let mut kept = Kept::default();
        let missing = dir.path().join("missing");
        let inner = root.join("missing");
        let facts = run(
            &[
                &root,
                &missing,
                &dir.path().join("link"),
                &inner,
                &root.join("b"),
            ],
            &mut kept,
        );
        let listed: Vec<_> = facts
            .examples
            .iter()
            .map(|example| example.path.clone())
            .collect();
        let shown = |name: &str| dir.path().join(name).display().to_string();
        assert_eq!(
            listed,
            [shown("link"), shown("missing"), shown("source/missing")]
        );
        assert_eq!(facts.unreadable, 3);
        let base = dir.path().strip_prefix("/").unwrap().display().to_string();
        let names = [
            "link",
            "source",
            "source/a",
            "source/b",
            "source/b/x",
            "source/c",
            "source/d",
        ];
        assert_eq!(kept.paths(), names.map(|name| format!("{base}/{name}")));
    }

    #[test]
    fn a_name_that_vanishes_during_the_walk_is_listed() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            fs::write(dir.path().join(name), name).unwrap();
        }
        // The folder was listed when its entry and the first file were written.
        let mut kept = Kept::meddling(|length| {
            if length > 3000 {
                fs::remove_file(dir.path().join("c")).ok();
            }
        });
        let facts = run(&[dir.path()], &mut kept);
        assert_eq!(facts.unreadable, 1, "{facts:?}");
        assert!(facts.examples[0].path.ends_with("/c"));
        assert_eq!(kept.paths().len(), 3);
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_keeps_its_declared_size() {
        for (grows, len) in [(false, 100_u64), (true, 9_000_000)] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("file");
            fs::write(&path, vec![b'z'; 6_000_000]).unwrap();
            let mut kept = Kept::meddling(|length| {
                if length > 200_000 {
                    File::options()
                        .write(true)
                        .open(&path)
                        .unwrap()
                        .set_len(len)
                        .unwrap();
                }
            });
            let facts = run(&[&path], &mut kept);
            assert_eq!(facts.unreadable, 1, "{facts:?}");
            let node = kept.entries[0].node.as_ref().unwrap();
            assert_eq!(node.ctime, FileTime::default(), "nobody takes it over");
            let out = dir.path().join("out");
            restore(&kept.tar, &out, ExtractOptions::default());
            let restored = fs::read(out.join(path.strip_prefix("/").unwrap())).unwrap();
            assert_eq!(restored.len(), 6_000_000);
            assert_eq!(restored.last(), Some(if grows { &b'z' } else { &0 }));
        }
    }

    /// Paths below a folder, as the archive names them.
    fn below(root: &Path, kept: &Kept<'_>) -> Vec<String> {
        let base = format!("{}/", root.strip_prefix("/").unwrap().display());
        let paths = kept.paths().into_iter();
        paths
            .filter_map(|path| Some(path.strip_prefix(&base)?.to_owned()))
            .collect()
    }

    #[test]
    fn a_file_that_is_known_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for name in ["a", "b", "c"] {
            fs::write(root.join(name), name).unwrap();
        }
        fs::hard_link(root.join("b"), root.join("d")).unwrap();
        let mut first = Kept::default();
        run(&[root], &mut first);
        let nodes = first.entries.iter().filter_map(|entry| entry.node.clone());
        let nodes: Vec<Node> = nodes.collect();
        let mut asked = Vec::new();
        let mut kept = Kept {
            known: Some(Box::new(|node| {
                let path = Path::new("/").join(OsStr::from_bytes(&node.path));
                asked.push(path.clone());
                let opened = fs::read_dir("/proc/self/fd").unwrap();
                let mut opened = opened.filter_map(|fd| fs::read_link(fd.unwrap().path()).ok());
                assert!(!opened.any(|other| other == path), "{path:?} is open");
                let known = nodes.contains(node) && !path.ends_with("c");
                if known && path.ends_with("a") {
                    // Whoever wants to open it now will see.
                    fs::remove_file(&path).unwrap();
                }
                known
            })),
            ..Kept::default()
        };
        let facts = run(&[root], &mut kept);
        assert_eq!(facts.unreadable, 0, "{facts:?}");
        assert_eq!(below(root, &kept), ["c", "d"]);
        let target = kept.entries.last().unwrap().node.clone().unwrap().kind;
        let b = root.join("b");
        let b = b.strip_prefix("/").unwrap().as_os_str().as_bytes().to_vec();
        assert_eq!(target, NodeKind::Hardlink { target: b });
        drop(kept);
        assert_eq!(asked, ["a", "b", "c"].map(|name| root.join(name)));
    }

    #[test]
    fn entries_are_in_the_order_of_their_parts() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for file in ["a/x", "a-b", "a.c/y", "B", "a/x-1", "q/a\x01", "q/a/z"] {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        let mut whole = Kept::default();
        run(&[root], &mut whole);
        let ordered = [
            "B", "a", "a/x", "a/x-1", "a-b", "a.c", "a.c/y", "q", "q/a", "q/a/z", "q/a\x01",
        ];
        assert_eq!(below(root, &whole), ordered);
        let roots = ["a.c", "a-b", "q", "a/x"].map(|name| root.join(name));
        let mut several = Kept::default();
        run(&roots.each_ref().map(PathBuf::as_path), &mut several);
        let ordered = ["a/x", "a-b", "a.c", "a.c/y", "q", "q/a", "q/a/z", "q/a\x01"];
        assert_eq!(below(root, &several), ordered);
    }

    #[test]
    fn what_is_not_wanted_is_left_out_and_counted() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for file in [
            ".cache/deep/x",
            "a.sock",
            "keep",
            "tmp/x",
            "big",
            "sub/tmp/y",
            "sub/big",
        ] {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        fs::write(root.join("big"), [0; 101]).unwrap();
        fs::write(root.join("sub/big"), [0; 100]).unwrap();
        let tmp = root.join("tmp").display().to_string();
        let patterns = ["**/.cache/**", "*.sock", &tmp];
        let spec = FilesSpec {
            exclude: patterns.iter().map(|text| text.parse().unwrap()).collect(),
            max_file_bytes: Some(100),
            ..spec(&[root])
        };
        let mut kept = Kept::default();
        let facts = run_spec(&spec, &mut kept);
        let names = [".cache", "keep", "sub", "sub/big", "sub/tmp", "sub/tmp/y"];
        assert_eq!(below(root, &kept), names);
        assert_eq!((facts.excluded, facts.too_large), (3, 1));
        assert_eq!(facts.unreadable, 0);
        let large = &facts.too_large_examples[0];
        assert_eq!(large.path, root.join("big").display().to_string());
        assert_eq!(large.size_bytes, 101);
    }

    /// Counts and keeps nothing.
    #[derive(Default)]
    struct Counting {
        entries: u64,
        bytes: u64,
        last: Vec<u8>,
    }

    impl Write for Counting {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.bytes += bytes.len() as u64;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl EntrySink for Counting {
        fn end_entry(&mut self, entry: &Entry) -> io::Result<()> {
            if let Some(node) = &entry.node {
                let parts = |path| Path::new(OsStr::from_bytes(path)).to_owned();
                assert!(parts(&self.last) < parts(&node.path));
                self.last.clone_from(&node.path);
                self.entries += 1;
            }
            Ok(())
        }

        fn take_over(&mut self, _: &Node) -> io::Result<bool> {
            Ok(false)
        }
    }

    #[test]
    fn a_hundred_thousand_files_in_one_folder_cost_their_names_only() {
        const FILES: u64 = 100_000;
        let dir = tempfile::tempdir().unwrap();
        for number in 0..FILES {
            File::create(dir.path().join(format!("{number:07}.json"))).unwrap();
        }
        let before = peak_kib();
        let mut counting = Counting::default();
        let facts = archive(
            &spec(&[dir.path()]),
            &mut counting,
            &CancellationToken::new(),
        );
        assert_eq!(facts.unwrap().unreadable, 0);
        assert_eq!(counting.entries, FILES + 1);
        assert!(counting.bytes > FILES * 512);
        let grown = peak_kib() - before;
        assert!(grown < 5 << 10, "{grown} KiB for {FILES} names");
    }

    /// The most memory that this process has had.
    fn peak_kib() -> u64 {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.unwrap().trim().trim_end_matches(" kB");
        number.parse().unwrap()
    }
}
