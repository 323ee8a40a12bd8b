//! What a run builds on: the packs of a run that broke off, the index of the one before, files
//! that have not changed; and what it does when nothing of that can be used.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use backup_core::{
    format::{Refs, layout},
    ops::Verifier,
    repo::{Repository, load_refs},
    store::Store,
};
use backup_model::{BackupReport, Digest, Event, Failure, JobName, Progress, Verdict};
use jiff::Timestamp;
use object_store::{ObjectStore, PutOptions, memory::InMemory};

use crate::{
    faults::{Answer, Fate, FaultStore},
    support::{World, job, verify},
};

const MIB: u64 = 1 << 20;

/// Long after the files were made, so that they can be known not to have changed since.
fn later() -> Timestamp {
    "2100-01-01T00:00:00Z".parse().unwrap()
}

/// Bytes without structure, different for each seed.
fn noise(seed: u64, len: u64) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(len).unwrap()];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

/// Keeps what it is warned of.
#[derive(Default)]
struct Warnings(Mutex<Vec<Failure>>);

impl Progress for Warnings {
    fn event(&self, event: Event) {
        if let Event::Warned(failure) = event {
            self.0.lock().unwrap().push(failure);
        }
    }
}

/// A repository in memory and a job that reads a folder.
struct Case {
    world: World,
    store: Store,
    inner: Arc<InMemory>,
    job: JobName,
}

impl Case {
    async fn new() -> Self {
        let inner = Arc::new(InMemory::new());
        let object_store: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(&inner);
        let store = Store::new(object_store, "memory".to_owned());
        Self {
            world: World::new(&store).await,
            store,
            inner,
            job: job("etc"),
        }
    }

    /// Writes a file into the folder that is read.
    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.world.source(&self.job).join(name), bytes).unwrap();
    }

    /// Backs up; gives the report, and what it warned of on the way.
    async fn backup(&self) -> (BackupReport, Vec<Failure>) {
        let warnings = Arc::new(Warnings::default());
        let progress: Arc<dyn Progress> = Arc::<Warnings>::clone(&warnings);
        let (world, store) = (&self.world, &self.store);
        let report = world.backup_at(store, &self.job, later, &progress).await;
        let warnings = warnings.0.lock().unwrap().clone();
        (report.unwrap(), warnings)
    }

    /// That all snapshots are good, and the newest restores to what is there now.
    async fn assert_right(&self, report: &BackupReport) {
        let repository = self.open().await;
        let verifier = Verifier::data(self.world.admin.clone());
        for report in verify(&repository, &verifier).await.unwrap() {
            assert_eq!(report.verdict, Verdict::Good, "{report:?}");
        }
        self.assert_restores(&repository, report).await;
    }

    async fn assert_restores(&self, repository: &Repository, report: &BackupReport) {
        let restored = self.world.restore(repository, &report.snapshot).await;
        assert!(restored.unwrap() == self.world.tree(&self.job));
    }

    async fn open(&self) -> Repository {
        self.world.open(&self.store).await.unwrap()
    }

    async fn refs(&self, report: &BackupReport) -> Refs {
        let repository = self.open().await;
        let runs = repository.runs(&self.job).await.unwrap();
        let record = runs.latest().unwrap();
        assert_eq!(record.name, report.snapshot);
        load_refs(&repository, record.commit().unwrap())
            .await
            .unwrap()
    }

    /// The packs that the store has.
    async fn packs(&self) -> BTreeSet<Digest> {
        let packs = self.store.list("packs").await.unwrap();
        let digests = packs
            .iter()
            .map(|pack| layout::parse_pack(&pack.key).unwrap());
        digests.collect()
    }
}

fn digests(refs: &Refs) -> BTreeSet<Digest> {
    refs.packs.iter().map(|pack| pack.0).collect()
}

/// Bytes that this process has read so far, from wherever. Each test is a process of its own.
fn bytes_read() -> u64 {
    let text = fs::read_to_string("/proc/self/io").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("rchar: "));
    line.unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_first_backup_that_broke_off_goes_on_where_it_was() {
    let case = Case::new().await;
    case.write("noise", &noise(1, 100 * MIB));

    // Whole once, elsewhere, to know how many calls it takes.
    let whole = FaultStore::new(Arc::new(case.inner.fork()), |_| Fate::FINE);
    let done = case.world.backup(&whole.store(), &case.job).await;
    done.unwrap();
    fs::remove_file(case.world.host.index_path(&case.job)).unwrap();
    let gone_at = whole.calls.total() * 8 / 10;

    let inner: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(&case.inner);
    let broken = FaultStore::new(inner, move |call| {
        if call < gone_at {
            Fate::FINE
        } else {
            Fate::of(false, Answer::Given)
        }
    });
    assert!(case.world.backup(&broken.store(), &case.job).await.is_err());
    let before = case.packs().await;

    let (report, warnings) = case.backup().await;
    assert!(warnings.is_empty(), "{warnings:?}");
    let named = digests(&case.refs(&report).await);
    let adopted = before.intersection(&named).count();
    // What was on its way when the store went away was not noted.
    let lost = before.len() - adopted;
    assert!(adopted >= 1 && lost <= 3, "{adopted} of {}", before.len());
    assert!(
        report.added_bytes > 100 * MIB,
        "adopted packs are this run's"
    );
    assert!(report.resumed_bytes >= 16 * MIB, "{report:?}");
    assert!(!case.world.host.journal_path(&case.job).exists());
    case.assert_right(&report).await;
}

