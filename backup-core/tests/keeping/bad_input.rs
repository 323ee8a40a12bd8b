//! What must stop a forget or a prune, and what must not.

use std::{sync::Arc, time::Duration};

use backup_core::{
    format::{Fence, Final, Forget, Objects, Plan, RunEnd, SizedDigest, layout},
    ops,
    repo::Repository,
    store::Store,
};
use backup_keys::SecretKey;
use backup_model::{
    BackupReport, Code, Digest, Nonce, PruneState, RepositoryId, Selection, Seq, Why,
};
use bytes::Bytes;
use object_store::ObjectMeta;
use tokio_util::sync::CancellationToken;

use crate::{
    altered::Altered,
    kept::{AT_ONCE, Kept, clock, code, snapshot},
    support::job,
};

/// A moment more than a pin or a session without a limit counts.
const A_DAY: Duration = Duration::from_mins(24 * 60 + 1);

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
        candidates: Objects::default(),
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
        let backup = kept.world.backup(&kept.store, &job("etc")).await;
        if key == layout::forget(1) {
            let error = backup.unwrap_err();
            assert!(error.to_string().contains(&key), "{error}");
        } else {
            stores_all_anew(&kept, backup).await;
        }
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

/// Of a prune that nobody can read anything may be about to go, so a backup counts on nothing that
/// is stored. It is made all the same.
async fn stores_all_anew(kept: &Kept, backup: Result<BackupReport, ops::OpError>) {
    let backup = backup.unwrap();
    let repository = kept.open().await;
    let runs = ops::list(&repository, &Selection::Latest).await.unwrap();
    let run = runs.first().unwrap().as_ref().unwrap();
    assert_eq!(run.snapshot, backup.snapshot);
    assert!(run.added_bytes > run.stored_bytes, "packs, recipe and refs");
    let restored = kept.world.restore(&repository, &backup.snapshot).await;
    assert_eq!(restored.unwrap(), kept.world.tree(&job("etc")));
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
    // What is lost is lost; once it is forgotten, the rest goes on.
    kept.forget(&[2]).await.unwrap();
    kept.prune().await.unwrap();
    kept.has(&[3]).await;
}

/// Two records in a row, and the newest, of which no run after it knows the digest.
#[tokio::test]
async fn whatever_is_damaged_can_be_forgotten() {
    let mut kept = Kept::new(4).await;
    for number in [2, 3, 4] {
        let record = layout::snapshot(&job("etc"), Seq(number));
        kept.store.delete(&record).await.unwrap();
        let junk = Bytes::from_static(b"x");
        kept.store.put_new(&record, junk).await.unwrap();
    }
    let backup = kept.world.backup(&kept.store, &job("etc")).await;
    assert_eq!(code(backup), Code::RepositoryDamaged);
    kept.forget(&[4]).await.unwrap();
    kept.back_up().await;
    kept.forget(&[2, 3]).await.unwrap();
    kept.prune().await.unwrap();
    kept.has(&[1, 5]).await;
}

/// A session that cannot be read keeps neither its job nor a prune waiting for ever.
#[tokio::test]
async fn a_damaged_session_is_an_open_run() {
    let mut kept = Kept::new(3).await;
    kept.forget(&[1]).await.unwrap();
    let session = layout::session(&job("etc"), Seq(4));
    let junk = Bytes::from_static(b"x");
    kept.store.put_new(&session, junk).await.unwrap();
    let pruned = kept.prune().await.unwrap();
    assert!(matches!(pruned.progress, PruneState::Waiting { .. }));
    let backup = kept.world.backup(&kept.store, &job("etc")).await;
    assert_eq!(code(backup), Code::Busy);
    let cancel = CancellationToken::new();
    let checked = ops::check(&kept.open().await, &cancel).await.unwrap();
    assert!(checked.faults[0].message.contains(&session), "{checked:?}");
    // A day later, by the store's clock.
    let whole = kept.store.clone();
    kept.store = Altered::later(&whole, A_DAY);
    let pruned = kept.prune().await.unwrap();
    assert_eq!(pruned.progress, PruneState::Done);
    assert_eq!(pruned.fenced, [snapshot(4)]);
    kept.store = whole;
    let backup = kept.world.backup(&kept.store, &job("etc")).await;
    assert_eq!(backup.unwrap().snapshot, snapshot(5));
    let tree = kept.world.tree(&job("etc"));
    kept.trees.extend([tree.clone(), tree]);
    kept.has(&[2, 3, 5]).await;
}

