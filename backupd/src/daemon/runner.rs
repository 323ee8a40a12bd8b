//! Runs: begun when they are due or somebody asks for them, never two of one kind for one job, at
//! most so many at once, each with its story in the ledger.
//!
//! When something is due is the schedule's to know, which hears how each run ended. A ledger that
//! does not answer is no reason not to back up.

use std::sync::Arc;

use backup_model::{
    BackupReport, Code, Event, Failure, GoodSnapshot, JobName, LogLevel, RunCause, RunId,
    RunOutcome, SnapshotName,
};
use backupd_api::{Service as _, Task as Work};
use backupd_audit::Act;
use jiff::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    board::Board,
    ending,
    runs::{Run, Runs},
    settings::Settings,
    upkeep,
};
use crate::{
    ledger::{Ending, Ledger, NewRun},
    schedule::{Control, Due, Ended, Reason, Skip, Skipped, Task},
    service::Direct,
};

/// Runs jobs. Clones are the same one.
#[derive(Clone, Debug)]
pub(super) struct Runner(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Arc<Settings>,
    ledger: Ledger,
    control: Control,
    board: Arc<Board>,
    runs: Runs,
    slots: Semaphore,
    /// Upkeep takes its time, and no backup waits for it.
    upkeep_slots: Semaphore,
    due: TaskTracker,
    stop: CancellationToken,
}

impl Runner {
    /// A runner of at most so many jobs at once as the configuration says now.
    pub(super) fn new(
        settings: Arc<Settings>,
        ledger: Ledger,
        control: Control,
        board: Arc<Board>,
        runs: Runs,
        stop: CancellationToken,
    ) -> Self {
        let parallel = settings.in_force().config.server.parallel.get();
        Self(Arc::new(Inner {
            settings,
            ledger,
            control,
            board,
            runs,
            slots: Semaphore::new(parallel),
            upkeep_slots: Semaphore::new(1),
            due: TaskTracker::new(),
            stop,
        }))
    }

    /// Begins what is due; it waits by itself for a slot.
    pub(super) fn begin(&self, due: Due) {
        let runner = self.clone();
        self.0.due.spawn(async move {
            if let Some(made) = runner.0.serve(due).await {
                runner.look_after(made);
            }
        });
    }

    /// Runs a job for somebody who asks for it now.
    pub(super) async fn by_hand(
        &self,
        job: &JobName,
        asked: &Work,
    ) -> Result<BackupReport, Failure> {
        let inner = &*self.0;
        // A name that nobody knows is no reason to tell the schedule anything.
        inner.settings.in_force().access.job(job)?;
        let task = Task::Backup(job.clone());
        let repository = inner.repository_of(&task).unwrap_or_default();
        let begun = inner.control.begin(task.clone()).await;
        if !begun.map_err(|gone| Failure::from_error(Code::Overloaded, &gone))? {
            let text = format!("a run of `{job}` is under way");
            return Err(Failure::new(Code::Busy, text));
        }
        let new = NewRun {
            asked_by: asked.asked_by.clone(),
            ..scheduled(&task, repository, RunCause::Hand, None)
        };
        let (done, ended) = match slot(&inner.slots, asked).await {
            Ok(_slot) => inner.back_up(job, new, asked.clone()).await,
            Err(failure) => (Err(failure), Ended::Stopped),
        };
        inner.tell(task, ended).await;
        if let Ok(report) = &done {
            self.look_after(report.snapshot.clone());
        }
        done
    }

    /// Verifies a snapshot that was just made, where its job wants that: a run of its own, for
    /// which no backup waits.
    fn look_after(&self, snapshot: SnapshotName) {
        let in_force = self.0.settings.in_force();
        let job = in_force.access.jobs.get(&snapshot.job);
        let Some(job) = job.filter(|job| job.verify.after.is_some()) else {
            return;
        };
        let task = Task::Verify(snapshot.job.clone());
        let repository = job.repository.as_str().to_owned();
        let new = scheduled(&task, repository, RunCause::Schedule, None);
        let runner = self.clone();
        self.0.due.spawn(async move {
            let inner = &*runner.0;
            let asked = Work::unheard(inner.stop.child_token());
            let Ok(_slot) = slot(&inner.upkeep_slots, &asked).await else {
                return;
            };
            let run = inner.record(new, asked).await;
            let (work, ledger) = (run.work(), inner.ledger.clone());
            let looked =
                guarded(
                    async move { upkeep::verify_new(&snapshot, &in_force, &ledger, &work).await },
                );
            inner.end(run, &looked.await, Ending::clone).await;
        });
    }

    /// Begins a run of work that has no schedule and no slot.
    pub(super) async fn record(&self, new: NewRun, asked: &Work) -> Run {
        self.0.record(new, asked.clone()).await
    }