#[tokio::test]
async fn files_that_have_not_changed_are_not_read() {
    let case = Case::new().await;
    for number in 0..64 {
        case.write(&format!("{number}"), &noise(number, MIB));
    }
    let (first, _) = case.backup().await;
    assert!(first.new_bytes > 64 * MIB);

    let before = bytes_read();
    let (second, _) = case.backup().await;
    assert_eq!(second.resumed_bytes, 0);
    let read = bytes_read() - before;
    assert!(read < 8 * MIB, "{read} bytes read");
    assert_eq!(second.read_bytes, first.read_bytes);
    assert!(second.added_bytes < MIB / 4, "{second:?}");
    case.assert_right(&second).await;

    // One changes, one goes, one comes: these, and no others, are seen.
    case.write("7", &noise(700, MIB));
    case.write("new", b"new");
    fs::remove_file(case.world.source(&case.job).join("9")).unwrap();
    let (third, _) = case.backup().await;
    assert!((MIB..2 * MIB).contains(&third.new_bytes), "{third:?}");
    case.assert_right(&third).await;
    // What was taken over once is taken over again.
    let before = bytes_read();
    case.backup().await;
    assert!(bytes_read() - before < 8 * MIB);
}

#[tokio::test]
async fn an_index_that_cannot_be_used_costs_one_full_backup() {
    type Spoil = fn(&Path);
    let spoils: [(&str, Spoil); 3] = [
        ("flipped", |path| {
            let mut bytes = fs::read(path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(path, bytes).unwrap();
        }),
        ("cut", |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("foreign", |path| {
            let other = path.with_file_name("other.index");
            fs::copy(other, path).unwrap();
        }),
    ];
    let case = Case::new().await;
    case.write("noise", &noise(1, 4 * MIB));
    let other = job("other");
    fs::write(case.world.source(&other).join("file"), b"other").unwrap();
    case.world.backup(&case.store, &other).await.unwrap();
    case.backup().await;
    for (name, spoil) in spoils {
        spoil(&case.world.host.index_path(&case.job));
        let (full, warnings) = case.backup().await;
        assert!(full.added_bytes > 4 * MIB, "{name}: {full:?}");
        assert_eq!(warnings.len(), 1, "{name}: {warnings:?}");
        assert!(warnings[0].message.contains("index of `etc`"), "{name}");
        assert!(!warnings[0].causes.is_empty(), "{name}");
        let (small, warnings) = case.backup().await;
        assert!(small.added_bytes < MIB / 4, "{name}: {small:?}");
        assert!(warnings.is_empty(), "{name}: {warnings:?}");
        case.assert_right(&small).await;
    }
}

#[tokio::test]
async fn a_pack_that_is_gone_is_stored_again() {
    let case = Case::new().await;
    case.write("noise", &noise(1, 40 * MIB));
    let (first, _) = case.backup().await;
    let refs = case.refs(&first).await;
    let largest = refs.packs.iter().max_by_key(|pack| pack.1).unwrap();
    let key = layout::pack(&largest.0);
    object_store::ObjectStoreExt::delete(&*case.inner, &key.into())
        .await
        .unwrap();

    let (second, _) = case.backup().await;
    assert!(second.added_bytes >= largest.1, "{second:?}");
    assert!(second.added_bytes < largest.1 + 4 * MIB, "{second:?}");
    let again = digests(&case.refs(&second).await);
    assert!(!again.contains(&largest.0));
    let repository = case.open().await;
    case.assert_restores(&repository, &second).await;
}

#[tokio::test]
async fn damage_to_the_snapshot_before_does_not_stop_the_next() {
    let case = Case::new().await;
    case.write("noise", &noise(1, 4 * MIB));
    case.backup().await;
    let refs = case.store.list("refs").await.unwrap();
    let key = refs[0].key.as_str().into();
    let put = case
        .inner
        .put_opts(&key, "damaged".into(), PutOptions::default());
    put.await.unwrap();
    let (second, warnings) = case.backup().await;
    assert!(second.added_bytes < MIB / 4, "{second:?}");
    assert!(warnings.is_empty(), "{warnings:?}");
    let repository = case.open().await;
    case.assert_restores(&repository, &second).await;
}

#[tokio::test]
async fn packs_that_are_little_used_are_retired_and_stay_so() {
    let case = Case::new().await;
    for number in 0..48 {
        case.write(&format!("{number:02}"), &noise(number, MIB));
    }
    let (first, _) = case.backup().await;
    let old = digests(&case.refs(&first).await);
    // Every second one changes: all old packs are half used.
    for number in (0..48).step_by(2) {
        case.write(&format!("{number:02}"), &noise(100 + number, MIB));
    }
    let (second, _) = case.backup().await;
    let used = case.refs(&second).await;
    let half: Vec<_> = used.packs.iter().filter(|pack| pack.2 < 50).collect();
    assert!(half.len() >= 2, "{used:?}");

    // Nothing is new, but what was in them is stored again, so that they can go.
    let (third, _) = case.backup().await;
    assert_eq!(third.new_bytes, 0, "{third:?}");
    assert!(third.added_bytes > 16 * MIB, "{third:?}");
    let kept = digests(&case.refs(&third).await);
    assert!(half.iter().all(|pack| !kept.contains(&pack.0)));
    assert!(kept.intersection(&old).count() < old.len());
    case.assert_right(&third).await;

    let (fourth, _) = case.backup().await;
    assert!(fourth.added_bytes < MIB, "it settles: {fourth:?}");
    case.assert_right(&fourth).await;
}
