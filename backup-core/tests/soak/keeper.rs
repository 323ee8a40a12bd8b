//! Whoever forgets and prunes: each job keeps a few snapshots, mostly its newest, and what was
//! forgotten is deleted as soon as the protocol lets it.

use std::sync::Arc;

use backup_core::{
    ops::{self, PruneOptions},
    repo::{Repository, RunState},
};
use backup_keys::SecretKey;
use backup_model::{JobName, PruneState, Silent, SnapshotName, Why};
use tokio_util::sync::CancellationToken;

use crate::{
    numbers::Numbers,
    stage::{Stage, clock},
};

/// A job has so many snapshots before any is forgotten.
const KEPT: usize = 3;

/// At once: no safety rests on the time of grace.
pub(crate) const AT_ONCE: PruneOptions = PruneOptions {
    grace_secs: 0,
    allow_large: true,
};

pub(crate) struct Keeper {
    pub(crate) key: Arc<SecretKey>,
    pub(crate) numbers: Numbers,
    /// Otherwise it only prunes.
    pub(crate) forgets: bool,
}

impl Keeper {
    pub(crate) async fn work(mut self, stage: Arc<Stage>) {
        while !stage.is_over() {
            let repository = stage.open(&stage.store).await.unwrap();
            if self.forgets {
                for job in &stage.jobs {
                    self.forget(&stage, &repository, job).await;
                }
            }
            let goes_on = prune(&stage, &repository, &self.key).await;
            if !goes_on {
                let over = tokio::time::sleep_until(stage.until.into());
                tokio::select! {
                    () = stage.ended.notified() => {}
                    () = over => {}
                }
            }
        }
    }

    async fn forget(&mut self, stage: &Stage, repository: &Repository, job: &JobName) {
        let names = self.choose(repository, job).await;
        if names.is_empty() {
            return;
        }
        stage.told().doomed.extend(names.iter().cloned());
        let forgot = ops::forget(repository, &self.key, &names, Why::Retention, clock()).await;
        match forgot {
            Ok(report) => {
                assert!(report.left.is_empty(), "{report:?}");
                let mut told = stage.told();
                told.counts.forgets += 1;
                told.counts.forgotten += report.forgotten.len() as u64;
                for name in names {
                    if let Some(version) = told.written.get(&name).copied() {
                        told.trees.remove(&version);
                    }
                    told.forgotten.insert(name);
                }
            }
            // Only one forgets, and what it names has ended.
            Err(error) => stage.refused("forget", &error, &[]),
        }
    }

    /// Runs that have ended: of snapshots some of those before the newest few and seldom one of
    /// these, and some runs that made none.
    async fn choose(&mut self, repository: &Repository, job: &JobName) -> Vec<SnapshotName> {
        let runs = repository.runs(job).await.unwrap();
        let (mut snapshots, mut chosen) = (Vec::new(), Vec::new());
        for (seq, state) in runs.runs {
            match state {
                RunState::Ended(record) if record.commit().is_ok() => snapshots.push(record.name),
                RunState::Ended(record) => {
                    if self.numbers.once_in(4) {
                        chosen.push(record.name);
                    }
                }
                RunState::Dead(_) | RunState::Open(_) => {}
                RunState::Bad(error) => panic!("{job}, {seq:?}: {error:?}"),
            }
        }
        let old = snapshots.len().saturating_sub(KEPT);
        for (at, name) in snapshots.into_iter().enumerate() {
            if self.numbers.once_in(if at < old { 2 } else { 24 }) {
                chosen.push(name);
            }
        }
        chosen
    }
}

/// One activation; false if there is nothing to do before somebody's run has ended.
pub(crate) async fn prune(stage: &Stage, repository: &Repository, key: &SecretKey) -> bool {
    let cancel = CancellationToken::new();
    let pruned = ops::prune(repository, key, None, AT_ONCE, clock, &Silent, &cancel).await;
    let pruned = match pruned {
        Ok(pruned) => pruned,
        Err(error) => {
            stage.refused("prune", &error, &[]);
            return false;
        }
    };
    let mut told = stage.told();
    match pruned.progress {
        PruneState::Done => {
            told.counts.prunes += 1;
            told.counts.packs_deleted += pruned.packs.objects;
            told.counts.bytes_deleted += pruned.packs.bytes + pruned.lists.bytes;
            true
        }
        PruneState::Nothing => false,
        PruneState::Waiting { .. } => {
            told.counts.prunes_waiting += 1;
            false
        }
        _ => panic!("there is no grace: {pruned:?}"),
    }
}
