//! Runs of jobs: begun when they are due, at most so many at once, each with its story in the
//! ledger, and stopped with the daemon.
//!
//! When something is due is the schedule's to know, which hears how each run ended. A ledger that
//! does not answer is no reason not to back up.

use std::{sync::Arc, time::Duration};

use backup_model::{
    BackupReport, Class, Code, Failure, JobName, LogLevel, Progress, RunBytes, RunCause, RunKind,
    RunOutcome, SnapshotName,
};
use backupd_api::{Service as _, Task as Work};
use jiff::Timestamp;
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{self, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    settings::{InForce, Settings},
    upkeep,
};
use crate::{
    ledger::{Ending, Ledger, NewRun, Recorder},
    schedule::{Control, Due, Ended, Reason, Skip, Skipped, Task},
    service::Direct,
};

/// Runs jobs.
#[derive(Debug)]
pub(super) struct Runner {
    shared: Arc<Shared>,
    runs: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    settings: Arc<Settings>,
    ledger: Ledger,
    control: Control,
    slots: Semaphore,
    stop: CancellationToken,
}

impl Runner {
    /// A runner of at most so many jobs at once.
    pub(super) fn new(
        settings: Arc<Settings>,
        ledger: Ledger,
        control: Control,
        stop: CancellationToken,
    ) -> Self {
        let parallel = settings.in_force().config.server.parallel.get();
        let shared = Shared {
            settings,
            ledger,
            control,
            slots: Semaphore::new(parallel),
            stop,
        };
        Self {
            shared: Arc::new(shared),
            runs: JoinSet::new(),
        }
    }

    /// Begins what is due; it waits by itself for a slot.
    pub(super) fn begin(&mut self, due: Due) {
        while self.runs.try_join_next().is_some() {}
        let shared = Arc::clone(&self.shared);
        self.runs.spawn(async move { shared.back_up(due).await });
    }

    /// Puts on record that there was no run at a due time.
    pub(super) async fn note(&self, skipped: Skipped) {
        let task = &skipped.task;
        let Some(repository) = repository_of(&self.shared.settings.in_force(), task) else {
            return;
        };
        let outcome = match skipped.why {
            Skip::Missed => RunOutcome::Missed,
            Skip::Running | Skip::Overtaken => RunOutcome::Skipped,
        };
        tracing::warn!(%task, due = %skipped.time, "{outcome}: no run of its own");
        let new = NewRun {
            kind: task.kind(),
            job: task.job().cloned(),
            repository,
            cause: RunCause::Schedule,
            asked_by: None,
            due: Some(skipped.time),
        };
        if let Err(error) = self.shared.ledger.enter(new, outcome).await {
            tracing::warn!(%error, "the run ledger does not know it");
        }
    }

    /// Waits for what still runs, which was told to stop; says whether everything ended in time.
    pub(super) async fn ended_within(&mut self, limit: Duration) -> bool {
        let all = async { while self.runs.join_next().await.is_some() {} };
        timeout(limit, all).await.is_ok()
    }
}

impl Shared {
    async fn back_up(&self, due: Due) {
        let task = due.task.clone();
        let ended = tokio::select! {
            () = self.stop.cancelled() => return,
            slot = self.slots.acquire() => {
                // Nobody closes it.
                let Ok(_slot) = slot else { return };
                self.run(&due).await
            }
        };
        // When the schedule has gone, so has the daemon.
        self.control.ended(task, ended).await.ok();
    }

    async fn run(&self, due: &Due) -> Ended {
        let task = &due.task;
        let in_force = self.settings.in_force();
        // The configuration may have lost it while it waited.
        let Some(repository) = repository_of(&in_force, task) else {
            return Ended::Stopped;
        };
        let new = NewRun {
            kind: task.kind(),
            job: task.job().cloned(),
            repository,
            cause: cause(due.reason),
            asked_by: None,
            due: Some(due.time),
        };
        let (recorder, known) = self.ledger.begin(new).await;
        if let Err(error) = known {
            tracing::warn!(%task, %error, "the run ledger does not know the run yet");
        }
        let run = recorder.run();
        tracing::info!(%run, due = %due.time, cause = %cause(due.reason), "{task} begins");
        let (ending, ended) = match task {
            Task::Backup(job) => {
                let done = self.work(&in_force, job, &recorder).await;
                judge(done.map(|report| made(&report)), self.stop.is_cancelled())
            }
            task => {
                let work = Work {
                    progress: Arc::new(recorder.clone()),
                    cancel: self.stop.child_token(),
                };
                let done = upkeep::work(task, &in_force, &self.ledger, &work).await;
                judge(done, self.stop.is_cancelled())
            }
        };
        let made = ending.snapshot.clone();
        self.close(&task.to_string(), &recorder, ending).await;
        if let Some(snapshot) = made {
            self.verify_after(&in_force, &snapshot).await;
        }
        ended
    }

