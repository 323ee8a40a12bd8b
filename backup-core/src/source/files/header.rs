//! The header blocks of an entry: ustar, and before it pax records for what does not fit.
//!
//! Pure: the same node gives the same bytes, on any day.

use tar::{EntryType, Header};

use crate::format::{
    Node, NodeKind,
    pax::{push_record, time_text},
};

/// The largest value of a field of eleven octal digits.
const MAX_OCTAL_11: u64 = 0o777_7777_7777;

/// The largest value of a field of seven octal digits.
const MAX_OCTAL_7: u32 = 0o777_7777;

/// All header blocks of a node whose content takes `stored` bytes of the archive.
pub(super) fn header(node: &Node, stored: u64) -> Vec<u8> {
    let records = records(node, stored);
    let mut out = Vec::with_capacity(2048);
    if !records.is_empty() {
        let mut extended = blank(EntryType::XHeader, &stand_in(&node.path), 0o644);
        extended.set_size(records.len() as u64);
        extended.set_cksum();
        out.extend_from_slice(extended.as_bytes());
        out.extend_from_slice(&records);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.extend_from_slice(main_header(node, stored).as_bytes());
    out
}

/// What the old fields cannot hold, in a fixed order.
fn records(node: &Node, stored: u64) -> Vec<u8> {
    let mut out = Vec::new();
    if matches!(node.kind, NodeKind::File { sparse: true }) {
        push_record(&mut out, "GNU.sparse.major", b"1");
        push_record(&mut out, "GNU.sparse.minor", b"0");
        push_record(&mut out, "GNU.sparse.name", &node.path);
        push_record(
            &mut out,
            "GNU.sparse.realsize",
            node.size.to_string().as_bytes(),
        );
    } else if split_name(&node.path).is_none() {
        push_record(&mut out, "path", &node.path);
    }
    if let Some(target) = target(node).filter(|target| !fits(target, 100)) {
        push_record(&mut out, "linkpath", target);
    }
    if stored > MAX_OCTAL_11 {
        push_record(&mut out, "size", stored.to_string().as_bytes());
    }
    if node.uid > MAX_OCTAL_7 {
        push_record(&mut out, "uid", node.uid.to_string().as_bytes());
    }
    if node.gid > MAX_OCTAL_7 {
        push_record(&mut out, "gid", node.gid.to_string().as_bytes());
    }
    if node.mtime.nanos != 0 || old_time(node).is_none() {
        push_record(&mut out, "mtime", time_text(node.mtime).as_bytes());
    }
    out
}

fn main_header(node: &Node, stored: u64) -> Header {
    let kind = match node.kind {
        NodeKind::File { .. } => EntryType::Regular,
        NodeKind::Directory => EntryType::Directory,
        NodeKind::Symlink { .. } => EntryType::Symlink,
        NodeKind::Hardlink { .. } => EntryType::Link,
    };
    let mut header = blank(kind, &node.path, node.mode);
    // What a record says stands as zero here.
    header.set_size(if stored > MAX_OCTAL_11 { 0 } else { stored });
    let small = |id| if id > MAX_OCTAL_7 { 0 } else { u64::from(id) };
    header.set_uid(small(node.uid));
    header.set_gid(small(node.gid));
    header.set_mtime(old_time(node).unwrap_or(0));
    if let (Some(target), Some(ustar)) = (target(node), header.as_ustar_mut()) {
        let shown = if fits(target, 100) {
            target.to_vec()
        } else {
            stand_in(target)
        };
        ustar.linkname[..shown.len()].copy_from_slice(&shown);
    }
    header.set_cksum();
    header
}

fn blank(kind: EntryType, path: &[u8], mode: u32) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    let short = stand_in(path);
    let (prefix, name) = split_name(path).unwrap_or((b"", &short));
    let ustar = header.as_ustar_mut().expect("made as ustar");
    ustar.prefix[..prefix.len()].copy_from_slice(prefix);
    ustar.name[..name.len()].copy_from_slice(name);
    header
}

fn target(node: &Node) -> Option<&[u8]> {
    match &node.kind {
        NodeKind::Symlink { target } | NodeKind::Hardlink { target } => Some(target),
        NodeKind::File { .. } | NodeKind::Directory => None,
    }
}

fn old_time(node: &Node) -> Option<u64> {
    let secs = u64::try_from(node.mtime.secs).ok()?;
    (secs <= MAX_OCTAL_11).then_some(secs)
}

fn fits(text: &[u8], len: usize) -> bool {
    text.len() <= len && text.is_ascii()
}

/// A path as prefix and name of the old header, when it fits.
fn split_name(path: &[u8]) -> Option<(&[u8], &[u8])> {
    if fits(path, 100) {
        return Some((b"", path));
    }
    let slash = (path.len().saturating_sub(101)..path.len().min(156))
        .find(|&at| path[at] == b'/' && at > 0 && at + 1 < path.len())?;
    path.is_ascii()
        .then(|| (&path[..slash], &path[slash + 1..]))
}

/// Something readable for programs that do not know pax.
fn stand_in(path: &[u8]) -> Vec<u8> {
    let plain = |&byte: &u8| if byte.is_ascii_graphic() { byte } else { b'_' };
    let short: Vec<u8> = path.iter().take(100).map(plain).collect();
    match short.strip_suffix(b"/") {
        Some(rest) => rest.to_vec(),
        None => short,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{FileTime, pax::parse_records};

    #[test]
    fn what_the_old_fields_cannot_hold_is_a_record() {
        let node = Node {
            path: b"srv/a".to_vec(),
            kind: NodeKind::File { sparse: false },
            size: 9 << 30,
            mode: 0o644,
            uid: 4_000_000_000,
            gid: 0,
            mtime: FileTime { secs: -1, nanos: 0 },
            ctime: FileTime::default(),
            dev: 0,
            ino: 0,
        };
        let records = parse_records(&records(&node, node.size)).unwrap();
        let text = |key: &str| String::from_utf8_lossy(&records[key.as_bytes()]).into_owned();
        assert_eq!(records.len(), 3);
        assert_eq!(text("size"), "9663676416");
        assert_eq!(text("uid"), "4000000000");
        assert_eq!(text("mtime"), "-1");
        assert_eq!(header(&node, node.size).len(), 1536);
    }

    #[test]
    fn names_split_at_a_slash_when_both_halves_fit() {
        let (a, b) = ("a".repeat(100), "b".repeat(100));
        assert_eq!(split_name(a.as_bytes()), Some((&b""[..], a.as_bytes())));
        let both = format!("{a}/{b}");
        assert_eq!(
            split_name(both.as_bytes()),
            Some((a.as_bytes(), b.as_bytes()))
        );
        assert_eq!(split_name(format!("{a}{b}").as_bytes()), None);
        assert_eq!(split_name("\u{e4}".as_bytes()), None);
    }
}
