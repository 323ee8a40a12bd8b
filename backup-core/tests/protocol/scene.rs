//! A small repository with a past, those who work on it, and what must be true whatever they did.
//!
//! The past: snapshots 1 to 3 of one job by one host, of which each has files of its own; packs
//! and a journal of a fourth run of that host that broke off; and a second host that is new to the
//! job. Every schedule starts from a copy.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Arc,
};

use backup_core::{
    format::{Aborted, RunEnd, Session, layout},
    ops::{self, OpError, PruneOptions, Verifier},
    repo::{Host, Repository},
    store::Store,
};
use backup_keys::{Record, SecretKey, TrustRecord};
use backup_model::{
    Code, Progress, PruneState, RepositoryId, Seq, Silent, SnapshotName, Verdict, Why,
};
use jiff::Timestamp;
use object_store::{ObjectStore, memory::InMemory};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::{
    gates::{Gates, Wire},
    support::{World, job, verify, world::Tree},
};

/// How often a pruner is activated in one schedule.
const ACTIVATIONS: usize = 2;

pub(crate) const AT_ONCE: PruneOptions = PruneOptions {
    grace_secs: 0,
    allow_large: true,
};

/// What an actor does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A backup of the job by host 0 or 1.
    Write(usize),
    /// Forgets these snapshots.
    Forget(&'static [u64]),
    /// Holds one.
    Hold(u64),
    Prune,
    /// Restores one, pinned.
    Restore(u64),
    /// Reads everything, pinned.
    Verify,
}

/// How it ended.
#[derive(Debug)]
pub(crate) enum Ending {
    Written(SnapshotName),
    Forgotten,
    Held,
    Pruned,
    Restored(Tree),
    Verified,
    /// Not at all.
    Died,
    Failed(Code, String),
}

/// The past.
pub(crate) struct Scene {
    pub(crate) world: World,
    second: SecretKey,
    past: Arc<InMemory>,
    /// What the snapshots of the past hold.
    trees: BTreeMap<Seq, Tree>,
    forgotten: BTreeSet<u64>,
    /// What a backup of any schedule holds.
    now: Tree,
}

impl Scene {
    /// With some snapshots forgotten, nothing pruned, and the run that broke off ended; or with
    /// nothing of that.
    pub(crate) async fn new(forgotten: &[u64]) -> Self {
        let past = Arc::new(InMemory::new());
        let store = memory(&past);
        let world = World::new(&store).await;
        let second = SecretKey::generate().unwrap();
        admit(&world, &store, &second).await;
        let mut trees = BTreeMap::new();
        for number in 1..=3 {
            change(&world, number);
            let report = world.backup(&store, &job("etc")).await.unwrap();
            trees.insert(report.snapshot.seq, world.tree(&job("etc")));
        }
        let scene = Self {
            now: world.tree(&job("etc")),
            world,
            second,
            past,
            trees,
            forgotten: BTreeSet::new(),
        };
        let scene = scene.break_off().await;
        if forgotten.is_empty() {
            return scene;
        }
        scene.end_broken(&store).await;
        let repository = scene.world.open(&store).await.unwrap();
        let names: Vec<_> = forgotten.iter().map(|&number| snapshot(number)).collect();
        let key = scene.world.host.key();
        let forgot = ops::forget(&repository, key, &names, Why::Request, clock()).await;
        assert_eq!(forgot.unwrap().forgotten, names);
        Self {
            forgotten: forgotten.iter().copied().collect(),
            ..scene
        }
    }

    /// A run that has stored its packs and died.
    async fn break_off(mut self) -> Self {
        change(&self.world, 4);
        self.now = self.world.tree(&job("etc"));
        let gates = Gates::new(Arc::clone(&self.past));
        let (store, name) = (gates.store(0), job("etc"));
        let lead = async {
            gates.still(1).await;
            while !gates.next(0).starts_with("put recipes/") {
                gates.go(0);
                gates.still(1).await;
            }
            gates.kill(0, Wire::Cut);
        };
        tokio::select! {
            biased;
            ended = self.world.backup(&store, &name) => panic!("{ended:?}"),
            () = lead => {}
        }
        assert!(self.world.host.journal_path(&name).exists());
        self
    }