    /// Verifies what was just made, where its job wants that: a run of its own.
    async fn verify_after(&self, in_force: &InForce, snapshot: &SnapshotName) {
        let Some(job) = in_force.config.jobs.get(&snapshot.job) else {
            return;
        };
        if job.verify.after.is_none() {
            return;
        }
        let new = NewRun {
            kind: RunKind::Verify,
            job: Some(snapshot.job.clone()),
            repository: job.repository.as_str().to_owned(),
            cause: RunCause::Schedule,
            asked_by: None,
            due: None,
        };
        let (recorder, _) = self.ledger.begin(new).await;
        let work = Work {
            progress: Arc::new(recorder.clone()),
            cancel: self.stop.child_token(),
        };
        let done = upkeep::verify_new(snapshot, in_force, &self.ledger, &work).await;
        let (ending, _) = judge(done, self.stop.is_cancelled());
        let what = format!("verification of {snapshot}");
        self.close(&what, &recorder, ending).await;
    }

    /// Tells log and ledger how a run ended.
    async fn close(&self, what: &str, recorder: &Recorder, ending: Ending) {
        let run = recorder.run();
        tracing::info!(%run, outcome = %ending.outcome, "{what} ended");
        if let Some(failure) = &ending.failure {
            recorder.line(LogLevel::Error, &failure.to_string());
            let (code, causes) = (failure.code.as_str(), failure.causes.join(": "));
            tracing::error!(%run, code, causes, "{what}: {}", failure.message);
        }
        if let Err(error) = recorder.end(ending).await {
            tracing::warn!(%run, %error, "the run ledger does not know how it ended yet");
        }
    }

    /// The backup, within the job's limit.
    async fn work(
        &self,
        in_force: &InForce,
        job: &JobName,
        recorder: &Recorder,
    ) -> Result<BackupReport, Failure> {
        let progress: Arc<dyn Progress> = Arc::new(recorder.clone());
        let cancel = self.stop.child_token();
        let work = Work {
            progress,
            cancel: cancel.clone(),
        };
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
                cancel.cancel();
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
}

fn repository_of(in_force: &InForce, task: &Task) -> Option<String> {
    let Some(job) = task.job() else {
        return task.repository().map(str::to_owned);
    };
    let job = in_force.config.jobs.get(job)?;
    Some(job.repository.as_str().to_owned())
}

const fn cause(reason: Reason) -> RunCause {
    match reason {
        Reason::Scheduled => RunCause::Schedule,
        Reason::CatchUp => RunCause::CatchUp,
        Reason::Retry => RunCause::Retry,
    }
}

/// How a backup ended that made a snapshot.
fn made(report: &BackupReport) -> Ending {
    let outcome = if report.complete && report.warnings.is_empty() {
        RunOutcome::Succeeded
    } else {
        RunOutcome::Warnings
    };
    Ending {
        bytes: Some(RunBytes {
            read_bytes: report.read_bytes,
            new_bytes: report.new_bytes,
            stored_bytes: report.added_bytes,
            total_bytes: None,
        }),
        snapshot: Some(report.snapshot.clone()),
        ..Ending::new(outcome)
    }
}

/// What the ledger and the schedule are told of an end.
fn judge(done: Result<Ending, Failure>, stopping: bool) -> (Ending, Ended) {
    let failure = match done {
        Ok(ending) => {
            let ended = upkeep::ended(&ending);
            return (ending, ended);
        }
        Err(failure) => failure,
    };
    let (outcome, ended) = match failure.code.class() {
        // The next daemon tries it again.
        Class::Cancelled if stopping => (RunOutcome::Interrupted, Ended::Failed),
        Class::Cancelled => (RunOutcome::Cancelled, Ended::Stopped),
        _ => (RunOutcome::Failed, Ended::Failed),
    };
    let ending = Ending {
        failure: Some(failure),
        ..Ending::new(outcome)
    };
    (ending, ended)
}

/// What a task's past means to its schedule.
pub(super) async fn remembered(
    ledger: &Ledger,
    task: &Task,
    now: Timestamp,
) -> crate::schedule::Remembered {
    use crate::{
        ledger::Subject,
        schedule::{Paused, Remembered},
    };

    let subject = match (task.job(), task.repository()) {
        (Some(job), _) => Subject::Job(job.clone()),
        (None, repository) => Subject::Repository(repository.unwrap_or_default().to_owned()),
    };
    let past = ledger.past(task.kind(), subject).await;
    let past = past.unwrap_or_else(|error| {
        tracing::warn!(%task, %error, "what ran before is not known");
        crate::ledger::Past::default()
    });
    let pauses = ledger.pauses().await.unwrap_or_default();
    let job = task.job().filter(|_| task.kind() == RunKind::Backup);
    let pause = job.and_then(|job| pauses.get(job));
    let paused = pause.filter(|pause| pause.holds(now));
    Remembered {
        last_due: past.last_due,
        last_success: past.last_success,
        failed_tries: past.failed_tries,
        failed_at: past.failed_at,
        paused: paused.map(|pause| pause.until.map_or(Paused::Indefinitely, Paused::Until)),
    }
}
