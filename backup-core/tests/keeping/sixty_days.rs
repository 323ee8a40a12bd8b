//! Sixty days of a database that lives: each day a dump, a forget that leaves the newest fourteen,
//! and a prune. What is stored then, beside what those fourteen need? The simulation of retired
//! packs, once more on the real thing.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use backup_core::{
    child::PipeLimits,
    format::layout,
    ops::{self, BackupJob, Source},
    pipeline::LevelMode,
    repo::{Repository, RunLimits, TrustRoot},
    source::command::CommandSpec,
    store::Store,
};
use backup_keys::{Record, RecordKind, RepositoryRecord, TrustRecord};
use backup_model::{Progress, PruneState, Seq, Silent, Why};
use tokio_util::sync::CancellationToken;

use crate::{
    kept::{AT_ONCE, clock, snapshot},
    support::{World, job},
};

const DAYS: u64 = 60;
const KEPT: u64 = 14;
/// From here on as much is forgotten as is made.
const SETTLED: u64 = 20;
/// Blocks of the first dump, 20 MB in all; the repository has packs of 1 MiB.
const BLOCKS: u64 = 300;
/// Large beside a chunk, since what a change costs at its edges is not what is measured here.
const BLOCK_BYTES: usize = 64 << 10;

/// A dump is a list of blocks; a number stands for the bytes of one.
struct Database {
    numbers: u64,
    dump: Vec<u64>,
}

impl Database {
    fn fresh(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// 5 % of the blocks change, anywhere, and 1 % come at the end.
    fn live_a_day(&mut self) {
        let len = self.dump.len();
        for _ in 0..len / 20 {
            let number = self.fresh();
            let place = blake3::hash(&number.to_le_bytes());
            let place = u64::from_le_bytes(*place.as_bytes().first_chunk().unwrap());
            self.dump[usize::try_from(place % len as u64).unwrap()] = number;
        }
        for _ in 0..BLOCKS / 100 {
            let number = self.fresh();
            self.dump.push(number);
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.dump.len() * BLOCK_BYTES];
        for (number, block) in self.dump.iter().zip(bytes.chunks_mut(BLOCK_BYTES)) {
            blake3::Hasher::new()
                .update(&number.to_le_bytes())
                .finalize_xof()
                .fill(block);
        }
        bytes
    }
}

/// The same repository, empty, with packs of 1 MiB.
async fn with_small_packs(world: &World, store: &Store) -> Store {
    let repository = world.open(store).await.unwrap();
    let (id, small) = (repository.id(), Store::memory());
    let record = RepositoryRecord {
        pack_bytes: 1 << 20,
        block_bytes: 1 << 16,
        ..repository.record().clone()
    };
    let digest = plant(world, &small, id, layout::REPOSITORY, &record).await;
    let trust = TrustRecord {
        prev: digest,
        ..repository.trust().clone()
    };
    plant(world, &small, id, &layout::trust(1), &trust).await;
    for object in store.list(layout::KEYS).await.unwrap() {
        let bytes = store.get(&object.key).await.unwrap();
        small.put_new(&object.key, bytes).await.unwrap();
    }
    small
}

async fn plant<T: RecordKind>(
    world: &World,
    store: &Store,
    id: backup_model::RepositoryId,
    key: &str,
    record: &T,
) -> backup_model::Digest {
    let bytes = Record::sign(record, id, key, &world.root).unwrap();
    let digest = Record::parse(&bytes, id, key).unwrap().digest();
    store.put_new(key, bytes.into()).await.unwrap();
    digest
}

fn dump_job(file: &std::path::Path) -> BackupJob {
    BackupJob {
        audit: None,
        name: job("etc"),
        sources: vec![Source::Command {
            name: "dump".to_owned(),
            spec: CommandSpec {
                program: "/bin/cat".to_owned(),
                arguments: vec![file.to_str().unwrap().to_owned()],
                environment: Vec::new(),
                limits: PipeLimits {
                    stall: Duration::from_mins(1),
                    most_bytes: None,
                },
            },
        }],
        level: LevelMode::Fixed(1),
        limits: RunLimits::default(),
    }
}

/// Bytes for whoever holds the other end.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<blake3::Hasher>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn packs_bytes(store: &Store) -> u64 {
    let packs = store.list(layout::PACKS).await.unwrap();
    packs.iter().map(|pack| pack.size).sum()
}