/// Nobody knows what a pin protects that cannot be read, as long as it may count at all.
#[tokio::test]
async fn a_damaged_pin_stops_a_prune_for_a_day() {
    let mut kept = Kept::new(3).await;
    kept.forget(&[1]).await.unwrap();
    let pin = layout::pin(&Nonce([1; 16]));
    let junk = Bytes::from_static(b"x");
    kept.store.put_new(&pin, junk).await.unwrap();
    let error = kept.prune().await.unwrap_err();
    assert!(error.to_string().contains(&pin), "{error}");
    let whole = kept.store.clone();
    kept.store = Altered::later(&whole, A_DAY);
    assert_eq!(kept.prune().await.unwrap().progress, PruneState::Done);
    kept.store = whole;
    assert!(!kept.keys().await.contains(&pin));
    kept.has(&[2, 3]).await;
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

/// Records that the right key signed, and that no program of ours writes.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
async fn records_of_a_prune_that_do_not_fit_are_refused() {
    let nothing = Objects::default;
    let pack = |byte| SizedDigest(Digest([byte; 32]), 10);
    let packs = |packs: &[SizedDigest]| Objects {
        packs: packs.to_vec(),
        ..Objects::default()
    };
    let plan = |generation, candidates| Plan {
        repository: RepositoryId([0; 16]),
        generation,
        created: clock(),
        candidates,
    };
    let last = |generation, delete| Final {
        repository: RepositoryId([0; 16]),
        generation,
        plan: Digest([0; 32]),
        created: clock(),
        delete,
    };
    let cases = [
        (
            "not sorted",
            vec![plan(1, packs(&[pack(2), pack(1)]))],
            None,
            "prune/1/plan.json",
        ),
        (
            "twice",
            vec![plan(1, packs(&[pack(1), pack(1)]))],
            None,
            "prune/1/plan.json",
        ),
        (
            "more than planned",
            vec![plan(1, packs(&[pack(1)]))],
            Some(last(1, packs(&[pack(2)]))),
            "prune/1/final.json",
        ),
        (
            "without a plan",
            vec![],
            Some(last(1, nothing())),
            "prune/1/plan.json",
        ),
    ];
    for (what, plans, last, named) in cases {
        let kept = Kept::new(1).await;
        let id = kept.open().await.id();
        let mut digest = Digest([0; 32]);
        for plan in plans {
            let plan = Plan {
                repository: id,
                ..plan
            };
            let key = layout::plan(plan.generation);
            digest = kept.plant(&key, &plan, kept.key()).await;
        }
        if let Some(last) = last {
            let last = Final {
                repository: id,
                plan: digest,
                ..last
            };
            kept.plant(&layout::final_(1), &last, kept.key()).await;
        }
        let before = kept.keys().await;
        let error = kept.prune().await.unwrap_err();
        assert_eq!(error.code(), Code::RepositoryDamaged, "{what}");
        assert!(error.to_string().contains(named), "{what}: {error}");
        let backup = kept.world.backup(&kept.store, &job("etc")).await;
        stores_all_anew(&kept, backup).await;
        let checked = ops::check(&kept.open().await, &CancellationToken::new())
            .await
            .unwrap();
        assert!(
            checked.faults[0].message.contains(named),
            "{what}: {checked:?}"
        );
        assert_eq!(
            kept.keys().await.intersection(&before).count(),
            before.len()
        );
    }
    // A whole plan in another place.
    let kept = Kept::new(1).await;
    let id = kept.open().await.id();
    let plan = Plan {
        repository: id,
        ..plan(1, nothing())
    };
    kept.plant(&layout::plan(1), &plan, kept.key()).await;
    kept.prune().await.unwrap();
    let bytes = kept.store.get(&layout::plan(1)).await.unwrap();
    kept.store.put_new(&layout::plan(2), bytes).await.unwrap();
    let error = kept.prune().await.unwrap_err();
    assert!(error.to_string().contains("prune/2/plan.json"), "{error}");
}

/// A fence ends somebody's run, so not every key may sign one.
#[tokio::test]
async fn a_fence_of_a_stranger_ends_nothing() {
    let kept = Kept::new(1).await;
    let fence = RunEnd::Fence(Fence {
        repository: kept.open().await.id(),
        job: job("etc"),
        seq: Seq(2),
        prev: None,
        nonce: Nonce([7; 16]),
        created: clock(),
    });
    let key = layout::snapshot(&job("etc"), Seq(2));
    kept.plant(&key, &fence, &SecretKey::generate().unwrap())
        .await;
    let error = kept.prune().await.unwrap_err();
    assert_eq!(error.code(), Code::RepositoryDamaged);
    assert!(error.to_string().contains(&key), "{error}");
}

fn as_it_is(meta: ObjectMeta) -> Vec<object_store::Result<ObjectMeta>> {
    vec![Ok(meta)]
}

fn keeps_none(_: &object_store::path::Path) -> bool {
    false
}

/// A listing that ends early hides what is new; nothing of it may be taken for nobody's.
#[tokio::test]
async fn a_listing_that_ends_early_hides_no_snapshot() {
    for hidden in ["snapshots/", "sessions/", "s"] {
        let mut kept = Kept::new(4).await;
        kept.forget(&[1]).await.unwrap();
        let whole = kept.store.clone();
        // The newest two are not listed: of a store that is late, or of one that lies.
        let late = move |meta: ObjectMeta| {
            let key = meta.location.as_ref();
            let new = key.ends_with("000003.json") || key.ends_with("000004.json");
            if key.starts_with(hidden) && new {
                vec![]
            } else {
                vec![Ok(meta)]
            }
        };
        kept.store = Altered::store(&whole, late, keeps_none);
        assert_eq!(kept.prune().await.unwrap().progress, PruneState::Done);
        kept.store = whole;
        kept.has(&[2, 3, 4]).await;
    }
    // All of a job: then its refs tell.
    let mut kept = Kept::new(2).await;
    let whole = kept.store.clone();
    let none = |meta: ObjectMeta| {
        let hidden = meta.location.as_ref().starts_with('s');
        if hidden { vec![] } else { vec![Ok(meta)] }
    };
    kept.store = Altered::store(&whole, none, keeps_none);
    let error = kept.prune().await.unwrap_err();
    assert_eq!(error.code(), Code::Store);
    assert!(
        error.to_string().contains("listing does not have it"),
        "{error}"
    );
    kept.store = whole;
    kept.has(&[1, 2]).await;
}

#[tokio::test]
async fn a_listing_that_fails_or_repeats_stops_a_prune() {
    let fails = |_: ObjectMeta| {
        let source = "the connection was reset".into();
        vec![Err(object_store::Error::Generic {
            store: "test",
            source,
        })]
    };
    let repeats = |meta: ObjectMeta| vec![Ok(meta.clone()), Ok(meta)];
    let mut kept = Kept::new(3).await;
    kept.forget(&[1]).await.unwrap();
    let whole = kept.store.clone();
    let before = kept.keys().await;
    // What opening a repository lists.
    for altered in [
        Altered::store(&whole, fails, keeps_none),
        Altered::store(&whole, repeats, keeps_none),
    ] {
        assert!(kept.world.open(&altered).await.is_err());
    }
    // Only what a prune lists fails.
    for folder in [
        "packs",
        "recipes",
        "refs",
        "sessions",
        "snapshots",
        "forget",
        "pins",
        "prune",
    ] {
        let fails = move |meta: ObjectMeta| {
            if !meta.location.as_ref().starts_with(folder) {
                return vec![Ok(meta)];
            }
            let source = "the connection was reset".into();
            vec![Err(object_store::Error::Generic {
                store: "test",
                source,
            })]
        };
        kept.store = Altered::store(&whole, fails, keeps_none);
        let pruned = kept.prune().await;
        // Nothing is in these yet, so nothing fails.
        if matches!(folder, "pins" | "prune") {
            continue;
        }
        assert_eq!(code(pruned), Code::Store, "{folder}");
        kept.store = whole.clone();
        assert_eq!(kept.keys().await, before, "{folder}");
    }
    kept.store = whole;
    kept.has(&[2, 3]).await;
}

#[tokio::test]
async fn what_the_store_refuses_to_delete_is_dead_all_the_same() {
    let mut kept = Kept::new(3).await;
    let whole = kept.store.clone();
    let locked = |key: &object_store::path::Path| !key.as_ref().starts_with("probe/");
    kept.store = Altered::store(&whole, as_it_is, locked);
    let report = kept.forget(&[1]).await.unwrap();
    assert_eq!(report.left[0].code, Code::Retained);
    let pruned = kept.prune().await.unwrap();
    assert_eq!(pruned.progress, PruneState::Done);
    assert_eq!(pruned.retained, pruned.packs.and(pruned.lists));
    kept.has(&[2, 3]).await;
    // What was to be deleted is still there, and no run builds on it.
    kept.back_up().await;
    kept.has(&[2, 3, 4]).await;
    // When the lock is over, the next prune has it.
    kept.store = whole;
    let pruned = kept.prune().await.unwrap();
    assert!(pruned.packs.objects > 0);
    kept.has(&[2, 3, 4]).await;
    assert_eq!(kept.prune().await.unwrap().progress, PruneState::Nothing);
}

#[tokio::test]
async fn a_repository_copied_over_another_is_nobodys() {
    let kept = Kept::new(2).await;
    let other = Kept::new(3).await;
    // As a careless copy does it: everything, over whatever is there.
    let inner = Arc::new(object_store::memory::InMemory::new());
    let mixed = Store::new(inner.clone(), "mixed".to_owned());
    for source in [&kept, &other] {
        for object in source.store.list_all().await.unwrap() {
            let bytes = source.store.get(&object.key).await.unwrap();
            let key = object.key.as_str().into();
            object_store::ObjectStoreExt::put(&*inner, &key, bytes.into())
                .await
                .unwrap();
        }
    }
    let refused = kept.world.open(&mixed).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotTrusted);
    // Those who trust the copy are not misled by what is left of the first.
    let repository = other.world.open(&mixed).await.unwrap();
    let cancel = CancellationToken::new();
    let checked = ops::check(&repository, &cancel).await.unwrap();
    assert_eq!(
        (checked.snapshots, checked.faults.len()),
        (3, 0),
        "{checked:?}"
    );
    let mixed_world = Kept {
        world: other.world,
        store: mixed,
        trees: other.trees,
    };
    mixed_world.prune().await.unwrap();
    mixed_world.has(&[1, 2, 3]).await;
}

