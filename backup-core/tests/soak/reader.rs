//! Whoever reads while others forget and prune: one verifies everything again and again, one
//! restores whatever there is. Every second time without a pin.

use std::sync::Arc;

use backup_core::repo::RunState;
use backup_keys::SecretKey;
use backup_model::{SnapshotName, Verdict};

use crate::{numbers::Numbers, stage::Stage, support::verify, writer::restore_told};

pub(crate) struct Reader {
    pub(crate) key: Arc<SecretKey>,
    pub(crate) numbers: Numbers,
}

impl Reader {
    fn pinning(&mut self) -> Option<&Arc<SecretKey>> {
        self.numbers.once_in(2).then_some(&self.key)
    }

    pub(crate) async fn verify(mut self, stage: Arc<Stage>) {
        while !stage.is_over() {
            let repository = stage.open_to_read(self.pinning()).await;
            match verify(&repository, &stage.verifier()).await {
                Ok(reports) => {
                    for report in &reports {
                        assert_eq!(report.verdict, Verdict::Good, "{report:?}");
                    }
                    let mut told = stage.told();
                    told.counts.verifications += 1;
                    told.counts.snapshots_verified += reports.len() as u64;
                }
                // What is forgotten while all is verified is left out.
                Err(error) => stage.refused("verify", &error, &[]),
            }
        }
    }

    pub(crate) async fn restore(mut self, stage: Arc<Stage>) {
        let jobs: Vec<_> = stage.jobs.iter().cloned().collect();
        while !stage.is_over() {
            let repository = stage.open_to_read(self.pinning()).await;
            let job = &jobs[self.numbers.below(jobs.len())];
            let runs = repository.runs(job).await.unwrap().runs;
            let snapshots: Vec<SnapshotName> = runs
                .into_iter()
                .filter_map(|(_, state)| match state {
                    RunState::Ended(record) if record.commit().is_ok() => Some(record.name),
                    RunState::Bad(error) => panic!("{job}: {error:?}"),
                    RunState::Ended(_) | RunState::Dead(_) | RunState::Open(_) => None,
                })
                .collect();
            if !snapshots.is_empty() {
                let name = &snapshots[self.numbers.below(snapshots.len())];
                restore_told(&stage, &repository, name, "restore").await;
            }
            tokio::task::yield_now().await;
        }
    }
}