async fn back_up(world: &World, store: &Store, job: &BackupJob) -> u64 {
    let repository = world.open(store).await.unwrap();
    let progress: Arc<dyn Progress> = Arc::new(Silent);
    let cancel = CancellationToken::new();
    let report = ops::backup(&repository, &world.host, job, clock, &progress, &cancel).await;
    report.unwrap().stored_bytes
}

async fn forget_and_prune(world: &World, store: &Store, number: u64) {
    let repository = world.open(store).await.unwrap();
    let (key, cancel) = (world.host.key(), CancellationToken::new());
    ops::forget(
        &repository,
        key,
        &[snapshot(number)],
        Why::Retention,
        clock(),
    )
    .await
    .unwrap();
    let pruned = ops::prune(&repository, key, None, AT_ONCE, clock, &Silent, &cancel).await;
    assert_eq!(pruned.unwrap().progress, PruneState::Done);
}

async fn read(world: &World, repository: &Repository, number: u64) -> blake3::Hash {
    let out = Shared::default();
    let (name, cancel) = (snapshot(number), CancellationToken::new());
    let to = Box::new(out.clone());
    ops::cat(repository, &name, "dump.out", &world.admin, to, &cancel)
        .await
        .unwrap();
    out.0.lock().unwrap().finalize()
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the figures are the point")]
async fn after_sixty_days_no_more_is_stored_than_twice_what_is_needed() {
    let large = Store::memory();
    let world = World::new(&large).await;
    let store = with_small_packs(&world, &large).await;
    let file = world.source(&job("etc")).join("dump");
    let job = dump_job(&file);
    let mut database = Database {
        numbers: BLOCKS,
        dump: (1..=BLOCKS).collect(),
    };
    let mut dumps: Vec<(Vec<u64>, blake3::Hash)> = Vec::new();
    let (mut worst_stored, mut worst_read) = (0.0_f64, 0.0_f64);
    for day in 1..=DAYS {
        let bytes = database.bytes();
        fs::write(&file, &bytes).unwrap();
        let named = back_up(&world, &store, &job).await;
        dumps.push((database.dump.clone(), blake3::hash(&bytes)));
        if day > KEPT {
            forget_and_prune(&world, &store, day - KEPT).await;
        }
        if day >= SETTLED {
            let live = dumps.iter().rev().take(usize::try_from(KEPT).unwrap());
            let needed: BTreeSet<u64> = live.flat_map(|(dump, _)| dump.iter().copied()).collect();
            let needed = needed.len() as f64 * BLOCK_BYTES as f64;
            worst_stored = worst_stored.max(packs_bytes(&store).await as f64 / needed);
            worst_read = worst_read.max(named as f64 / bytes.len() as f64);
        }
        database.live_a_day();
    }
    println!(
        "60 days, 5 % churn, 14 kept: stored at most {worst_stored:.2} of what is needed, \
         the newest snapshot's packs at most {worst_read:.2} of its dump"
    );
    assert!(worst_stored <= 2.0, "{worst_stored}");
    assert!(worst_read <= 1.6, "{worst_read}");
    let repository = Repository::open(store, &TrustRoot::Key(world.root.public().clone())).await;
    let repository = repository.unwrap();
    for day in DAYS - KEPT + 1..=DAYS {
        let dump = dumps[usize::try_from(day).unwrap() - 1].1;
        assert_eq!(read(&world, &repository, day).await, dump, "{}", Seq(day));
    }
}