/// The writer's clock says nothing about how long a run goes on.
#[tokio::test]
async fn a_wrong_clock_fences_nobody() {
    for created in ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"] {
        let kept = Kept::new(1).await;
        let session = backup_core::format::Session {
            repository: kept.open().await.id(),
            job: job("etc"),
            seq: Seq(2),
            nonce: Nonce([7; 16]),
            created: created.parse().unwrap(),
            limit_secs: 3_600,
            program: "0".to_owned(),
        };
        kept.plant(&layout::session(&job("etc"), Seq(2)), &session, kept.key())
            .await;
        kept.store
            .put_new(&layout::pack(&Digest([9; 32])), Bytes::from_static(b"x"))
            .await
            .unwrap();
        let pruned = kept.prune().await.unwrap();
        assert!(
            matches!(pruned.progress, PruneState::Waiting { .. }),
            "{created}: {pruned:?}"
        );
    }
}

#[tokio::test]
async fn where_a_second_writer_is_not_kept_out_only_the_host_may_prune() {
    let mut kept = Kept::new(3).await;
    kept.forget(&[1]).await.unwrap();
    kept.store = kept.store.clone().single_writer();
    assert_eq!(code(kept.prune().await), Code::SingleWriter);
    let repository = kept.open().await;
    let (host, cancel) = (&kept.world.host, CancellationToken::new());
    let running = host.lock(&job("etc")).unwrap();
    let prune = || {
        ops::prune(
            &repository,
            kept.key(),
            Some(host),
            AT_ONCE,
            clock,
            &backup_model::Silent,
            &cancel,
        )
    };
    assert_eq!(code(prune().await), Code::Busy);
    drop(running);
    assert_eq!(prune().await.unwrap().progress, PruneState::Done);
    kept.has(&[2, 3]).await;
}
