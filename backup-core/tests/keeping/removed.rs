//! A maintainer is removed: what it forgot stays forgotten, its prunes stay known, and nothing more
//! of it counts.

use backup_core::{
    format::{Done, Forget, layout},
    ops,
    repo::Repository,
};
use backup_keys::{
    Accepted, AcceptedRun, AcceptedRuns, LastForget, LastPrune, Record, Removal, SecretKey,
    TrustRecord,
};
use backup_model::{Code, Digest, PruneState, Seq, Silent, Why};
use tokio_util::sync::CancellationToken;

use crate::{
    kept::{AT_ONCE, Kept, clock, code, snapshot},
    support::job,
};

/// Its snapshots 1 to 4, of which the first two are forgotten, each by a forget of its own; one
/// prune is done, another has got as far as its plan. Then its key is removed and there is another.
async fn removed(pinned: bool) -> (Kept, SecretKey) {
    let kept = Kept::new(4).await;
    kept.forget(&[1]).await.unwrap();
    kept.prune().await.unwrap();
    kept.forget(&[2]).await.unwrap();
    let waits = ops::PruneOptions {
        grace_secs: 3_600,
        ..AT_ONCE
    };
    let begun = kept.prune_with(waits).await.unwrap();
    assert!(matches!(begun.progress, PruneState::Grace { .. }));
    let digest = async |key: &str| digest(&kept, key).await;
    let mut runs = Vec::new();
    for seq in [3, 4] {
        let record = digest(&layout::snapshot(&job("etc"), Seq(seq))).await;
        runs.push(AcceptedRun(Seq(seq), record));
    }
    let forget = LastForget {
        version: 2,
        sha256: digest(&layout::forget(2)).await,
    };
    let prune = LastPrune {
        generation: 2,
        plan: digest(&layout::plan(2)).await,
        last: None,
        done: None,
    };
    let removal = Removal {
        at: clock(),
        accepted: Accepted {
            runs: vec![AcceptedRuns {
                job: job("etc"),
                runs,
            }],
            forget: pinned.then_some(forget),
            prune: pinned.then_some(prune),
        },
    };
    let successor = SecretKey::generate().unwrap();
    let repository = kept.open().await;
    let mut trust = repository.trust().clone();
    let mut writer = trust.writers[0].clone();
    writer.key = successor.public().clone();
    trust.writers[0].removed = Some(removal);
    trust.writers.push(writer);
    let trust = TrustRecord {
        version: 2,
        prev: digest(&layout::trust(1)).await,
        ..trust
    };
    kept.plant(&layout::trust(2), &trust, &kept.world.root)
        .await;
    (kept, successor)
}

async fn digest(kept: &Kept, key: &str) -> Digest {
    let id = kept.open().await.id();
    let bytes = kept.store.get(key).await.unwrap();
    Record::parse_list(&bytes, id, key).unwrap().digest()
}

async fn prune(
    repository: &Repository,
    key: &SecretKey,
) -> Result<backup_model::PruneReport, ops::OpError> {
    let cancel = CancellationToken::new();
    ops::prune(repository, key, None, AT_ONCE, clock, &Silent, &cancel).await
}

#[tokio::test]
async fn the_next_maintainer_goes_on_where_the_removed_one_was() {
    let (kept, successor) = removed(true).await;
    let repository = kept.open().await;
    assert_eq!(code(kept.prune().await), Code::WriterRefused);
    let report = prune(&repository, &successor).await.unwrap();
    assert_eq!((report.generation, report.progress), (2, PruneState::Done));
    kept.has(&[3, 4]).await;
    let names = [snapshot(3)];
    let forgotten = ops::forget(&repository, &successor, &names, Why::Request, clock());
    assert_eq!(forgotten.await.unwrap().forgotten, names);
    let report = prune(&repository, &successor).await.unwrap();
    assert_eq!((report.generation, report.progress), (3, PruneState::Done));
    kept.has(&[4]).await;
    let checked = ops::check(&repository, &CancellationToken::new()).await;
    assert_eq!(checked.unwrap().faults, []);
}

#[tokio::test]
async fn nothing_more_of_a_removed_maintainer_counts() {
    let (kept, _) = removed(true).await;
    let next = Forget {
        repository: kept.open().await.id(),
        version: 3,
        prev: Some(digest(&kept, &layout::forget(2)).await),
        created: clock(),
        dead: Vec::new(),
        holds: Vec::new(),
    };
    kept.plant(&layout::forget(3), &next, kept.key()).await;
    let error = kept.open().await.forgotten().await.unwrap_err();
    assert!(
        error.to_string().contains("was removed before it"),
        "{error}"
    );

    let (kept, successor) = removed(true).await;
    let done = Done {
        repository: kept.open().await.id(),
        generation: 2,
        r#final: Digest([0; 32]),
        created: clock(),
        retained: 0,
    };
    kept.plant(&layout::done(2), &done, kept.key()).await;
    let error = prune(&kept.open().await, &successor).await.unwrap_err();
    assert!(error.to_string().contains("prune/2/done.json"), "{error}");
}

/// Who takes records away that a removal names brings back what was forgotten, or lets packs be
/// used that are about to go.
#[tokio::test]
async fn what_a_removal_names_must_be_there() {
    for (gone, seen_by_readers) in [(layout::forget(2), true), (layout::plan(2), false)] {
        let (kept, successor) = removed(true).await;
        kept.store.delete(&gone).await.unwrap();
        let repository = kept.open().await;
        let error = prune(&repository, &successor).await.unwrap_err();
        assert!(error.to_string().contains(&gone), "{error}");
        assert_eq!(repository.forgotten().await.is_err(), seen_by_readers);
        let checked = ops::check(&repository, &CancellationToken::new()).await;
        let told = match checked {
            Ok(checked) => checked.faults[0].message.clone(),
            Err(error) => error.to_string(),
        };
        assert!(told.contains(&gone), "{told}");
    }
    // A removal that names nothing takes everything of its key back, and that is an error too.
    let (kept, successor) = removed(false).await;
    let error = prune(&kept.open().await, &successor).await.unwrap_err();
    assert!(
        error.to_string().contains("was removed before it"),
        "{error}"
    );
}