    /// Somebody else with the host's key has ended the run that broke off.
    async fn end_broken(&self, store: &Store) {
        let repository = self.world.open(store).await.unwrap();
        let key = self.world.host.key();
        let object = layout::session(&job("etc"), Seq(4));
        let bytes = store.get(&object).await.unwrap();
        let begun = Record::parse(&bytes, repository.id(), &object).unwrap();
        let session: Session = begun.open(key.public()).unwrap();
        let before = repository.run_end(&session.job, Seq(3)).await.unwrap();
        let end = RunEnd::Aborted(Aborted {
            repository: session.repository,
            job: session.job.clone(),
            seq: session.seq,
            prev: Some(before.unwrap().digest),
            nonce: session.nonce,
            created: clock(),
            reason: Code::Failed.as_str().to_owned(),
        });
        let object = layout::snapshot(&session.job, session.seq);
        let bytes = Record::sign(&end, repository.id(), &object, key).unwrap();
        store.put_new(&object, bytes.into()).await.unwrap();
    }

    /// A copy of the past.
    pub(crate) fn fork(&self) -> Arc<InMemory> {
        Arc::new(self.past.fork())
    }

    /// The hosts as they were, in a folder that a schedule may change.
    pub(crate) fn hosts(&self) -> Hosts {
        let folder = tempfile::tempdir().unwrap();
        let id = self.id();
        for (name, key) in [("0", &**self.world.host.key()), ("1", &self.second)] {
            let host = Host::create(&folder.path().join(name), id, copy_of(key)).unwrap();
            if name == "0" {
                for entry in fs::read_dir(self.world.host.scratch()).unwrap() {
                    let entry = entry.unwrap();
                    fs::copy(entry.path(), host.scratch().join(entry.file_name())).unwrap();
                }
            }
        }
        let hosts = Hosts::open(folder.path(), id);
        Hosts {
            folder: Some(folder),
            ..hosts
        }
    }

    /// The repository's id.
    pub(crate) fn id(&self) -> RepositoryId {
        let folder = self.world.host.scratch().file_name().unwrap();
        folder.to_str().unwrap().parse().unwrap()
    }

    /// What an actor does, from its first call to its last.
    pub(crate) async fn play(&self, part: &Part, hosts: &Hosts, store: Store) -> Ending {
        let ended = self.try_play(part, hosts, store).await;
        ended.unwrap_or_else(|error| Ending::Failed(error.code(), format!("{error:?}")))
    }

    async fn try_play(&self, part: &Part, hosts: &Hosts, store: Store) -> Result<Ending, OpError> {
        let key = self.world.host.key();
        if let Part::Write(host) = part {
            let (host, name) = (&hosts.hosts[*host], job("etc"));
            let silent: Arc<dyn Progress> = Arc::new(Silent);
            let written = self.world.backup_by(host, &store, &name, clock, &silent);
            return written.await.map(|report| Ending::Written(report.snapshot));
        }
        let repository = self.world.open(&store).await?.read_by(Arc::clone(key));
        let cancel = CancellationToken::new();
        match part {
            Part::Write(_) => Ok(Ending::Died),
            Part::Forget(numbers) => {
                let names: Vec<_> = numbers.iter().map(|&number| snapshot(number)).collect();
                let report = ops::forget(&repository, key, &names, Why::Request, clock()).await?;
                assert!(report.left.is_empty(), "{report:?}");
                Ok(Ending::Forgotten)
            }
            Part::Hold(number) => {
                ops::hold(&repository, key, &snapshot(*number), "kept", clock()).await?;
                Ok(Ending::Held)
            }
            Part::Prune => {
                for _ in 0..ACTIVATIONS {
                    let done = ops::prune(&repository, key, None, AT_ONCE, clock, &Silent, &cancel);
                    if matches!(done.await?.progress, PruneState::Done | PruneState::Nothing) {
                        break;
                    }
                }
                Ok(Ending::Pruned)
            }
            Part::Restore(number) => {
                let restored = self.world.restore(&repository, &snapshot(*number)).await?;
                Ok(Ending::Restored(restored))
            }
            Part::Verify => {
                for report in verify(&repository, &self.verifier()).await? {
                    assert_eq!(report.verdict, Verdict::Good, "{report:?}");
                }
                Ok(Ending::Verified)
            }
        }
    }

