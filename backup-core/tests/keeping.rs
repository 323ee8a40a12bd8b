//! Forget, hold and prune on real code: what is dead stays dead, what is held stays, what nobody
//! names goes, and whatever is not signed by the right key stops everything.

#![cfg(test)]

mod support;

use std::{collections::BTreeSet, fs, sync::Arc};

use backup_core::{
    format::{Forget, Plan, Session, layout},
    ops::{self, OpError, PruneOptions, Verifier},
    repo::{Repository, RunState},
    store::Store,
};
use backup_keys::{Record, RecordKind, SecretKey};
use backup_model::{
    Code, ForgetReport, Nonce, PruneReport, PruneState, Seq, Silent, SnapshotName, Verdict, Why,
};
use bytes::Bytes;
use jiff::Timestamp;
use support::{World, job, verify, world::Tree};
use tokio_util::sync::CancellationToken;

const AT_ONCE: PruneOptions = PruneOptions {
    grace_secs: 0,
    allow_large: true,
};

/// A repository in memory with snapshots 1 to `count` of one job, each of other files.
struct Kept {
    world: World,
    store: Store,
    trees: Vec<Tree>,
}

impl Kept {
    async fn new(count: u64) -> Self {
        let store = Store::memory();
        let world = World::new(&store).await;
        let mut kept = Self {
            world,
            store,
            trees: Vec::new(),
        };
        for _ in 0..count {
            kept.back_up().await;
        }
        kept
    }

    /// Two thirds of the files are others each time.
    async fn back_up(&mut self) {
        let number = u8::try_from(self.trees.len()).unwrap() + 1;
        let folder = self.world.source(&job("etc"));
        for (name, seed) in [("a", number), ("b", number / 2), ("c", 100 + number)] {
            fs::write(folder.join(name), noise(seed)).unwrap();
        }
        let report = self.world.backup(&self.store, &job("etc")).await.unwrap();
        assert_eq!(report.snapshot, snapshot(number.into()));
        self.trees.push(self.world.tree(&job("etc")));
    }

    async fn open(&self) -> Repository {
        self.world.open(&self.store).await.unwrap()
    }

    fn key(&self) -> &SecretKey {
        self.world.host.key()
    }

    async fn forget(&self, numbers: &[u64]) -> Result<ForgetReport, OpError> {
        let names: Vec<_> = numbers.iter().copied().map(snapshot).collect();
        ops::forget(
            &self.open().await,
            self.key(),
            &names,
            Why::Request,
            clock(),
        )
        .await
    }

    async fn hold(&self, number: u64) -> Result<(), OpError> {
        let (repository, name) = (self.open().await, snapshot(number));
        let held = ops::hold(
            &repository,
            self.key(),
            &name,
            "the auditors asked",
            clock(),
        )
        .await;
        held.map(drop)
    }

    async fn prune(&self) -> Result<PruneReport, OpError> {
        self.prune_with(AT_ONCE).await
    }

    async fn prune_with(&self, options: PruneOptions) -> Result<PruneReport, OpError> {
        let cancel = CancellationToken::new();
        let repository = self.open().await;
        ops::prune(
            &repository,
            self.key(),
            None,
            options,
            clock,
            &Silent,
            &cancel,
        )
        .await
    }

    /// These snapshots live and are whole, and there are no others.
    async fn has(&self, numbers: &[u64]) {
        let repository = self.open().await;
        let verifier = Verifier::Data(self.world.admin.clone());
        let reports = verify(&repository, &verifier).await.unwrap();
        let good: Vec<_> = reports
            .iter()
            .map(|report| {
                assert_eq!(report.verdict, Verdict::Good, "{report:?}");
                report.snapshot.seq.0
            })
            .collect();
        assert_eq!(good, numbers);
        for &number in numbers {
            let restored = self.world.restore(&repository, &snapshot(number)).await;
            let index = usize::try_from(number).unwrap() - 1;
            assert_eq!(restored.unwrap(), self.trees[index], "{number}");
        }
    }

    /// Stores a record signed by a key, whatever is there.
    async fn plant<T: RecordKind>(&self, key: &str, record: &T, by: &SecretKey) {
        let id = self.open().await.id();
        let bytes = Record::sign(record, id, key, by).unwrap();
        self.store.put_new(key, bytes.into()).await.unwrap();
    }