    /// Ends a run by what came of it.
    pub(super) async fn ended<T>(
        &self,
        run: Run,
        done: &Result<T, Failure>,
        ending: impl FnOnce(&T) -> Ending,
    ) {
        self.0.end(run, done, ending).await;
    }

    /// Puts on record that there was no run at a due time.
    pub(super) fn note(&self, skipped: &Skipped) {
        let task = &skipped.task;
        let Some(repository) = self.0.repository_of(task) else {
            return;
        };
        let outcome = match skipped.why {
            Skip::Missed => RunOutcome::Missed,
            Skip::Running | Skip::Overtaken => RunOutcome::Skipped,
        };
        tracing::warn!(%task, due = %skipped.time, "{outcome}: no run of its own");
        let new = scheduled(task, repository, RunCause::Schedule, Some(skipped.time));
        let (ledger, board) = (self.0.ledger.clone(), Arc::clone(&self.0.board));
        // Whatever else is due does not wait for the ledger.
        self.0.due.spawn(async move {
            if let Err(error) = ledger.enter(new, outcome).await {
                tracing::warn!(%error, "the run ledger does not know it");
            }
            board.changed();
        });
    }

    /// Waits for what is due and still runs, which was told to stop.
    pub(super) async fn all_ended(&self) {
        self.0.due.close();
        self.0.due.wait().await;
    }
}

impl Inner {
    /// Does what is due; says which snapshot came of it.
    async fn serve(&self, due: Due) -> Option<SnapshotName> {
        let task = due.task;
        let asked = Work::unheard(self.stop.child_token());
        let slots = match task {
            Task::Backup(_) => &self.slots,
            _ => &self.upkeep_slots,
        };
        let slot = slot(slots, &asked).await.ok()?;
        let (made, ended) = match self.repository_of(&task) {
            // The configuration has lost it while it waited.
            None => (None, Ended::Stopped),
            Some(repository) => {
                let new = scheduled(&task, repository, cause(due.reason), Some(due.time));
                match &task {
                    Task::Backup(job) => {
                        let (done, ended) = self.back_up(job, new, asked).await;
                        (done.ok().map(|report| report.snapshot), ended)
                    }
                    task => (None, self.keep_up(task, new, asked).await),
                }
            }
        };
        drop(slot);
        self.tell(task, ended).await;
        made
    }

    /// Tells the schedule. When that has gone, so has the daemon.
    async fn tell(&self, task: Task, ended: Ended) {
        self.control.ended(task, ended).await.ok();
    }

    async fn back_up(
        &self,
        job: &JobName,
        new: NewRun,
        asked: Work,
    ) -> (Result<BackupReport, Failure>, Ended) {
        let in_force = self.settings.in_force();
        let repository = new.repository.clone();
        let run = self.record(new, asked).await;
        let service = Direct::new(in_force.access.clone()).for_run(run.id());
        let (name, work) = (job.clone(), run.work());
        let done = guarded(async move { service.backup(&name, &work).await }).await;
        if let Ok(report) = &done {
            for warning in &report.warnings {
                run.warned(warning.clone());
            }
            let made = GoodSnapshot {
                snapshot: report.snapshot.clone(),
                created: report.created,
                complete: report.complete,
            };
            self.board.made(&repository, made);
        }
        let ended = self.end(run, &done, ending::of_backup).await;
        (done, ended)
    }

    /// What is done by schedule besides backups.
    async fn keep_up(&self, task: &Task, new: NewRun, asked: Work) -> Ended {
        let in_force = self.settings.in_force();
        let run = self.record(new, asked).await;
        let (task, ledger, work) = (task.clone(), self.ledger.clone(), run.work());
        let work = async move { upkeep::work(&task, &in_force, &ledger, &work).await };
        let done = guarded(work).await;
        let ended = self.end(run, &done, Ending::clone).await;
        self.board.look_again();
        ended
    }

    async fn record(&self, new: NewRun, asked: Work) -> Run {
        let (recorder, known) = self.ledger.begin(new.clone()).await;
        let (kind, of, cause) = (new.kind, object(&new), new.cause);
        let (run, by) = (recorder.run(), new.asked_by.as_deref());
        if let Err(error) = known {
            tracing::warn!(%run, %error, "the run ledger does not know the run yet");
        }
        tracing::info!(%run, %kind, of, %cause, by, "begins");
        let act = self.on_record(&new, recorder.run()).await;
        let run = self.runs.enter(&new, recorder, asked, act);
        let by = new.asked_by.as_ref().map(|by| format!(", by {by}"));
        let begins = format!(
            "{kind} of {}, {cause}{}",
            object(&new),
            by.unwrap_or_default()
        );
        run.line(LogLevel::Info, &begins);
        self.board.begun(run.id(), new.kind, new.job.as_ref());
        run
    }

