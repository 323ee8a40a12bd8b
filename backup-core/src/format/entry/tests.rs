use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};

use super::*;

fn node(path: &[u8], kind: NodeKind) -> Entry {
    Entry {
        length: 2048,
        sha256: Digest([7; 32]),
        node: Some(Node {
            path: path.to_vec(),
            kind,
            size: 0,
            mode: 0o600,
            uid: 0,
            gid: 0,
            mtime: FileTime {
                secs: -1,
                nanos: 120_000_000,
            },
            ctime: FileTime::default(),
            dev: 2049,
            ino: 131_073,
        }),
    }
}

#[test]
fn a_line_reads_as_the_format_says() {
    let line = node(
        b"srv/\xff",
        NodeKind::Symlink {
            target: b"../x".to_vec(),
        },
    )
    .to_line();
    let expected = format!(
        "{{\"path_hex\":\"7372762fff\",\"kind\":\"symlink\",\"length\":2048,\"sha256\":\"{}\",\
         \"size\":0,\"mode\":384,\"uid\":0,\"gid\":0,\"mtime\":[-1,120000000],\"ctime\":[0,0],\
         \"dev\":2049,\"ino\":131073,\"target\":\"../x\"}}",
        Digest([7; 32])
    );
    assert_eq!(String::from_utf8(line).unwrap(), expected);
    let end = Entry {
        length: 1024,
        sha256: Digest([0; 32]),
        node: None,
    };
    let expected = format!(
        "{{\"kind\":\"end\",\"length\":1024,\"sha256\":\"{}\"}}",
        Digest([0; 32])
    );
    assert_eq!(end.to_line(), expected.into_bytes());
    assert_eq!(Entry::parse(&end.to_line()).unwrap(), end);
}

#[test]
fn paths_that_could_escape_are_refused() {
    let cases: [(&[u8], PathFault); 9] = [
        (b"", PathFault::Empty),
        (b"/etc", PathFault::Absolute),
        (b"a/../b", PathFault::Part),
        (b"./a", PathFault::Part),
        (b"a//b", PathFault::Part),
        (b"a/", PathFault::Part),
        (b"a\0b", PathFault::Nul),
        (&[b'a'; 4097], PathFault::TooLong),
        (&b"a/".repeat(129)[..257], PathFault::TooDeep),
    ];
    for (path, fault) in cases {
        assert_eq!(check_path(path), Err(fault), "{path:?}");
        let line = node(path, NodeKind::Directory).to_line();
        assert!(Entry::parse(&line).is_err());
    }
    assert_eq!(check_path(&b"a/".repeat(128)[..255]), Ok(()));
    assert_eq!(check_path(b"-x/\xff\n/..."), Ok(()));
}

#[test]
fn other_spellings_are_refused() {
    let good = String::from_utf8(node(b"a", NodeKind::File { sparse: false }).to_line()).unwrap();
    assert!(Entry::parse(good.as_bytes()).is_ok());
    for (from, to) in [
        ("\"path\":\"a\"", "\"path_hex\":\"61\""),
        ("\"path\":\"a\"", "\"path\":\"\\u0061\""),
        ("\"path\":\"a\",", ""),
        (",\"size\":0", ""),
        ("\"size\":0", "\"size\": 0"),
        ("\"size\":0", "\"size\":9007199254740992"),
        ("\"mode\":384", "\"mode\":4096"),
        ("120000000", "1000000000"),
        ("131073}", "131073,\"sparse\":false}"),
        ("131073}", "131073,\"target\":\"x\"}"),
        ("131073}", "131073,\"more\":1}"),
        ("\"file\"", "\"socket\""),
        ("\"file\"", "\"symlink\""),
        ("\"file\"", "\"end\""),
    ] {
        let bad = good.replace(from, to);
        assert_ne!(bad, good);
        assert!(Entry::parse(bad.as_bytes()).is_err(), "{bad}");
    }
}

fn any_name() -> impl Strategy<Value = Vec<u8>> {
    let part = proptest::collection::vec(1..=255u8, 1..30)
        .prop_map(|bytes| bytes.into_iter().filter(|&byte| byte != b'/').collect())
        .prop_filter("a part", |part: &Vec<u8>| check_path(part).is_ok());
    proptest::collection::vec(part, 1..6).prop_map(|parts| parts.join(&b'/'))
}

fn any_kind() -> impl Strategy<Value = NodeKind> {
    prop_oneof![
        any::<bool>().prop_map(|sparse| NodeKind::File { sparse }),
        Just(NodeKind::Directory),
        any_name().prop_map(|target| NodeKind::Symlink { target }),
        any_name().prop_map(|target| NodeKind::Hardlink { target }),
    ]
}

proptest! {
    #[test]
    fn every_entry_comes_back(path in any_name(), kind in any_kind(), secs in -(1i64 << 40)..1 << 40, nanos in 0..1_000_000_000u32) {
        let mut entry = node(&path, kind);
        if let Some(node) = &mut entry.node {
            node.mtime = FileTime { secs, nanos };
        }
        prop_assert_eq!(Entry::parse(&entry.to_line()).unwrap(), entry);
    }
}
