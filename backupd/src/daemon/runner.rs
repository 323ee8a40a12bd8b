//! Runs: begun when they are due or somebody asks for them, never two of one kind for one job, at
//! most so many at once, each with its story in the ledger.
//!
//! When something is due is the schedule's to know, which hears how each run ended. A ledger that
//! does not answer is no reason not to back up.

use std::{sync::Arc, time::Duration};

use backup_model::{
    BackupReport, Class, Code, Failure, JobName, LogLevel, RunCause, RunKind, RunOutcome,
};
use backupd_api::{Service as _, Task as Work};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{self, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    board::Board,
    ending,
    runs::{Run, Runs},
    settings::{InForce, Settings},
};
use crate::{
    ledger::{Ending, Ledger, NewRun},
    schedule::{Control, Due, Reason, Skip, Skipped, Task},
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
            due: TaskTracker::new(),
            stop,
        }))
    }

    /// Begins what is due; it waits by itself for a slot.
    pub(super) fn begin(&self, due: Due) {
        let runner = self.clone();
        self.0.due.spawn(async move { runner.0.serve(due).await });
    }

    /// Runs a job for somebody who asks for it now.
    pub(super) async fn by_hand(
        &self,
        job: &JobName,
        asked: &Work,
    ) -> Result<BackupReport, Failure> {
        let inner = &*self.0;
        // A name that nobody knows is no reason to tell the schedule anything.
        let repository = inner.repository_of(job)?;
        let task = Task::Backup(job.clone());
        let begun = inner.control.begin(task.clone()).await;
        if !begun.map_err(|gone| Failure::from_error(Code::Overloaded, &gone))? {
            let text = format!("a run of `{job}` is under way");
            return Err(Failure::new(Code::Busy, text));
        }
        let new = NewRun {
            kind: RunKind::Backup,
            job: Some(job.clone()),
            repository,
            cause: RunCause::Hand,
            asked_by: asked.asked_by.clone(),
            due: None,
        };
        let (done, outcome) = match inner.slot(asked).await {
            Ok(_slot) => inner.back_up(job, new, asked.clone()).await,
            Err(failure) => (Err(failure), RunOutcome::Cancelled),
        };
        inner.ended(task, outcome).await;
        done
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
    pub(super) async fn note(&self, skipped: Skipped) {
        let Task::Backup(job) = skipped.task;
        let Ok(repository) = self.0.repository_of(&job) else {
            return;
        };
        let outcome = match skipped.why {
            Skip::Missed => RunOutcome::Missed,
            Skip::Running | Skip::Overtaken => RunOutcome::Skipped,
        };
        tracing::warn!(%job, due = %skipped.time, "{outcome}: no run of its own");
        let new = NewRun {
            kind: RunKind::Backup,
            job: Some(job),
            repository,
            cause: RunCause::Schedule,
            asked_by: None,
            due: Some(skipped.time),
        };
        if let Err(error) = self.0.ledger.enter(new, outcome).await {
            tracing::warn!(%error, "the run ledger does not know it");
        }
        self.0.board.changed();
    }

    /// Waits for what is due and still runs, which was told to stop; says whether everything
    /// ended in time.
    pub(super) async fn ended_within(&self, limit: Duration) -> bool {
        self.0.due.close();
        timeout(limit, self.0.due.wait()).await.is_ok()
    }
}

impl Inner {
    async fn serve(&self, due: Due) {
        let Task::Backup(job) = &due.task;
        let asked = Work::unheard(self.stop.child_token());
        let Ok(_slot) = self.slot(&asked).await else {
            return;
        };
        // The configuration may have lost it while it waited.
        let outcome = match self.repository_of(job) {
            Err(_) => RunOutcome::Skipped,
            Ok(repository) => {
                let new = NewRun {
                    kind: RunKind::Backup,
                    job: Some(job.clone()),
                    repository,
                    cause: cause(due.reason),
                    asked_by: None,
                    due: Some(due.time),
                };
                self.back_up(job, new, asked).await.1
            }
        };
        self.ended(due.task, outcome).await;
    }