    fn verifier(&self) -> Verifier {
        Verifier::Data(self.world.admin.clone())
    }
}

/// Both hosts.
pub(crate) struct Hosts {
    pub(crate) hosts: [Host; 2],
    folder: Option<TempDir>,
}

impl Hosts {
    /// Those of a folder that is somebody else's.
    pub(crate) fn open(folder: &Path, id: RepositoryId) -> Self {
        let hosts = ["0", "1"].map(|name| Host::open(&folder.join(name), id).unwrap());
        let folder = None;
        Self { hosts, folder }
    }

    /// Where they are.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.as_ref().expect("they are of a scene").path()
    }
}

/// What an actor may fail with although no store does.
fn is_excused(part: &Part, code: Code, forgotten: bool) -> bool {
    match part {
        Part::Write(_) => code == Code::Busy || code == Code::Failed,
        Part::Forget(_) => code == Code::Held || code == Code::Busy,
        // A hold that finds neither record nor forget takes the run for one that goes on.
        Part::Hold(_) => matches!(code, Code::Forgotten | Code::Busy) && forgotten,
        Part::Restore(_) => code == Code::Forgotten && forgotten,
        Part::Prune | Part::Verify => false,
    }
}

impl Scene {
    /// What must be true when nobody works any more: what was told is so, what was not forgotten is
    /// there and whole, and everything works. Gives how many snapshots were looked at.
    pub(crate) async fn check(
        &self,
        parts: &[Part],
        endings: &[Ending],
        hosts: &Hosts,
        store: &Store,
    ) -> usize {
        let living = self.living(store).await;
        let died = endings.iter().any(|end| matches!(end, Ending::Died));
        let forgotten = |number: u64| !living.contains(&Seq(number));
        let told = parts.iter().filter_map(|part| match part {
            Part::Forget(numbers) => Some(*numbers),
            _ => None,
        });
        let told: BTreeSet<u64> = told.flatten().chain(&self.forgotten).copied().collect();
        for number in 1..=3 {
            assert!(
                living.contains(&Seq(number)) || told.contains(&number),
                "{number} got lost"
            );
        }
        let mut written = BTreeSet::new();
        for (part, ending) in parts.iter().zip(endings) {
            match (part, ending) {
                (_, Ending::Written(name)) => {
                    assert!(living.contains(&name.seq), "{name}: a success that is none");
                    assert!(written.insert(name.seq), "{name}: two have written it");
                }
                (Part::Forget(numbers), Ending::Forgotten) => {
                    assert!(numbers.iter().all(|&number| forgotten(number)));
                }
                (Part::Hold(number), Ending::Held) => assert!(!forgotten(*number)),
                (Part::Restore(number), Ending::Restored(tree)) => {
                    assert_eq!(tree, &self.trees[&Seq(*number)]);
                }
                (part, Ending::Failed(code, error)) => {
                    let of = match part {
                        Part::Hold(number) | Part::Restore(number) => forgotten(*number),
                        _ => false,
                    };
                    assert!(is_excused(part, *code, of), "{part:?}: {error}");
                }
                (_, _) => {}
            }
        }
        self.go_on(hosts, store, died).await;
        living.len()
    }

    /// Whatever arrives long after, changes nothing.
    pub(crate) async fn after(&self, hosts: &Hosts, store: &Store) {
        self.go_on(hosts, store, true).await;
    }

    /// The snapshots that live, all of which are whole and hold what they must.
    pub(crate) async fn living(&self, store: &Store) -> BTreeSet<Seq> {
        let repository = self.world.open(store).await.unwrap();
        let living = good(&repository, &self.verifier()).await;
        for seq in &living {
            let restored = self.world.restore(&repository, &snapshot(seq.0)).await;
            let expected = self.trees.get(seq).unwrap_or(&self.now);
            assert!(
                restored.unwrap() == *expected,
                "{seq:?} holds something else"
            );
        }
        living
    }