    /// Puts on record what the schedule begins; what people ask for is on record where they ask. A
    /// log that cannot be written is no reason not to back up.
    async fn on_record(&self, new: &NewRun, run: RunId) -> Option<Act> {
        if new.asked_by.is_some() {
            return None;
        }
        let act = Act {
            session: Some(run.to_string()),
            ..Act::new("schedule", new.kind.as_str(), object(new))
        };
        let audit = self.settings.in_force().access.audit.clone()?;
        if let Err(failure) = audit.record(act.clone()).await {
            let (code, causes) = (failure.code.as_str(), failure.causes.join(": "));
            tracing::error!(%run, code, causes, "it is not on record: {}", failure.message);
        }
        Some(act)
    }

    async fn end<T>(
        &self,
        run: Run,
        done: &Result<T, Failure>,
        ending: impl FnOnce(&T) -> Ending,
    ) -> Ended {
        let id = run.id();
        let (ending, ended) = match done {
            Ok(report) => ending::decided(ending(report)),
            Err(failure) => ending::of_failure(failure, self.stop.is_cancelled()),
        };
        let outcome = ending.outcome;
        match &ending.failure {
            None => {
                let snapshot = ending.snapshot.as_ref().map(tracing::field::display);
                tracing::info!(run = %id, snapshot, %outcome, "ended");
                run.line(LogLevel::Info, outcome.as_str());
            }
            Some(failure) => {
                let (code, causes) = (failure.code.as_str(), failure.causes.join(": "));
                tracing::error!(run = %id, code, causes, %outcome, "{}", failure.message);
                let text = format!("{outcome}: {code} {}", failure.message);
                let parts = std::iter::once(&text).chain(&failure.causes);
                let text = parts.map(String::as_str).collect::<Vec<_>>().join(": ");
                run.line(LogLevel::Error, &text);
            }
        }
        if let (Some(act), Some(audit)) = (run.act(), &self.settings.in_force().access.audit) {
            audit.ended(&act, ending.failure.as_ref()).await;
        }
        if let Err(error) = run.end(ending).await {
            tracing::warn!(run = %id, %error, "the run ledger does not know how it ended yet");
        }
        if let Ok(detail) = self.ledger.show(id).await {
            self.board.count(&detail.info);
        }
        self.board.ended(outcome);
        ended
    }

    /// The repository that a task is about; none once the configuration has lost it.
    fn repository_of(&self, task: &Task) -> Option<String> {
        let in_force = self.settings.in_force();
        let Some(job) = task.job() else {
            return task.repository().map(str::to_owned);
        };
        let job = in_force.access.jobs.get(job)?;
        Some(job.repository.as_str().to_owned())
    }
}

/// A place among those that run, unless whoever asked goes away first.
async fn slot<'a>(slots: &'a Semaphore, asked: &Work) -> Result<SemaphorePermit<'a>, Failure> {
    if let Ok(slot) = slots.try_acquire() {
        return Ok(slot);
    }
    let text = "as many jobs run as may at once: waiting".to_owned();
    asked.progress.event(Event::Noted { text });
    let closed = || Failure::new(Code::Interrupted, "stopped before it began");
    tokio::select! {
        biased;
        () = asked.cancel.cancelled() => Err(closed()),
        slot = slots.acquire() => slot.map_err(|_| closed()),
    }
}

/// Work on a task of its own, so that a mistake in it ends the run and nothing else.
async fn guarded<T: Send + 'static>(
    work: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|_| {
        let text = "the run ended by a mistake in the daemon";
        Err(Failure::new(Code::Bug, text))
    })
}

/// What a run is about, for the log.
fn object(new: &NewRun) -> &str {
    new.job.as_ref().map_or(&new.repository, JobName::as_str)
}

/// A run of a task, which nobody asked for.
fn scheduled(task: &Task, repository: String, cause: RunCause, due: Option<Timestamp>) -> NewRun {
    NewRun {
        kind: task.kind(),
        job: task.job().cloned(),
        repository,
        cause,
        asked_by: None,
        due,
    }
}

const fn cause(reason: Reason) -> RunCause {
    match reason {
        Reason::Scheduled => RunCause::Schedule,
        Reason::CatchUp => RunCause::CatchUp,
        Reason::Retry => RunCause::Retry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_mistake_in_the_work_is_a_failure_of_its_run() {
        let panics = guarded::<()>(async { panic!("a mistake, for a test") });
        assert_eq!(panics.await.unwrap_err().code, Code::Bug);
        assert_eq!(guarded(async { Ok(7) }).await, Ok(7));
    }
}
