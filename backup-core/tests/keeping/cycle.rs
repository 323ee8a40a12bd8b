//! From forgetting to free space, and what others do meanwhile.

use std::sync::Arc;

use backup_core::{
    format::{Session, layout},
    ops::{self, PruneOptions, Verifier},
    repo::RunState,
};
use backup_model::{Code, Nonce, PruneState, Seq, Silent};
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::{
    altered::Altered,
    kept::{AT_ONCE, Kept, clock, code, snapshot},
    support::{job, verify, world::Tree},
};

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
    let kept = Kept::new(8).await;
    kept.forget(&[1, 2, 3, 4, 5, 6, 7]).await.unwrap();
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
    kept.has(&[8]).await;
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
    assert_eq!(pins(&kept).await, 0);
    kept.has(&[3]).await;
}

async fn pins(kept: &Kept) -> usize {
    let keys = kept.keys().await;
    keys.iter().filter(|key| key.starts_with("pins/")).count()
}

/// Where pins cannot be taken away, it is seen that there were some.
#[tokio::test]
async fn who_has_a_key_pins_what_he_reads() {
    let mut kept = Kept::new(2).await;
    let keeps_pins = |key: &object_store::path::Path| key.as_ref().starts_with("pins/");
    kept.store = Altered::store(&kept.store, |meta| vec![Ok(meta)], keeps_pins);
    let without = kept.open().await;
    kept.world.restore(&without, &snapshot(1)).await.unwrap();
    assert_eq!(pins(&kept).await, 0);
    let reader = kept.open().await.read_by(Arc::clone(kept.world.host.key()));
    kept.world.restore(&reader, &snapshot(1)).await.unwrap();
    assert_eq!(pins(&kept).await, 1);
    let verifier = Verifier::data(kept.world.admin.clone());
    verify(&reader, &verifier).await.unwrap();
    assert_eq!(pins(&kept).await, 3);
}
