//! The runs that are under way: each with its story for the ledger, a way to stop it, and how far
//! it is.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use backup_model::{
    Code, Event, Failure, JobName, LogLevel, Progress, RunId, RunKind, RunOutcome, Running,
};
use backupd_api::Task as Work;
use backupd_audit::Act;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::ledger::{Ending, LedgerError, NewRun, Recorder};

/// All runs that are under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs(Arc<Mutex<BTreeMap<RunId, Entry>>>);

#[derive(Debug)]
struct Entry {
    kind: RunKind,
    job: Option<JobName>,
    recorder: Recorder,
    cancel: CancellationToken,
}

/// A run that is under way, for whoever does its work. Let go of, it is not under way any more.
#[derive(Debug)]
pub(super) struct Run {
    runs: Runs,
    recorder: Recorder,
    cancel: CancellationToken,
    asked: Work,
    /// What it is in the audit log, where nobody else puts it there.
    act: Option<Act>,
    ended: bool,
}

impl Runs {
    /// Takes a run that the ledger has begun. It stops when whoever asked for it says so, or when
    /// somebody cancels it.
    pub(super) fn enter(
        &self,
        new: &NewRun,
        recorder: Recorder,
        asked: Work,
        act: Option<Act>,
    ) -> Run {
        let cancel = asked.cancel.child_token();
        let entry = Entry {
            kind: new.kind,
            job: new.job.clone(),
            recorder: recorder.clone(),
            cancel: cancel.clone(),
        };
        self.entries().insert(recorder.run(), entry);
        Run {
            runs: self.clone(),
            recorder,
            cancel,
            asked,
            act,
            ended: false,
        }
    }

    /// Asks a run to stop; says whether it is under way.
    pub(super) fn cancel(&self, run: RunId) -> bool {
        let entries = self.entries();
        let entry = entries.get(&run);
        entry.map(|entry| entry.cancel.cancel()).is_some()
    }

    /// The backups that are under way, by job, and how far they are.
    pub(super) fn backups(&self) -> BTreeMap<JobName, Running> {
        let entries = self.entries();
        let backups = entries
            .values()
            .filter(|entry| entry.kind == RunKind::Backup);
        let running =
            backups.filter_map(|entry| Some((entry.job.clone()?, entry.recorder.running())));
        running.collect()
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<RunId, Entry>> {
        // Nothing is left half changed in it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Run {
    /// Which one.
    pub(super) fn id(&self) -> RunId {
        self.recorder.run()
    }

    /// What goes along with its work: the ledger listens, and whoever asked for it.
    pub(super) fn work(&self) -> Work {
        Work {
            progress: Arc::new(Both(
                self.recorder.clone(),
                Arc::clone(&self.asked.progress),
            )),
            cancel: self.cancel.clone(),
            asked_by: self.asked.asked_by.clone(),
        }
    }

    /// What it is in the audit log.
    pub(super) fn act(&self) -> Option<Act> {
        self.act.clone()
    }

    /// Writes a line into its log.
    pub(super) fn line(&self, level: LogLevel, text: &str) {
        self.recorder.line(level, text);
    }

    /// Puts on record what whoever asked will read in the report.
    pub(super) fn warned(&self, warning: Failure) {
        self.recorder.event(Event::Warned(warning));
    }

    /// Says how it ended.
    pub(super) async fn end(mut self, ending: Ending) -> Result<(), LedgerError> {
        self.ended = true;
        self.recorder.clone().end(ending).await
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.runs.entries().remove(&self.id());
        if self.ended {
            return;
        }
        // Its work has panicked, or nobody waits for it any more.
        let text = "the run was given up by a mistake in the daemon";
        let ending = Ending {
            failure: Some(Failure::new(Code::Bug, text)),
            ..Ending::new(RunOutcome::Failed)
        };
        let recorder = self.recorder.clone();
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { recorder.end(ending).await });
        }
    }
}

/// Two who listen.
struct Both(Recorder, Arc<dyn Progress>);

impl Progress for Both {
    fn event(&self, event: Event) {
        self.0.event(event.clone());
        self.1.event(event);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use backup_model::RunCause;
    use tokio::time::timeout;

    use super::*;
    use crate::{clock, ledger::Ledger};

    #[tokio::test]
    async fn a_run_that_nobody_ends_is_ended_on_the_record() {
        let state = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(state.path(), clock::now).await.unwrap();
        let new = NewRun {
            kind: RunKind::Backup,
            job: Some("app".parse().unwrap()),
            repository: "main".to_owned(),
            cause: RunCause::Hand,
            asked_by: None,
            due: None,
        };
        let runs = Runs::default();
        let (recorder, known) = ledger.begin(new.clone()).await;
        known.unwrap();
        let id = recorder.run();
        let run = runs.enter(
            &new,
            recorder,
            Work::unheard(CancellationToken::new()),
            None,
        );
        assert_eq!(runs.backups().len(), 1);
        assert!(runs.cancel(id) && run.work().cancel.is_cancelled());
        drop(run);
        assert!(runs.backups().is_empty() && !runs.cancel(id));
        let ended = async {
            loop {
                let shown = ledger.show(id).await.unwrap().info;
                if shown.outcome != RunOutcome::Running {
                    return shown;
                }
                tokio::task::yield_now().await;
            }
        };
        let shown = timeout(Duration::from_mins(1), ended).await.unwrap();
        assert_eq!(shown.outcome, RunOutcome::Failed);
        assert_eq!(shown.failure.unwrap().code, Code::Bug);
    }
}
