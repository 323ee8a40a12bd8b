//! When nobody works any more: what was told is so, runs that were killed are closed by the next,
//! everything that lives is whole and holds what its host had, and nothing else is left.

use std::{collections::BTreeSet, sync::Arc};

use backup_core::{
    ops,
    repo::{Repository, RunState},
};
use backup_keys::SecretKey;
use backup_model::{JobName, SnapshotName, Verdict};
use tokio_util::sync::CancellationToken;

use crate::{keeper::prune, stage::Stage, support::verify, writer::Writer};

/// Gives how many snapshots were looked at.
pub(crate) async fn look(stage: &Stage, writers: &mut [Writer], key: &Arc<SecretKey>) -> usize {
    let repository = stage.open_to_read(Some(key)).await;
    only_the_killed_are_open(stage, &repository).await;
    all_is_as_told(stage, &repository).await;
    close(stage, writers).await;
    // The first may only finish what was begun.
    for _ in 0..3 {
        prune(stage, &repository, key).await;
    }
    let living = all_is_as_told(stage, &repository).await;
    let checked = ops::check(&repository, &CancellationToken::new()).await;
    let checked = checked.unwrap();
    assert!(checked.faults.is_empty(), "{checked:?}");
    assert!(checked.open.is_empty(), "{checked:?}");
    assert_eq!(checked.unnamed.objects, 0, "{checked:?}");
    assert_eq!(checked.prune, None, "{checked:?}");
    assert_eq!(checked.foreign_objects, 0, "{checked:?}");
    living
}

/// What lives was not forgotten, what was told lives or was, and it is all whole.
async fn all_is_as_told(stage: &Stage, repository: &Repository) -> usize {
    let living = living(stage, repository).await;
    {
        let told = stage.told();
        for name in told.written.keys() {
            let gone = told.forgotten.contains(name);
            assert!(gone || living.contains(name), "{name} got lost");
        }
        for name in &told.forgotten {
            assert!(!living.contains(name), "{name} was forgotten");
        }
    }
    let reports = verify(repository, &stage.verifier()).await.unwrap();
    for report in &reports {
        assert_eq!(report.verdict, Verdict::Good, "{report:?}");
    }
    let good: BTreeSet<_> = reports.into_iter().map(|report| report.snapshot).collect();
    assert_eq!(good, living);
    for name in &living {
        let restored = stage.restore(repository, name).await;
        restored.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
    living.len()
}

async fn living(stage: &Stage, repository: &Repository) -> BTreeSet<SnapshotName> {
    let mut living = BTreeSet::new();
    for job in &stage.jobs {
        for (seq, state) in repository.runs(job).await.unwrap().runs {
            match state {
                RunState::Ended(record) if record.commit().is_ok() => {
                    living.insert(record.name);
                }
                RunState::Ended(_) | RunState::Dead(_) | RunState::Open(_) => {}
                RunState::Bad(error) => panic!("{job}, {seq:?}: {error:?}"),
            }
        }
    }
    living
}

/// A run without an end is of a job of which a host died last.
async fn only_the_killed_are_open(stage: &Stage, repository: &Repository) {
    for job in &stage.jobs {
        let runs = repository.runs(job).await.unwrap().runs;
        let open = runs
            .iter()
            .any(|(_, state)| matches!(state, RunState::Open(_)));
        let died: BTreeSet<JobName> = stage.told().died.values().cloned().collect();
        assert!(
            !open || died.contains(job),
            "{job} has an open run, and nobody died"
        );
    }
}

/// Each host's next backup works, as soon as runs of others that died are closed by them.
async fn close(stage: &Stage, writers: &mut [Writer]) {
    let mut open: Vec<&mut Writer> = writers.iter_mut().collect();
    for _ in 0..2 {
        let mut busy = Vec::new();
        for writer in open {
            if !writer.close(stage).await {
                busy.push(writer);
            }
        }
        open = busy;
    }
    assert!(open.is_empty(), "a job is stuck");
}
