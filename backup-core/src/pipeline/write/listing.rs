//! What a host remembers of the entries of a `files` stream, so that an unchanged file need not
//! be read again: each entry's line, and where its bytes are stored.
//!
//! Written while the stream is, in the stream's order, and read in one forward pass by the next
//! run, which walks in the same order.

use std::{
    cmp::Ordering,
    fmt,
    io::{self, BufReader, Read, Write},
};

use crate::{
    format::{Entry, Node, NodeKind},
    repo::chunks::Place,
};

/// An entry whose bytes are in more places than this is not worth remembering.
pub(super) const MAX_PLACES: usize = 1 << 14;
/// No line is longer.
const MAX_LINE: usize = 1 << 20;
/// Times this close to the start of the run that read a file prove nothing: it may have changed
/// once more within one tick of the file system's clock.
const SETTLED_SECS: i64 = 2;

/// Appends one entry.
pub(super) fn write_entry(out: &mut dyn Write, line: &[u8], places: &[Place]) -> io::Result<()> {
    let places = if places.len() > MAX_PLACES {
        &[]
    } else {
        places
    };
    let count = |len: usize| u32::try_from(len).map_err(io::Error::other);
    out.write_all(&count(line.len())?.to_le_bytes())?;
    out.write_all(line)?;
    out.write_all(&count(places.len())?.to_le_bytes())?;
    for place in places {
        out.write_all(&place.pack.to_le_bytes())?;
        out.write_all(&place.offset.to_le_bytes())?;
        out.write_all(&place.length.to_le_bytes())?;
    }
    Ok(())
}

/// An entry of the previous run, and where its bytes are.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) entry: Entry,
    pub(super) places: Vec<Place>,
}

/// Walks through the entries of the previous run.
pub(super) struct KnownEntries {
    reader: Option<BufReader<Box<dyn Read + Send>>>,
    next: Option<Known>,
    /// When the previous run began.
    began_secs: i64,
}

impl fmt::Debug for KnownEntries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownEntries")
    }
}

impl KnownEntries {
    /// Begins before the first.
    pub(super) fn new(listing: Option<Box<dyn Read + Send>>, began_secs: i64) -> Self {
        let mut known = Self {
            reader: listing.map(BufReader::new),
            next: None,
            began_secs,
        };
        known.advance();
        known
    }

    /// The entry that describes exactly this file, if it can still be what it was. Files must be
    /// asked for in the order of the stream.
    pub(super) fn find(&mut self, node: &Node) -> Option<Known> {
        loop {
            let known = self.next.as_ref()?.entry.node.as_ref()?;
            match in_order(&known.path, &node.path) {
                Ordering::Less => self.advance(),
                Ordering::Greater => return None,
                Ordering::Equal => break,
            }
        }
        let known = self.next.take()?;
        self.advance();
        let same = known.entry.node.as_ref().is_some_and(|before| {
            is_file(before)
                && is_file(node)
                && Node {
                    kind: before.kind.clone(),
                    ..node.clone()
                } == *before
        });
        let latest = node.mtime.max(node.ctime).secs;
        let settled = latest.saturating_add(SETTLED_SECS) < self.began_secs;
        let length: u64 = known
            .places
            .iter()
            .map(|place| u64::from(place.length))
            .sum();
        (same && settled && length == known.entry.length).then_some(known)
    }

    /// Whatever cannot be read ends it: the rest is then read from the source.
    fn advance(&mut self) {
        let read = self.reader.as_mut().map(read_entry);
        self.next = match read {
            Some(Ok(known)) => Some(known),
            Some(Err(_)) | None => None,
        };
        if self.next.is_none() {
            self.reader = None;
        }
    }
}

fn is_file(node: &Node) -> bool {
    matches!(node.kind, NodeKind::File { .. })
}

/// The order of a walk: part by part, a folder before what is in it.
fn in_order(a: &[u8], b: &[u8]) -> Ordering {
    let parts = |path| <[u8]>::split(path, |&byte| byte == b'/');
    parts(a).cmp(parts(b))
}

