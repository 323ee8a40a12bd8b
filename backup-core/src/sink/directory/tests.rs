//! Hostile archives, one for each rule, and targets that may not be used.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
};

use backup_model::Code;
use tar::{EntryType, Header};
use tokio_util::sync::CancellationToken;

use rustix::io::Errno;

use super::{error::failed, *};
use crate::format::{PathFault, pax::PaxFault, pax::push_record};

/// Builds an archive without any of the checks.
#[derive(Default)]
struct Evil(Vec<u8>);

impl Evil {
    fn raw(mut self, name: &[u8], kind: u8, link: &[u8], size: u64, body: &[u8]) -> Self {
        let mut header = Header::new_ustar();
        let old = header.as_old_mut();
        let shown = name.len().min(100);
        old.name[..shown].copy_from_slice(&name[..shown]);
        old.linkname[..link.len()].copy_from_slice(link);
        header.set_entry_type(EntryType::new(kind));
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(size);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(body);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str) -> Self {
        self.raw(name.as_bytes(), b'0', b"", 1, b"x")
    }

    fn link(self, name: &str, kind: u8, target: &str) -> Self {
        self.raw(name.as_bytes(), kind, target.as_bytes(), 0, b"")
    }

    fn pax(self, records: &[(&str, &[u8])]) -> Self {
        let mut body = Vec::new();
        for (key, value) in records {
            push_record(&mut body, key, value);
        }
        self.raw(b"pax", b'x', b"", body.len() as u64, &body)
    }

    fn sparse(self, realsize: &str, map: &str, data: &[u8]) -> Self {
        let mut body = map.as_bytes().to_vec();
        body.resize(body.len().next_multiple_of(512), 0);
        body.extend_from_slice(data);
        self.pax(&[
            ("GNU.sparse.major", b"1"),
            ("GNU.sparse.minor", b"0"),
            ("GNU.sparse.name", b"sparse"),
            ("GNU.sparse.realsize", realsize.as_bytes()),
        ])
        .raw(b"s", b'0', b"", body.len() as u64, &body)
    }

    fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

fn evil() -> Evil {
    Evil::default()
}

struct Outcome(Result<Extracted, DirectoryError>);

/// Extracts in a fresh folder, and makes sure that nothing outside of it was touched.
fn attempt(bytes: &[u8]) -> Outcome {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("witness"), "untouched").unwrap();
    let target = DirectoryTarget::new(&dir.path().join("out")).unwrap();
    let mut extraction = target.begin().unwrap();
    let mut reader = bytes;
    let cancel = CancellationToken::new();
    let result = extraction.extract(&mut reader, ExtractOptions::default(), &cancel);
    assert!(reader.is_empty(), "the archive is read to its end");
    let names = || {
        let names = fs::read_dir(dir.path()).unwrap();
        let mut names: Vec<_> = names.map(|name| name.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(), [".out.partial", "witness"]);
    assert_eq!(fs::read(dir.path().join("witness")).unwrap(), b"untouched");
    extraction.abandon().unwrap();
    assert_eq!(names(), ["witness"]);
    Outcome(result)
}

fn fault(bytes: &[u8]) -> TarFault {
    match attempt(bytes).0 {
        Err(DirectoryError::Refused { fault, .. }) => fault,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn hostile_names_are_refused() {
    let long = vec![b'a'; 4097];
    let deep = &b"a/".repeat(129)[..257];
    let named = |path: &[u8]| evil().pax(&[("path", path)]).file("x").end();
    let cases: [(Vec<u8>, PathFault); 9] = [
        (evil().file("/etc/x").end(), PathFault::Absolute),
        (evil().file("../witness").end(), PathFault::Part),
        (evil().file("a/../../witness").end(), PathFault::Part),
        (evil().file("a//b").end(), PathFault::Part),
        (evil().file("./a").end(), PathFault::Part),
        (evil().file("").end(), PathFault::Empty),
        (named(b"a\0b"), PathFault::Nul),
        (named(&long), PathFault::TooLong),
        (named(deep), PathFault::TooDeep),
    ];
    for (archive, expected) in cases {
        assert_eq!(fault(&archive), TarFault::Path(expected));
    }
}

#[test]
fn hostile_links_and_kinds_are_refused() {
    let cases: Vec<(Vec<u8>, TarFault)> = vec![
        (
            evil().link("l", b'2', "..").file("l/x").end(),
            TarFault::Through,
        ),
        (
            evil().link("l", b'2', "x").link("l/x", b'5', "").end(),
            TarFault::Through,
        ),
        (evil().link("l", b'2', "x").file("l").end(), TarFault::Twice),
        (
            evil().link("l", b'2', "x").link("l", b'2', "y").end(),
            TarFault::Twice,
        ),
        (evil().file("f").link("f", b'2', "x").end(), TarFault::Twice),
        (evil().file("f").file("f").end(), TarFault::Twice),
        (evil().file("f").link("f", b'5', "").end(), TarFault::Twice),
        (evil().link("d", b'5', "").file("d").end(), TarFault::Twice),
        (
            evil().file("d/f").link("d", b'2', "x").end(),
            TarFault::Twice,
        ),
        (evil().file("f").file("f/x").end(), TarFault::Through),
        (evil().link("h", b'1', "witness").end(), TarFault::Hardlink),
        (
            evil().link("d", b'5', "").link("h", b'1', "d").end(),
            TarFault::Hardlink,
        ),
        (
            evil()
                .link("l", b'2', "/etc/passwd")
                .link("h", b'1', "l")
                .end(),
            TarFault::Hardlink,
        ),
        (
            evil().link("h", b'1', "../witness").end(),
            TarFault::Path(PathFault::Part),
        ),
        (evil().link("l", b'2', "").end(), TarFault::Symlink),
    ];
    for (archive, expected) in cases {
        assert_eq!(fault(&archive), expected);
    }
    for kind in [b'3', b'4', b'6', b'7', b'g', b'L', b'K', b'S', b'D', b'V'] {
        assert_eq!(
            fault(&evil().link("x", kind, "").end()),
            TarFault::Kind(kind)
        );
    }
}

#[test]
fn hostile_headers_are_refused() {
    let mut checksum = evil().file("f").end();
    checksum[0] ^= 1;
    let mut cut = evil().file("f").0;
    cut.truncate(700);
    let mut after = evil().file("f").end();
    after.extend_from_slice(&[0; 2048]);
    assert!(attempt(&after).0.is_ok());
    after.push(1);
    let sized = |size: &[u8]| evil().pax(&[("size", size)]).file("f").end();
    let twice = evil()
        .pax(&[("path", b"a"), ("path", b"b")])
        .file("f")
        .end();
    let lone = evil().pax(&[("path", b"a")]);
    let double = evil().pax(&[]).pax(&[]).file("f").end();
    let cases: Vec<(Vec<u8>, TarFault)> = vec![
        (checksum, TarFault::Header),
        (cut, TarFault::Cut),
        (evil().file("f").0, TarFault::Cut),
        (Vec::new(), TarFault::Cut),
        (after, TarFault::AfterEnd),
        (sized(b"2"), TarFault::Size),
        (sized(b"9000000000000"), TarFault::Size),
        (sized(b"-1"), TarFault::Pax(PaxFault::Number)),
        (twice, TarFault::Pax(PaxFault::Twice)),
        (lone.end(), TarFault::PaxPlace),
        (double, TarFault::PaxPlace),
        (
            evil().raw(b"d", b'5', b"", 1, b"x").end(),
            TarFault::Content,
        ),
    ];
    for (archive, expected) in cases {
        assert_eq!(fault(&archive), expected);
    }
}

#[test]
fn hostile_maps_of_holes_are_refused() {
    let good = evil().sparse("4096", "1\n512\n4\n", b"data").end();
    assert_eq!(attempt(&good).0.unwrap().bytes, 4096);
    for (realsize, map, data) in [
        ("4096", "2\n512\n2\n0\n2\n", "data"),
        ("4096", "2\n0\n3\n2\n1\n", "data"),
        ("514", "1\n512\n4\n", "data"),
        ("4096", "1\n512\n5\n", "data"),
        ("4096", "1\n512\n3\n", "data"),
        ("4096", "1\n18446744073709551615\n4\n", "data"),
        ("4096", "99999999\n", "data"),
        ("4096", "-1\n", "data"),
        ("4096", "1\n", ""),
        ("4096", "", ""),
    ] {
        let archive = evil().sparse(realsize, map, data.as_bytes()).end();
        assert_eq!(fault(&archive), TarFault::Sparse, "{map}");
    }
    let old = evil().pax(&[("GNU.sparse.size", b"1")]).file("f").end();
    assert_eq!(fault(&old), TarFault::Sparse);
}

#[test]
fn a_target_in_use_is_refused_before_anything_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let codes = |name: &str, needed| {
        let (obstacles, free) = DirectoryTarget::new(&at(name)).unwrap().preflight(needed);
        assert!(free.is_some() || name.contains('/'));
        obstacles
            .iter()
            .map(|obstacle| obstacle.code)
            .collect::<Vec<_>>()
    };
    fs::create_dir(at("full")).unwrap();
    fs::write(at("full/x"), "").unwrap();
    fs::write(at("file"), "").unwrap();
    fs::create_dir(at("empty")).unwrap();
    fs::create_dir(at(".old.partial")).unwrap();
    symlink("empty", at("link")).unwrap();
    assert_eq!(codes("new", 1), []);
    assert_eq!(codes("empty", 1), []);
    assert_eq!(codes("full", 1), [Code::TargetNotEmpty]);
    assert_eq!(codes("file", 1), [Code::TargetNotEmpty]);
    assert_eq!(codes("old", 1), [Code::TargetNotEmpty]);
    assert_eq!(codes("link", 1), [Code::TargetRefused]);
    assert_eq!(codes("none/new", 1), [Code::LocalIo]);
    assert_eq!(codes("new", u64::MAX), [Code::NoSpace]);
    for name in ["full", "file", "old", "link"] {
        assert!(DirectoryTarget::new(&at(name)).unwrap().begin().is_err());
    }
    for path in ["relative", "/", "/a/.."] {
        assert!(DirectoryTarget::new(path.as_ref()).is_err(), "{path}");
    }
}

#[test]
fn a_full_disk_has_its_own_code() {
    for error in [Errno::NOSPC, Errno::DQUOT] {
        assert_eq!(failed("write", "x")(error).code(), Code::NoSpace);
    }
    assert_eq!(failed("write", "x")(Errno::IO).code(), Code::LocalIo);
}

#[test]
fn publishing_replaces_an_empty_folder_and_never_a_full_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out");
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o751)).unwrap();
    let target = DirectoryTarget::new(&path).unwrap();
    let archive = evil().file("a/f").link("a/s", b'2', "../../x").end();
    let cancel = CancellationToken::new();
    let run = || {
        let mut extraction = target.begin().unwrap();
        let options = ExtractOptions::default();
        let done = extraction
            .extract(&mut &archive[..], options, &cancel)
            .unwrap();
        assert_eq!((done.entries, done.bytes, done.dropped_setid), (2, 1, 0));
        extraction
    };
    assert_eq!(run().publish().unwrap(), path);
    assert_eq!(fs::metadata(&path).unwrap().mode_bits(), 0o751);
    assert_eq!(fs::metadata(path.join("a")).unwrap().mode_bits(), 0o755);
    assert_eq!(fs::read(path.join("a/f")).unwrap(), b"x");
    fs::remove_dir_all(&path).unwrap();
    let extraction = run();
    fs::create_dir_all(path.join("somebody")).unwrap();
    let error = extraction.publish().unwrap_err();
    assert_eq!(error.code(), Code::TargetNotEmpty);
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(left.len(), 1);
    cancel.cancel();
    fs::remove_dir_all(&path).unwrap();
    let mut extraction = target.begin().unwrap();
    let result = extraction.extract(&mut &archive[..], ExtractOptions::default(), &cancel);
    assert!(matches!(result, Err(DirectoryError::Cancelled)));
}

trait ModeBits {
    fn mode_bits(&self) -> u32;
}

impl ModeBits for fs::Metadata {
    fn mode_bits(&self) -> u32 {
        self.permissions().mode() & 0o7777
    }
}