    /// The next backup of each host works, and the next prune leaves nothing that nobody needs.
    async fn go_on(&self, hosts: &Hosts, store: &Store, died: bool) {
        let (name, silent) = (job("etc"), Arc::new(Silent) as Arc<dyn Progress>);
        let mut waiting = vec![0, 1];
        // A run of one that died is in the way of the other until its own host has closed it.
        for _ in 0..2 {
            let mut busy = Vec::new();
            for host in waiting {
                let by = &hosts.hosts[host];
                let next = self.world.backup_by(by, store, &name, clock, &silent);
                match next.await {
                    Ok(_) => {}
                    Err(error) if died && error.code() == Code::Busy => busy.push(host),
                    Err(error) => panic!("host {host}: {error:?}"),
                }
            }
            waiting = busy;
        }
        assert!(waiting.is_empty(), "the job is stuck");
        let repository = self.world.open(store).await.unwrap();
        let before = good(&repository, &Verifier::Storage).await;
        let cancel = CancellationToken::new();
        // The first may only finish what an actor has begun.
        for _ in 0..2 {
            let key = self.world.host.key();
            let pruned = ops::prune(&repository, key, None, AT_ONCE, clock, &Silent, &cancel);
            let pruned = pruned.await.unwrap();
            let done = matches!(pruned.progress, PruneState::Done | PruneState::Nothing);
            assert!(done, "{pruned:?}");
        }
        let after = good(&repository, &self.verifier()).await;
        assert_eq!(after, before, "a prune took something");
        let checked = ops::check(&repository, &cancel).await.unwrap();
        assert!(checked.faults.is_empty(), "{checked:?}");
        assert_eq!(checked.unnamed.objects, 0, "{checked:?}");
        assert_eq!(checked.prune, None, "{checked:?}");
    }
}

/// The snapshots that live, all of which are good.
async fn good(repository: &Repository, verifier: &Verifier) -> BTreeSet<Seq> {
    let mut good = BTreeSet::new();
    for report in verify(repository, verifier).await.unwrap() {
        assert_eq!(report.verdict, Verdict::Good, "{report:?}");
        good.insert(report.snapshot.seq);
    }
    good
}

pub(crate) fn snapshot(number: u64) -> SnapshotName {
    SnapshotName {
        job: job("etc"),
        seq: Seq(number),
    }
}

/// Some files are others in each snapshot, some in every second, one in none.
fn change(world: &World, number: u8) {
    let folder = world.source(&job("etc"));
    for (name, seed) in [("a", number), ("b", 100 + number / 2), ("c", 200)] {
        let mut bytes = vec![0; 20_000];
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[seed]).finalize_xof().fill(&mut bytes);
        fs::write(folder.join(name), bytes).unwrap();
    }
}

pub(crate) fn clock() -> Timestamp {
    "2026-11-22T02:30:00Z".parse().unwrap()
}

fn copy_of(key: &SecretKey) -> SecretKey {
    SecretKey::from_file_text(&key.to_file_text("copy").unwrap()).unwrap()
}

/// Trusts a second host.
async fn admit(world: &World, store: &Store, key: &SecretKey) {
    let repository = world.open(store).await.unwrap();
    let bytes = store.get(&layout::trust(1)).await.unwrap();
    let first = Record::parse(&bytes, repository.id(), &layout::trust(1)).unwrap();
    let mut trust: TrustRecord = first.open(world.root.public()).unwrap();
    trust.version = 2;
    trust.prev = first.digest();
    let mut writer = trust.writers[0].clone();
    writer.name = job("second");
    writer.key = key.public().clone();
    trust.writers.push(writer);
    let object = layout::trust(2);
    let bytes = Record::sign(&trust, repository.id(), &object, &world.root).unwrap();
    store.put_new(&object, bytes.into()).await.unwrap();
}

pub(crate) fn memory(inner: &Arc<InMemory>) -> Store {
    let inner: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(inner);
    Store::new(inner, "memory".to_owned())
}