fn read_entry(reader: &mut impl Read) -> io::Result<Known> {
    let wrong = |_| io::Error::from(io::ErrorKind::InvalidData);
    let length = read_number(reader)? as usize;
    if length > MAX_LINE {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut line = vec![0; length];
    reader.read_exact(&mut line)?;
    let entry = Entry::parse(&line).map_err(wrong)?;
    let count = read_number(reader)? as usize;
    if count > MAX_PLACES {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut places = Vec::with_capacity(count);
    for _ in 0..count {
        places.push(Place {
            pack: read_number(reader)?,
            offset: read_number(reader)?,
            length: read_number(reader)?,
        });
    }
    Ok(Known { entry, places })
}

fn read_number(reader: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    reader.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use backup_model::Digest;

    use super::*;
    use crate::format::FileTime;

    fn node(path: &str, secs: i64) -> Node {
        Node {
            path: path.into(),
            kind: NodeKind::File { sparse: false },
            size: 3,
            mode: 0o644,
            uid: 1,
            gid: 1,
            mtime: FileTime { secs, nanos: 0 },
            ctime: FileTime { secs, nanos: 1 },
            dev: 1,
            ino: 2,
        }
    }

    fn listing(nodes: &[Node]) -> KnownEntries {
        let mut bytes = Vec::new();
        for node in nodes {
            let entry = Entry {
                length: 1024,
                sha256: Digest([1; 32]),
                node: Some(node.clone()),
            };
            let place = |offset, length| Place {
                pack: 1,
                offset,
                length,
            };
            let places = [place(5, 1000), place(0, 24)];
            write_entry(&mut bytes, &entry.to_line(), &places).unwrap();
        }
        KnownEntries::new(Some(Box::new(io::Cursor::new(bytes))), 1_000)
    }

    #[test]
    fn only_what_is_the_same_and_settled_is_taken_over() {
        let nodes = ["a/b", "a/c", "a-b", "z"].map(|path| node(path, 500));
        let mut known = listing(&nodes);
        assert!(known.find(&node("a/a", 500)).is_none(), "new");
        assert_eq!(known.find(&nodes[0]).unwrap().places.len(), 2);
        assert!(known.find(&node("a/c", 501)).is_none(), "changed");
        assert!(known.find(&nodes[3]).is_some(), "after one that is gone");
        assert!(known.find(&nodes[3]).is_none(), "once");

        for (secs, settled) in [(997, true), (998, false), (1_001, false)] {
            let node = node("f", secs);
            let mut known = listing(std::slice::from_ref(&node));
            assert_eq!(known.find(&node).is_some(), settled, "{secs}");
        }
        for change in [
            |node: &mut Node| node.size += 1,
            |node: &mut Node| node.mode ^= 1,
            |node: &mut Node| node.uid += 1,
            |node: &mut Node| node.gid += 1,
            |node: &mut Node| node.ino += 1,
            |node: &mut Node| node.dev += 1,
            |node: &mut Node| node.mtime.nanos += 1,
            |node: &mut Node| node.ctime.nanos += 1,
            |node: &mut Node| node.kind = NodeKind::Directory,
        ] {
            let before = node("f", 500);
            let mut now = before.clone();
            change(&mut now);
            assert!(listing(&[before]).find(&now).is_none(), "{now:?}");
        }
        let mut sparse = node("f", 500);
        sparse.kind = NodeKind::File { sparse: true };
        let mut known = listing(&[sparse]);
        assert!(
            known.find(&node("f", 500)).is_some(),
            "sparse is not seen yet"
        );
    }

    #[test]
    fn a_damaged_listing_ends_early() {
        let mut known = KnownEntries::new(Some(Box::new(&b"\xff\xff\xff\xff rest"[..])), 1_000);
        assert!(known.find(&node("a", 500)).is_none());
    }
}