    /// A place among those that run, unless whoever asked goes away first.
    async fn slot(&self, asked: &Work) -> Result<SemaphorePermit<'_>, Failure> {
        let closed = || Failure::new(Code::Interrupted, "stopped before it began");
        tokio::select! {
            biased;
            () = asked.cancel.cancelled() => Err(closed()),
            slot = self.slots.acquire() => slot.map_err(|_| closed()),
        }
    }

    /// Tells the schedule. When that has gone, so has the daemon.
    async fn ended(&self, task: Task, outcome: RunOutcome) {
        self.control
            .ended(task, ending::to_schedule(outcome))
            .await
            .ok();
    }

    async fn back_up(
        &self,
        job: &JobName,
        new: NewRun,
        asked: Work,
    ) -> (Result<BackupReport, Failure>, RunOutcome) {
        let in_force = self.settings.in_force();
        let run = self.record(new, asked).await;
        let done = work(&in_force, job, &run).await;
        let outcome = self.end(run, &done, ending::of_backup).await;
        (done, outcome)
    }

    async fn record(&self, new: NewRun, asked: Work) -> Run {
        let (recorder, known) = self.ledger.begin(new.clone()).await;
        let (kind, of, cause) = (new.kind, object(&new), new.cause);
        let (run, by) = (recorder.run(), new.asked_by.as_deref());
        if let Err(error) = known {
            tracing::warn!(%run, %error, "the run ledger does not know the run yet");
        }
        tracing::info!(%run, %kind, of, %cause, by, "begins");
        let run = self.runs.enter(&new, recorder, asked);
        let by = new.asked_by.as_ref().map(|by| format!(", by {by}"));
        let begins = format!(
            "{kind} of {}, {cause}{}",
            object(&new),
            by.unwrap_or_default()
        );
        run.line(LogLevel::Info, &begins);
        self.board.changed();
        run
    }

    async fn end<T>(
        &self,
        run: Run,
        done: &Result<T, Failure>,
        ending: impl FnOnce(&T) -> Ending,
    ) -> RunOutcome {
        let id = run.id();
        let ending = match done {
            Ok(report) => ending(report),
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
        if let Err(error) = run.end(ending).await {
            tracing::warn!(run = %id, %error, "the run ledger does not know how it ended yet");
        }
        self.board.ended(outcome);
        outcome
    }

    fn repository_of(&self, job: &JobName) -> Result<String, Failure> {
        let in_force = self.settings.in_force();
        let job = in_force.access.job(job)?;
        Ok(job.repository.as_str().to_owned())
    }
}

/// A backup, within the job's limit.
async fn work(in_force: &InForce, job: &JobName, run: &Run) -> Result<BackupReport, Failure> {
    let work = run.work();
    let service = Direct::new(in_force.access.clone());
    let backup = service.backup(job, &work);
    tokio::pin!(backup);
    let limit = in_force.config.jobs.get(job).and_then(|job| job.limit);
    let Some(limit) = limit else {
        return backup.await;
    };
    tokio::select! {
        done = &mut backup => done,
        () = time::sleep(limit) => {
            work.cancel.cancel();
            backup.await.map_err(|failure| match failure.code.class() {
                Class::Cancelled => {
                    let text = format!("it took longer than its limit, {} s", limit.as_secs());
                    Failure::new(Code::Failed, text)
                }
                _ => failure,
            })
        }
    }
}

/// What a run is about, for the log.
fn object(new: &NewRun) -> &str {
    new.job.as_ref().map_or(&new.repository, JobName::as_str)
}

const fn cause(reason: Reason) -> RunCause {
    match reason {
        Reason::Scheduled => RunCause::Schedule,
        Reason::CatchUp => RunCause::CatchUp,
        Reason::Retry => RunCause::Retry,
    }
}
