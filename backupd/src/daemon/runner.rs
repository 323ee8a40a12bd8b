//! Runs of jobs: begun when they are due, at most so many at once, each with its story in the
//! ledger, and stopped with the daemon.
//!
//! When something is due is the schedule's to know, which hears how each run ended. A ledger that
//! does not answer is no reason not to back up.

use std::{sync::Arc, time::Duration};

use backup_model::{
    BackupReport, Class, Code, Failure, JobName, LogLevel, Progress, RunBytes, RunCause, RunKind,
    RunOutcome,
};
use backupd_api::{Service as _, Task as Work};
use jiff::Timestamp;
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{self, timeout},
};
use tokio_util::sync::CancellationToken;

use super::settings::{InForce, Settings};
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
        let Task::Backup(job) = skipped.task else {
            return;
        };
        let Some(repository) = repository_of(&self.shared.settings.in_force(), &job) else {
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
        let Task::Backup(job) = &due.task else {
            return Ended::Stopped;
        };
        let in_force = self.settings.in_force();
        // The configuration may have lost it while it waited.
        let Some(repository) = repository_of(&in_force, job) else {
            return Ended::Stopped;
        };
        let new = NewRun {
            kind: RunKind::Backup,
            job: Some(job.clone()),
            repository,
            cause: cause(due.reason),
            asked_by: None,
            due: Some(due.time),
        };
        let (recorder, known) = self.ledger.begin(new).await;
        if let Err(error) = known {
            tracing::warn!(%job, %error, "the run ledger does not know the run yet");
        }
        let run = recorder.run();
        tracing::info!(%job, %run, due = %due.time, cause = %cause(due.reason), "a backup begins");
        let done = self.work(&in_force, job, &recorder).await;
        let (ending, ended) = judge(&done, self.stop.is_cancelled());
        match &done {
            Ok(report) => {
                let snapshot = &report.snapshot;
                tracing::info!(%job, %run, %snapshot, outcome = %ending.outcome, "the backup is made");
            }
            Err(failure) => {
                recorder.line(LogLevel::Error, &failure.to_string());
                let (code, causes) = (failure.code.as_str(), failure.causes.join(": "));
                tracing::error!(%job, %run, code, causes, "no backup: {}", failure.message);
            }
        }
        if let Err(error) = recorder.end(ending).await {
            tracing::warn!(%job, %run, %error, "the run ledger does not know how it ended yet");
        }
        ended
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

fn repository_of(in_force: &InForce, job: &JobName) -> Option<String> {
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

/// What the ledger and the schedule are told of an end.
fn judge(done: &Result<BackupReport, Failure>, stopping: bool) -> (Ending, Ended) {
    let failure = match done {
        Ok(report) => {
            let outcome = if report.complete && report.warnings.is_empty() {
                RunOutcome::Succeeded
            } else {
                RunOutcome::Warnings
            };
            let ending = Ending {
                bytes: Some(RunBytes {
                    read_bytes: report.read_bytes,
                    new_bytes: report.new_bytes,
                    stored_bytes: report.added_bytes,
                    total_bytes: None,
                }),
                snapshot: Some(report.snapshot.clone()),
                ..Ending::new(outcome)
            };
            return (ending, Ended::Succeeded);
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
        failure: Some(failure.clone()),
        ..Ending::new(outcome)
    };
    (ending, ended)
}

/// What a job's past means to its schedule.
pub(super) async fn remembered(
    ledger: &Ledger,
    job: &JobName,
    now: Timestamp,
) -> crate::schedule::Remembered {
    use crate::{
        ledger::Subject,
        schedule::{Paused, Remembered},
    };

    let past = ledger
        .past(RunKind::Backup, Subject::Job(job.clone()))
        .await;
    let past = past.unwrap_or_else(|error| {
        tracing::warn!(%job, %error, "what ran before is not known");
        crate::ledger::Past::default()
    });
    let pauses = ledger.pauses().await.unwrap_or_default();
    let paused = pauses.get(job).filter(|pause| pause.holds(now));
    Remembered {
        last_due: past.last_due,
        last_success: past.last_success,
        failed_tries: past.failed_tries,
        failed_at: past.failed_at,
        paused: paused.map(|pause| pause.until.map_or(Paused::Indefinitely, Paused::Until)),
    }
}