    async fn keys(&self) -> BTreeSet<String> {
        let objects = self.store.list_all().await.unwrap();
        objects.into_iter().map(|object| object.key).collect()
    }
}

fn snapshot(number: u64) -> SnapshotName {
    SnapshotName {
        job: job("etc"),
        seq: Seq(number),
    }
}

fn clock() -> Timestamp {
    "2026-11-22T02:30:00Z".parse().unwrap()
}

/// 30,000 bytes that do not compress and are others for each seed.
fn noise(seed: u8) -> Vec<u8> {
    let mut bytes = vec![0; 30_000];
    blake3::Hasher::new()
        .update(&[seed])
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

fn code<T: std::fmt::Debug>(result: Result<T, OpError>) -> Code {
    result.unwrap_err().code()
}

#[tokio::test]
async fn what_is_forgotten_goes_and_the_rest_stays_whole() {
    let mut kept = Kept::new(5).await;
    let report = kept.forget(&[1, 3]).await.unwrap();
    assert_eq!(report.forgotten, [snapshot(1), snapshot(3)]);
    assert!(report.left.is_empty());
    kept.has(&[2, 4, 5]).await;

    let before = kept.keys().await;
    let pruned = kept.prune().await.unwrap();
    assert_eq!(pruned.progress, PruneState::Done);
    assert!(pruned.packs.objects >= 2, "{pruned:?}");
    assert_eq!(pruned.lists.objects, 4);
    kept.has(&[2, 4, 5]).await;
    let gone: Vec<_> = before.difference(&kept.keys().await).cloned().collect();
    let amount = pruned.packs.and(pruned.lists).objects;
    // The two sessions too; their records went when they were forgotten.
    assert_eq!(gone.len() as u64, amount + 2, "{gone:?}");

    assert_eq!(kept.prune().await.unwrap().progress, PruneState::Nothing);
    // Numbers go on, and so does the chain.
    kept.back_up().await;
    kept.has(&[2, 4, 5, 6]).await;
    assert_eq!(code(kept.forget(&[7]).await), Code::NoSnapshot);
    assert_eq!(kept.forget(&[1]).await.unwrap().already, [snapshot(1)]);
}

#[tokio::test]
async fn numbers_go_on_after_the_dead() {
    let mut kept = Kept::new(3).await;
    kept.forget(&[1, 2, 3]).await.unwrap();
    kept.prune().await.unwrap();
    kept.has(&[]).await;
    let keys = kept.keys().await;
    let left = |folder: &str| keys.iter().filter(|key| key.starts_with(folder)).count();
    for folder in ["packs/", "recipes/", "refs/", "sessions/", "snapshots/"] {
        assert_eq!(left(folder), 0, "{folder}");
    }
    kept.back_up().await;
    kept.has(&[4]).await;
}

#[tokio::test]
async fn what_is_held_stays_until_it_is_released() {
    let kept = Kept::new(3).await;
    kept.hold(2).await.unwrap();
    assert_eq!(code(kept.forget(&[1, 2]).await), Code::Held);
    // All or nothing.
    kept.has(&[1, 2, 3]).await;
    assert_eq!(code(kept.hold(9).await), Code::NoSnapshot);
    let (repository, name) = (kept.open().await, snapshot(2));
    assert!(
        ops::release(&repository, kept.key(), &name, clock())
            .await
            .unwrap()
    );
    assert!(
        !ops::release(&repository, kept.key(), &name, clock())
            .await
            .unwrap()
    );
    kept.forget(&[2]).await.unwrap();
    assert_eq!(code(kept.hold(2).await), Code::Forgotten);
    kept.has(&[1, 3]).await;
}

#[tokio::test]
async fn dead_is_dead_for_ever() {
    let kept = Kept::new(3).await;
    let record = layout::snapshot(&job("etc"), Seq(2));
    let bytes = kept.store.get(&record).await.unwrap();
    kept.forget(&[2]).await.unwrap();
    kept.store.put_new(&record, bytes).await.unwrap();
    kept.has(&[1, 3]).await;
    let repository = kept.open().await;
    let verifier = Verifier::Storage;
    let one = backup_model::Selection::One(snapshot(2));
    let progress: Arc<dyn backup_model::Progress> = Arc::new(Silent);
    let cancel = CancellationToken::new();
    let verified = ops::verify(&repository, &one, &verifier, &progress, &cancel, |_| {}).await;
    assert_eq!(code(verified), Code::Forgotten);
    let restored = kept.world.restore(&repository, &snapshot(2)).await;
    assert_eq!(code(restored), Code::Forgotten);
    let checked = ops::check(&repository, &cancel).await.unwrap();
    assert!(checked.faults.is_empty(), "{checked:?}");
    assert!(checked.notes[0].message.contains(&record), "{checked:?}");
    // Prune takes it away, and its packs with it.
    kept.prune().await.unwrap();
    kept.has(&[1, 3]).await;
    let checked = ops::check(&repository, &cancel).await.unwrap();
    assert!(checked.notes.is_empty(), "{checked:?}");
}

#[tokio::test]
async fn a_plan_is_taken_up_by_whoever_comes() {
    let mut kept = Kept::new(3).await;
    kept.forget(&[1]).await.unwrap();
    let later = PruneOptions {
        grace_secs: 86_400,
        allow_large: true,
    };
    let first = kept.prune_with(later).await.unwrap();
    assert!(
        matches!(first.progress, PruneState::Grace { .. }),
        "{first:?}"
    );
    // What runs meanwhile does not build on what is planned, and is not hurt.
    kept.back_up().await;
    let second = kept.prune().await.unwrap();
    assert_eq!(
        (second.generation, &second.progress),
        (1, &PruneState::Done)
    );
    kept.has(&[2, 3, 4]).await;
}

#[tokio::test]
async fn a_prune_waits_for_a_run_and_ends_one_past_its_limit() {
    for (limit_secs, waits) in [(3_600, true), (0, false)] {
        let mut kept = Kept::new(2).await;
        kept.forget(&[1]).await.unwrap();
        let session = Session {
            repository: kept.open().await.id(),
            job: job("etc"),
            seq: Seq(3),
            nonce: Nonce([7; 16]),
            created: clock(),
            limit_secs,
            program: "0".to_owned(),
        };
        let key = layout::session(&job("etc"), Seq(3));
        kept.plant(&key, &session, kept.key()).await;
        let report = tokio::time::timeout(std::time::Duration::from_secs(20), async {
            // A store's clock has whole seconds.
            loop {
                let report = kept.prune().await.unwrap();
                if waits || report.progress == PruneState::Done {
                    return report;
                }
                tokio::task::yield_now().await;
            }
        });
        let report = report.await.unwrap();
        if waits {
            let PruneState::Waiting { runs } = &report.progress else {
                panic!("{report:?}");
            };
            assert_eq!(runs[0].run, snapshot(3));
            kept.has(&[2]).await;
            continue;
        }
        assert_eq!(report.fenced, [snapshot(3)]);
        let runs = kept.open().await.runs(&job("etc")).await.unwrap();
        assert!(matches!(&runs.runs[2].1, RunState::Ended(end) if end.commit().is_err()));
        // The job goes on after it, and its run gets twice the time.
        kept.trees.push(Tree::new());
        kept.back_up().await;
        kept.has(&[2, 4]).await;
    }
}

#[tokio::test]
async fn a_plan_that_takes_much_must_be_confirmed() {
    let kept = Kept::new(4).await;
    kept.forget(&[1, 2, 3]).await.unwrap();
    let asked = PruneOptions {
        allow_large: false,
        ..AT_ONCE
    };
    assert_eq!(code(kept.prune_with(asked).await), Code::NotConfirmed);
    let plan = ops::plan_prune(&kept.open().await, &CancellationToken::new())
        .await
        .unwrap();
    assert!(
        plan.needs_confirmation && plan.share_percent > 30,
        "{plan:?}"
    );
    kept.prune().await.unwrap();
    kept.has(&[4]).await;
    // What no snapshot ever named may go unasked, however much it is.
    let orphan = layout::pack(&backup_model::Digest([9; 32]));
    kept.store
        .put_new(&orphan, Bytes::from(vec![0; 1 << 20]))
        .await
        .unwrap();
    let pruned = kept.prune_with(asked).await.unwrap();
    assert_eq!(pruned.packs.objects, 1);
}

#[tokio::test]
async fn what_the_right_key_did_not_sign_stops_everything() {
    let stranger = SecretKey::generate().unwrap();
    let id = |kept: &Repository| kept.id();
    let forget = |repository| Forget {
        repository,
        version: 1,
        prev: None,
        created: clock(),
        dead: Vec::new(),
        holds: Vec::new(),
    };
    let plan = |repository| Plan {
        repository,
        generation: 1,
        created: clock(),
        candidates: backup_core::format::Objects::default(),
    };
    for key in [layout::forget(1), layout::plan(1)] {
        let kept = Kept::new(2).await;
        let repository = kept.open().await;
        if key == layout::forget(1) {
            kept.plant(&key, &forget(id(&repository)), &stranger).await;
        } else {
            kept.plant(&key, &plan(id(&repository)), &stranger).await;
        }
        let error = kept.prune().await.unwrap_err();
        assert_eq!(error.code(), Code::RepositoryDamaged, "{key}");
        assert!(error.to_string().contains(&key), "{error}");
        let error = kept
            .world
            .backup(&kept.store, &job("etc"))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(&key), "{error}");
    }
    // Not a record at all.
    for key in [
        layout::forget(1),
        layout::plan(1),
        layout::pin(&Nonce([1; 16])),
    ] {
        let kept = Kept::new(1).await;
        kept.store
            .put_new(&key, Bytes::from_static(b"x"))
            .await
            .unwrap();
        let error = kept.prune().await.unwrap_err();
        assert_eq!(error.code(), Code::RepositoryDamaged, "{key}");
        assert!(error.to_string().contains(&key), "{error}");
    }
    // By a key of the wrong role.
    let kept = Kept::new(1).await;
    let (repository, names) = (kept.open().await, [snapshot(1)]);
    let error = ops::forget(&repository, &stranger, &names, Why::Request, clock()).await;
    assert_eq!(code(error), Code::WriterRefused);
}

