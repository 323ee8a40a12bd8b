//! Looking chunks up: by id, in the order of the run before, and among what this run has stored.

use std::{cell::Cell, hint::black_box, path::Path};

use backup_core::{
    chunk::{ChunkId, DedupSecret},
    repo::chunks::{Index, IndexHead, NextIndex, PackInfo, Place, Seen, StreamCache},
};
use backup_model::{Digest, RepositoryId};
use divan::{Bencher, counter::ItemsCount};

/// Chunks that are known: a dump of 5.4 GB.
const CHUNKS: u64 = 1_000_000;
/// Look-ups in one round.
const ROUND: u64 = 1_000;
const STREAM: &str = "app.dump";

fn id(number: u64) -> ChunkId {
    ChunkId::of(&[7; 32], &number.to_le_bytes())
}

fn place(number: u64) -> Place {
    Place {
        pack: 0,
        offset: u32::try_from(number).expect("a million"),
        length: 1,
    }
}

/// An index of chunks that one stream had in the order of their numbers.
fn index(folder: &Path) -> Index {
    let secret = DedupSecret::new(Box::new([7; 32]));
    let head = IndexHead {
        repository: RepositoryId([1; 16]),
        epoch: 1,
        job: "app".parse().expect("a job's name"),
        record: Digest([2; 32]),
    };
    let mut stream = StreamCache::new(folder, STREAM.to_owned(), 12, 0);
    for number in 0..CHUNKS {
        stream.push(id(number), place(number)).expect("a disk");
    }
    let pack = PackInfo {
        sha256: Digest([3; 32]),
        size: 1,
        head: Digest([4; 32]),
        plain: CHUNKS,
    };
    let next = NextIndex {
        folder,
        packs: &[pack],
        keep: &Some,
        old: None,
        streams: vec![stream],
        new_bytes: 0,
    };
    let path = folder.join("app.index");
    next.write(&path, &head, &secret).expect("a disk");
    Index::open(&path, &head, &secret).expect("it was just written")
}

/// Numbers all over the range, others in each round.
fn scattered(round: &Cell<u64>) -> impl Iterator<Item = u64> {
    let from = round.get();
    round.set(from + ROUND);
    (from..from + ROUND).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % CHUNKS)
}

#[divan::bench]
fn find_by_id(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().expect("a disk");
    let (index, round) = (index(folder.path()), Cell::new(0));
    bencher.counter(ItemsCount::new(ROUND)).bench_local(|| {
        let found = scattered(&round).filter(|&number| index.find(&id(number)).is_some());
        assert_eq!(found.count() as u64, ROUND);
    });
}

#[divan::bench]
fn miss_by_id(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().expect("a disk");
    let (index, round) = (index(folder.path()), Cell::new(0));
    bencher.counter(ItemsCount::new(ROUND)).bench_local(|| {
        let found = scattered(&round).filter(|&number| index.find(&id(CHUNKS + number)).is_some());
        assert_eq!(found.count(), 0);
    });
}

#[divan::bench]
fn follow_the_order(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().expect("a disk");
    let index = index(folder.path());
    let mut order = index.order(STREAM).expect("it has the stream");
    bencher.counter(ItemsCount::new(ROUND)).bench_local(|| {
        for _ in 0..ROUND {
            if black_box(order.next_record()).is_none() {
                order.seek(0);
            }
        }
    });
}

#[divan::bench]
fn find_among_what_this_run_stored(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().expect("a disk");
    let mut seen = Seen::new(folder.path());
    for number in 0..CHUNKS {
        seen.insert(id(number), place(number)).expect("a disk");
    }
    let round = Cell::new(0);
    bencher.counter(ItemsCount::new(ROUND)).bench_local(|| {
        for number in scattered(&round) {
            let found = seen.find(&id(number)).expect("a disk");
            assert!(found.is_some());
        }
    });
}
