//! Attacks on what is kept: forgets and prunes that nobody who may has signed, and a forgotten
//! snapshot that comes back.

use backup_core::{
    format::{DeadRun, DeadRuns, Done, Final, Forget, Objects, Plan, SizedDigest, layout},
    ops::{self, PruneOptions},
};
use backup_keys::{RecordKind, SecretKey};
use backup_model::{Digest, PruneState, Seq, Silent, Why};
use tokio_util::sync::CancellationToken;

use crate::{
    stage::{Stage, clock, line_digest, name, record},
    support::job,
};

/// How a record comes to be there that must not.
#[derive(Clone, Copy)]
pub(crate) enum Signed {
    /// Not at all.
    No,
    /// By nobody's key.
    Stranger,
    /// By a key that may write backups.
    Writer,
}

impl Signed {
    async fn put<T: RecordKind>(self, stage: &Stage, key: &str, value: &T) {
        let by: &SecretKey = match self {
            Self::No => return stage.write_unsigned(key, value).await,
            Self::Stranger => &stage.stolen.stranger,
            Self::Writer => &stage.stolen.late,
        };
        stage.sign(key, value, by).await;
    }
}

/// All of `etc` is to die.
pub(crate) async fn forget(stage: &Stage, signed: Signed) {
    let runs = (1..=3).map(|seq| DeadRun(Seq(seq), stage.etc(seq).record, Why::Retention));
    let forget = Forget {
        repository: stage.id(),
        version: 1,
        prev: None,
        created: clock(),
        dead: vec![DeadRuns {
            job: job("etc"),
            runs: runs.collect(),
        }],
        holds: Vec::new(),
    };
    signed.put(stage, &layout::forget(1), &forget).await;
}

/// All packs of `etc/2` are to go.
fn all_packs(stage: &Stage) -> Objects {
    let packs = stage.etc(2).packs.iter();
    Objects {
        packs: packs.map(|pack| SizedDigest(pack.0, pack.1)).collect(),
        ..Objects::default()
    }
}

pub(crate) async fn plan(stage: &Stage, signed: Signed) {
    let plan = Plan {
        repository: stage.id(),
        generation: 1,
        created: clock(),
        candidates: all_packs(stage),
    };
    signed.put(stage, &layout::plan(1), &plan).await;
}

/// A final that is not signed by a maintainer, after a plan that is: snapshot 1 was forgotten, and
/// an honest prune waits for its time of grace.
pub(crate) async fn last(stage: &Stage, signed: Signed) {
    let plan = begin_prune(stage).await;
    let last = Final {
        repository: stage.id(),
        generation: 1,
        plan,
        created: clock(),
        delete: all_packs(stage),
    };
    signed.put(stage, &layout::final_(1), &last).await;
}

/// A done before anything is done.
pub(crate) async fn done(stage: &Stage, signed: Signed) {
    begin_prune(stage).await;
    let done = Done {
        repository: stage.id(),
        generation: 1,
        r#final: Digest([0; 32]),
        created: clock(),
        retained: 0,
    };
    signed.put(stage, &layout::done(1), &done).await;
}

async fn begin_prune(stage: &Stage) -> Digest {
    forget_first(stage).await;
    let options = PruneOptions {
        grace_secs: 3_600,
        allow_large: true,
    };
    let (repository, cancel) = (stage.open().await, CancellationToken::new());
    let key = stage.world.host.key();
    let begun = ops::prune(&repository, key, None, options, clock, &Silent, &cancel);
    assert!(matches!(
        begun.await.unwrap().progress,
        PruneState::Grace { .. }
    ));
    line_digest(&stage.get(&layout::plan(1)).await)
}

async fn forget_first(stage: &Stage) {
    let (repository, names) = (stage.open().await, [name("etc", 1)]);
    let key = stage.world.host.key();
    let forgotten = ops::forget(&repository, key, &names, Why::Request, clock());
    assert_eq!(forgotten.await.unwrap().forgotten, names);
}

/// All that made up a snapshot is put back after it was forgotten.
pub(crate) async fn put_back(stage: &Stage) {
    let kept = stage.get(&record("etc", 1)).await;
    forget_first(stage).await;
    assert!(!stage.keys().await.contains(&record("etc", 1)));
    stage.put(&record("etc", 1), &kept).await;
}