#[tokio::test]
async fn damage_stops_a_prune_and_is_named() {
    let kept = Kept::new(3).await;
    kept.forget(&[1]).await.unwrap();
    let record = layout::snapshot(&job("etc"), Seq(2));
    kept.store.delete(&record).await.unwrap();
    let before = kept.keys().await;
    let error = kept.prune().await.unwrap_err();
    assert!(error.to_string().contains(&record), "{error}");
    assert_eq!(kept.keys().await, before);
}

#[tokio::test]
async fn a_foreign_object_is_left_alone_and_named() {
    let kept = Kept::new(2).await;
    for foreign in ["packs/readme.txt", "lost+found/x", "refs/x.zst"] {
        kept.store
            .put_new(foreign, Bytes::from_static(b"x"))
            .await
            .unwrap();
    }
    kept.forget(&[1]).await.unwrap();
    kept.prune().await.unwrap();
    kept.has(&[2]).await;
    let checked = ops::check(&kept.open().await, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(
        checked.foreign,
        ["lost+found/x", "packs/readme.txt", "refs/x.zst"]
    );
    assert!(checked.faults.is_empty());
}

#[tokio::test]
async fn what_is_read_is_pinned_and_stays() {
    let kept = Kept::new(3).await;
    let reader = kept.open().await.read_by(Arc::clone(kept.world.host.key()));
    // A pin that nobody took away: its reader has died.
    let record = reader.run_end(&job("etc"), Seq(1)).await.unwrap().unwrap();
    let commit = record.commit().unwrap();
    let pin = backup_core::format::Pin {
        repository: reader.id(),
        id: Nonce([5; 16]),
        job: job("etc"),
        seq: Seq(1),
        record: record.digest,
        recipe: commit.recipe,
        refs: commit.refs,
        limit_secs: 3_600,
    };
    kept.plant(&layout::pin(&pin.id), &pin, kept.key()).await;
    kept.forget(&[1, 2]).await.unwrap();
    let plan = ops::plan_prune(&reader, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(plan.pinned, [snapshot(1)]);
    kept.prune().await.unwrap();
    let keys = kept.keys().await;
    assert!(keys.contains(&layout::recipe(&commit.recipe.sha256)));
    kept.store.delete(&layout::pin(&pin.id)).await.unwrap();
    kept.prune().await.unwrap();
    let keys = kept.keys().await;
    assert!(!keys.contains(&layout::recipe(&commit.recipe.sha256)));
    // A reader leaves no pin behind.
    kept.world.restore(&reader, &snapshot(3)).await.unwrap();
    assert!(!kept.keys().await.iter().any(|key| key.starts_with("pins/")));
    kept.has(&[3]).await;
}
