//! The index and the journal as wholes: written, opened, asked, damaged.

use std::{
    cell::Cell,
    collections::HashMap,
    fs::{self, File},
    io::{Read as _, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use backup_model::{Digest, Nonce, RepositoryId, Seq};

use super::*;
use crate::chunk::{ChunkId, DedupSecret};

fn secret(number: u8) -> DedupSecret {
    DedupSecret::new(Box::new([number; 32]))
}

fn head() -> IndexHead {
    IndexHead {
        repository: RepositoryId([2; 16]),
        epoch: 1,
        job: "webui".parse().unwrap(),
        record: Digest([3; 32]),
    }
}

fn pack(number: u8) -> PackInfo {
    PackInfo {
        sha256: Digest([number; 32]),
        size: u64::from(number) + 1_000,
        head: Digest([number ^ 0xff; 32]),
        plain: 1 << 33,
    }
}

fn id(number: u32) -> ChunkId {
    ChunkId::of(&[1; 32], &number.to_le_bytes())
}

fn place(number: u32) -> Place {
    Place {
        pack: number % 3,
        offset: number,
        length: number + 7,
    }
}

fn record(number: u32, position: u32) -> Record {
    Record {
        id: id(number),
        place: place(number),
        position,
    }
}

/// A folder for files with names, and one for those without.
struct World {
    state: tempfile::TempDir,
    spool: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self {
            state: tempfile::tempdir().unwrap(),
            spool: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.state.path().join("webui.index")
    }

    fn stream(&self, name: &str, chunks: impl IntoIterator<Item = u32>) -> StreamCache {
        let mut stream = StreamCache::new(self.spool.path(), name.to_owned(), 12, -5);
        for number in chunks {
            stream.push(id(number), place(number)).unwrap();
        }
        write!(stream.listing_writer(), "listing of {name}").unwrap();
        stream
    }

    fn write(&self, streams: Vec<StreamCache>) {
        self.write_over(streams, None, &[pack(0), pack(1), pack(2)], &Some);
    }

    fn write_over(
        &self,
        streams: Vec<StreamCache>,
        old: Option<&Index>,
        packs: &[PackInfo],
        keep: &dyn Fn(u32) -> Option<u32>,
    ) {
        let next = NextIndex {
            folder: self.spool.path(),
            packs,
            keep,
            old,
            streams,
            new_bytes: 77,
        };
        next.write(&self.path(), &head(), &secret(1)).unwrap();
        assert_eq!(self.state.path().read_dir().unwrap().count(), 1);
        assert_eq!(self.spool.path().read_dir().unwrap().count(), 0);
    }

    fn open(&self) -> Index {
        Index::open(&self.path(), &head(), &secret(1)).unwrap()
    }
}

fn listing(index: &Index, name: &str) -> String {
    let mut text = String::new();
    let mut reader = index.listing(name).unwrap().unwrap();
    reader.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn what_was_written_is_read() {
    let world = World::new();
    let streams = vec![
        world.stream("one", (0..1_000).chain(10..20)),
        world.stream("none", []),
        world.stream("two", 900..1_500),
    ];
    world.write(streams);
    let index = world.open();
    assert_eq!(index.packs(), [pack(0), pack(1), pack(2)]);
    assert_eq!((index.len(), index.new_bytes()), (1_500, 77));
    let two = index.stream("two").unwrap();
    assert_eq!((two.first, two.count), (1_010, 600));
    assert_eq!((two.chunk_bits, two.began_secs), (12, -5));
    assert!(index.stream("three").is_none());
    for name in ["one", "none", "two"] {
        assert_eq!(listing(&index, name), format!("listing of {name}"));
    }
    // A chunk of both streams has its first position.
    assert_eq!(index.find(&id(15)), Some(record(15, 15)));
    assert_eq!(index.find(&id(950)), Some(record(950, 950)));
    assert_eq!(index.find(&id(1_000)), Some(record(1_000, 1_110)));
    assert_eq!(index.find(&id(1_500)), None);
    let all: Vec<_> = index.records().map(Result::unwrap).collect();
    assert_eq!(all.len(), 1_500);
    assert!(all.is_sorted_by(|one, other| one.id < other.id));
    assert_eq!(index.spoilt(), None);
}

#[test]
fn look_ups_agree_with_a_map() {
    let world = World::new();
    world.write(vec![world.stream("one", 0..200_000)]);
    let index = world.open();
    let map: HashMap<_, _> = (0..200_000).map(|n| (id(n), record(n, n))).collect();
    for number in 0..400_000 {
        let id = id(number);
        assert_eq!(index.find(&id), map.get(&id).copied());
    }
}

#[test]
fn an_order_is_read_ahead_and_from_any_position() {
    let world = World::new();
    world.write(vec![
        world.stream("one", 0..1_000),
        world.stream("two", 1_000..4_000),
    ]);
    let index = world.open();
    let mut order = index.order("two").unwrap();
    let all: Vec<_> = std::iter::from_fn(|| order.next_record()).collect();
    let expected: Vec<_> = (1_000..4_000).map(|n| record(n, n)).collect();
    assert_eq!(all, expected);
    assert_eq!(order.position(), 4_000);
    assert!(order.ahead(1).is_empty());

    for to in [
        1_000, 1_001, 1_126, 1_127, 3_999, 2_000, 1_300, 2_100, 1_999,
    ] {
        assert!(order.seek(to));
        assert_eq!(order.position(), to);
        for count in [0, 1, 127, 254, 1_000] {
            let window = order.ahead(count);
            let end = 4_000.min(to + u32::try_from(count.min(OrderReader::WINDOW)).unwrap());
            let expected: Vec<_> = (to..end).map(|n| record(n, n)).collect();
            assert_eq!(window, expected, "{count} from {to}");
        }
        order.advance(200);
        let next = (to + 200 < 4_000).then(|| record(to + 200, to + 200));
        assert_eq!(order.next_record(), next);
    }
    for outside in [999, 4_000, NO_POSITION] {
        assert!(!order.seek(outside));
    }
    order.seek(1_000);
    order.advance(2_900);
    assert_eq!(order.next_record(), Some(record(3_900, 3_900)));
    order.advance(usize::MAX);
    assert_eq!(order.next_record(), None);
}

#[test]
fn the_next_index_keeps_what_is_kept_of_the_old_one() {
    let world = World::new();
    world.write(vec![world.stream("one", 0..9_000)]);
    let old = world.open();
    // Pack 1 is dropped, and the others change places.
    let keep = |slot| [Some(1), None, Some(0)].get(slot as usize).copied()?;
    let kept: Vec<u32> = (3_000..12_000).rev().filter(|n| n % 3 != 1).collect();
    let stream = world.stream("one", kept.iter().copied());
    world.write_over(vec![stream], Some(&old), &[pack(2), pack(0)], &keep);
    let index = world.open();
    assert_eq!(index.packs(), [pack(2), pack(0)]);
    let moved = |number: u32, position| {
        let mut record = record(number, position);
        record.place.pack = keep(record.place.pack).unwrap();
        record
    };
    for number in 0..13_000 {
        let expected = match number {
            _ if number % 3 == 1 => None,
            0..3_000 => Some(moved(number, NO_POSITION)),
            3_000..12_000 => {
                let position = kept.iter().rev().position(|&n| n == number).unwrap();
                let position = kept.len() - 1 - position;
                Some(moved(number, u32::try_from(position).unwrap()))
            }
            _ => None,
        };
        assert_eq!(index.find(&id(number)), expected, "{number}");
    }
    assert_eq!(index.len(), 8_000);
    // The old one stays open for the rest of its run.
    assert_eq!(old.find(&id(1)), Some(record(1, 1)));
}

#[test]
fn an_index_of_anything_else_is_not_used() {
    let world = World::new();
    let open = |head: &IndexHead| Index::open(&world.path(), head, &secret(1)).unwrap_err();
    assert!(matches!(open(&head()), IndexFault::Absent));
    world.write(vec![world.stream("one", 0..10)]);
    let mut other = head();
    other.repository.0[3] ^= 1;
    assert!(matches!(open(&other), IndexFault::OtherRepository));
    let other = IndexHead { epoch: 2, ..head() };
    assert!(matches!(open(&other), IndexFault::OtherEpoch));
    for job in ["webu", "webui2", "x"] {
        let job = job.parse().unwrap();
        let other = IndexHead { job, ..head() };
        assert!(matches!(open(&other), IndexFault::OtherJob));
    }
    let mut other = head();
    other.record.0[31] ^= 1;
    assert!(matches!(open(&other), IndexFault::OtherRecord));
    let stranger = Index::open(&world.path(), &head(), &secret(2)).unwrap_err();
    assert!(matches!(stranger, IndexFault::Damaged(DamagedPage(0))));
    fs::write(world.path(), [0; 9_000]).unwrap();
    assert!(matches!(open(&head()), IndexFault::OtherVersion));
}

#[test]
fn damage_to_any_page_and_any_cut_is_found_when_it_is_opened() {
    let world = World::new();
    world.write(vec![
        world.stream("one", 0..700),
        world.stream("two", 500..1_300),
    ]);
    let bytes = fs::read(world.path()).unwrap();
    assert_eq!(bytes.len() % 4_096, 0);
    let pages = bytes.len() / 4_096;
    assert!(pages > 20);
    let damaged = |bytes: &[u8]| {
        fs::write(world.path(), bytes).unwrap();
        Index::open(&world.path(), &head(), &secret(1)).unwrap_err()
    };
    for page in 0..pages {
        for at in [0, 1, 2_000, 4_063, 4_064, 4_095] {
            let mut bad = bytes.clone();
            bad[page * 4_096 + at] ^= 0x10;
            let fault = damaged(&bad);
            match fault {
                IndexFault::OtherVersion => assert!(page == 0 && at < 8),
                IndexFault::Damaged(found) => assert_eq!(found.0, page as u64),
                other => panic!("page {page}: {other}"),
            }
        }
        damaged(&bytes[..page * 4_096]);
        damaged(&bytes[..page * 4_096 + 100]);
    }
    damaged(&[&bytes[..], &[0; 4_096]].concat());
    // A page of an older file of the same head, in its old place.
    world.write(vec![
        world.stream("one", 0..700),
        world.stream("two", 500..1_300),
    ]);
    let newer = fs::read(world.path()).unwrap();
    for page in 0..pages {
        let mut mixed = newer.clone();
        let at = page * 4_096..(page + 1) * 4_096;
        mixed[at.clone()].copy_from_slice(&bytes[at]);
        damaged(&mixed);
    }
}

#[test]
fn a_page_spoilt_after_the_opening_is_a_miss_and_told() {
    let world = World::new();
    world.write(vec![world.stream("one", 0..1_000)]);
    let index = world.open();
    let len = fs::metadata(world.path()).unwrap().len();
    let file = File::options().write(true).open(world.path()).unwrap();
    for at in (4_096..len).step_by(4_096) {
        file.write_all_at(&[0xaa; 16], at).unwrap();
    }
    assert_eq!(index.find(&id(1)), None);
    assert!(index.spoilt().is_some());
    assert_eq!(index.order("one").unwrap().next_record(), None);
    assert!(index.listing("one").unwrap().is_err());
    // The next index is written without what is lost.
    let streams = vec![world.stream("one", 0..5)];
    world.write_over(streams, Some(&index), &[pack(0), pack(1), pack(2)], &Some);
    assert_eq!(world.open().len(), 5);
}

#[test]
fn a_failed_write_leaves_the_old_index() {
    let world = World::new();
    world.write(vec![world.stream("one", 0..10)]);
    // More than is sorted in memory, and nowhere to put it.
    let gone = world.spool.path().join("gone");
    let next = NextIndex {
        folder: &gone,
        packs: &[pack(0), pack(1), pack(2)],
        keep: &Some,
        old: None,
        streams: vec![world.stream("one", 0..140_000)],
        new_bytes: 0,
    };
    let path = world.path();
    let error = next.write(&path, &head(), &secret(1)).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    assert_eq!(world.open().len(), 10);
    assert_eq!(world.state.path().read_dir().unwrap().count(), 1);
}

fn journal_head() -> JournalHead {
    JournalHead {
        repository: RepositoryId([2; 16]),
        epoch: 1,
        job: "webui".parse().unwrap(),
        seq: Seq(4),
        nonce: Nonce([5; 16]),
    }
}

fn frame(number: u8) -> Frame {
    let part = |n| Part {
        id: id(n),
        offset: n,
        length: 9,
    };
    Frame {
        pack: pack(number),
        parts: (0..u32::from(number)).map(part).collect(),
    }
}

fn read_journal(path: &Path, secret: &DedupSecret) -> Result<JournalReader, IndexFault> {
    let head = journal_head();
    Journal::read(path, secret, head.repository, head.epoch, &head.job)
}

#[test]
fn a_journal_cut_or_changed_anywhere_is_what_came_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("webui.journal");
    let mut journal = Journal::create(&path, &journal_head(), &secret(1), []).unwrap();
    let start = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
    let mut ends = vec![start];
    for number in 0..4 {
        let Frame { pack, parts } = frame(number);
        journal.append(&pack, &parts).unwrap();
        ends.push(usize::try_from(fs::metadata(&path).unwrap().len()).unwrap());
    }
    let whole = read_journal(&path, &secret(1)).unwrap();
    assert_eq!(*whole.head(), journal_head());
    let frames: Vec<_> = (0..4).map(frame).collect();
    assert!(whole.eq(frames.clone()));

    let bytes = fs::read(&path).unwrap();
    let check = |bytes: &[u8], good: usize| {
        fs::write(&path, bytes).unwrap();
        match read_journal(&path, &secret(1)) {
            Ok(mut read) => {
                let count = ends.iter().filter(|&&end| end <= good).count() - 1;
                assert!(read.by_ref().eq(frames[..count].iter().cloned()));
                assert_eq!(read.next(), None);
            }
            Err(fault) => {
                assert!(good < start, "{fault}");
                assert!(!matches!(fault, IndexFault::Absent | IndexFault::Io(_)));
            }
        }
    };
    for at in 0..bytes.len() {
        check(&bytes[..at], at);
        let mut bad = bytes.clone();
        bad[at] ^= 0x80;
        check(&bad, at);
    }
    // Frames do not change places.
    let mut swapped = bytes[..ends[1]].to_vec();
    swapped.extend_from_slice(&bytes[ends[2]..ends[3]]);
    swapped.extend_from_slice(&bytes[ends[1]..ends[2]]);
    check(&swapped, ends[1]);
}

#[test]
fn a_journal_of_anything_else_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("webui.journal");
    let absent = read_journal(&path, &secret(1)).unwrap_err();
    assert!(matches!(absent, IndexFault::Absent));
    Journal::create(&path, &journal_head(), &secret(1), []).unwrap();
    let stranger = read_journal(&path, &secret(2)).unwrap_err();
    assert!(matches!(stranger, IndexFault::Damaged(_)));
    let read = |repository, epoch, job: &str| {
        let job = job.parse().unwrap();
        Journal::read(&path, &secret(1), repository, epoch, &job).unwrap_err()
    };
    let same = RepositoryId([2; 16]);
    let other = read(RepositoryId([0; 16]), 1, "webui");
    assert!(matches!(other, IndexFault::OtherRepository));
    assert!(matches!(read(same, 2, "webui"), IndexFault::OtherEpoch));
    assert!(matches!(read(same, 1, "other"), IndexFault::OtherJob));
}

#[test]
fn a_new_journal_takes_frames_over_from_the_one_it_replaces() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("webui.journal");
    let mut journal = Journal::create(&path, &journal_head(), &secret(1), []).unwrap();
    for number in 0..4 {
        let Frame { pack, parts } = frame(number);
        journal.append(&pack, &parts).unwrap();
    }
    let old = read_journal(&path, &secret(1)).unwrap();
    let asked = Cell::new(0);
    let kept = old.filter(|frame| {
        asked.set(asked.get() + 1);
        frame.pack != pack(2)
    });
    let head = JournalHead {
        seq: Seq(5),
        ..journal_head()
    };
    let mut journal = Journal::create(&path, &head, &secret(1), kept).unwrap();
    assert_eq!(asked.get(), 4);
    let Frame { pack, parts } = frame(9);
    journal.append(&pack, &parts).unwrap();
    let read = read_journal(&path, &secret(1)).unwrap();
    assert_eq!(read.head().seq, Seq(5));
    assert!(read.eq([0, 1, 3, 9].map(frame)));
}
