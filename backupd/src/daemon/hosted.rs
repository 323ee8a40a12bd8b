//! The service of a running daemon: the same work as in any process, and besides it the ledger is
//! told, the schedule knows what runs, and what was verified is remembered.

use std::sync::Arc;

use async_trait::async_trait;
use backup_model::{
    AuditCheck, AuditPage, AuditQuery, BackupReport, ChannelState, CheckReport, Code,
    ConfigurationReport, Difference, DueTime, EntryInfo, EpochFiles, Failure, ForgetReport, Found,
    HealthReport, HoldInfo, JobName, KeysReport, Pause, PrunePlan, PruneReport, RepositoryStats,
    RestorePlan, RestoreReport, RetentionPlan, RunCause, RunDetail, RunId, RunKind, RunLog,
    RunPage, RunQuery, Selection, SnapshotDetail, SnapshotName, StatusReport, VerifyReport,
};
use backupd_api::{
    DiffRequest, EpochKeys, FindRequest, ForgetRequest, ListedRun, LsRequest, PruneRequest,
    RestoreOrder, Service, Statuses, Task, Trial, VerifyRequest,
};
use futures::{StreamExt as _, stream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{
    board::Board, ending, health::Desk, runner::Runner, runs::Runs, settings::Settings, verified,
};
use crate::{
    clock,
    ledger::{Ledger, LedgerError, NewRun, Subject},
    schedule::{self, Control, Paused},
    service::Direct,
    status,
};

/// What a daemon answers with.
#[derive(Debug)]
pub(super) struct Hosted {
    pub(super) settings: Arc<Settings>,
    pub(super) ledger: Ledger,
    pub(super) control: Control,
    pub(super) board: Arc<Board>,
    pub(super) runs: Runs,
    pub(super) runner: Runner,
    pub(super) health: Desk,
    pub(super) stop: CancellationToken,
}

impl Hosted {
    pub(super) fn direct(&self) -> Direct {
        Direct::new(self.settings.in_force().access.clone())
    }

    /// A run of this kind, for whoever asks for it by hand.
    fn asked(kind: RunKind, job: Option<&JobName>, repository: String, task: &Task) -> NewRun {
        NewRun {
            kind,
            job: job.cloned(),
            repository,
            cause: RunCause::Hand,
            asked_by: task.asked_by.clone(),
            due: None,
        }
    }

    /// Where a job is stored, as far as the configuration says; without a job, all there are.
    fn repository_of(&self, job: Option<&JobName>) -> String {
        let in_force = self.settings.in_force();
        let mut names = in_force
            .access
            .places_of(job)
            .map(|place| place.name.as_str());
        match job {
            Some(_) => names.next().unwrap_or_default().to_owned(),
            None => names.collect::<Vec<_>>().join(", "),
        }
    }

    /// Waits for a change of the ledger and the schedule, and shows it.
    async fn settle<T>(&self, change: JoinHandle<Result<T, LedgerError>>) -> Result<T, Failure> {
        let changed = change.await;
        self.board.changed();
        let changed = changed.map_err(|error| Failure::from_error(Code::Bug, &error))?;
        changed.map_err(|error| failed(&error))
    }

    async fn run_id(&self, run: &str) -> Result<RunId, Failure> {
        self.ledger.find(run).await.map_err(|error| failed(&error))
    }
}

fn failed(error: &LedgerError) -> Failure {
    Failure::from_error(error.code(), error)
}

#[async_trait]
impl Service for Hosted {
    async fn status(&self) -> Result<StatusReport, Failure> {
        let mut report = self.board.report().borrow().clone();
        // What runs is known at once; the board has to be written first.
        let running = self.runs.backups();
        for job in &mut report.jobs {
            job.protection.running = running.get(&job.protection.job).copied();
        }
        Ok(report)
    }

    async fn follow_status(&self) -> Result<Statuses, Failure> {
        let mut reports = self.board.report();
        reports.mark_changed();
        let statuses = stream::unfold(reports, async |mut reports| {
            reports.changed().await.ok()?;
            let report = reports.borrow_and_update().clone();
            Some((Ok(report), reports))
        });
        let stop = self.stop.clone();
        let stopped = async move { stop.cancelled().await };
        Ok(statuses.take_until(stopped).boxed())
    }

    async fn health(&self) -> Result<HealthReport, Failure> {
        let status = self.status().await;
        let in_force = self.settings.in_force();
        let channels = self.board.post().states();
        let report = self.health.report(&in_force, status.as_ref(), &channels);
        Ok(report.await)
    }

    async fn dues(&self, job: &JobName) -> Result<Vec<DueTime>, Failure> {
        let in_force = self.settings.in_force();
        let config = in_force.access.job(job)?;
        let (now, subject) = (clock::now(), Subject::Job(job.clone()));
        let runs = self
            .ledger
            .due_runs(RunKind::Backup, subject, status::since(now));
        let runs = runs.await.map_err(|error| failed(&error))?;
        Ok(status::dues(config, &runs, now))
    }

    async fn runs(&self, query: &RunQuery) -> Result<RunPage, Failure> {
        let page = self.ledger.list(query.clone()).await;
        page.map_err(|error| failed(&error))
    }

    async fn run(&self, run: &str) -> Result<RunDetail, Failure> {
        let shown = self.ledger.show(self.run_id(run).await?).await;
        shown.map_err(|error| failed(&error))
    }

    async fn run_log(&self, run: &str, from: u64) -> Result<RunLog, Failure> {
        let log = self.ledger.log(self.run_id(run).await?, from).await;
        log.map_err(|error| failed(&error))
    }

    async fn cancel_run(&self, run: &str) -> Result<RunDetail, Failure> {
        let run = self.run_id(run).await?;
        if !self.runs.cancel(run) {
            let text = format!("the run {} is not under way", run.short());
            return Err(Failure::new(Code::NoRun, text));
        }
        let shown = self.ledger.show(run).await;
        shown.map_err(|error| failed(&error))
    }

    async fn pause(&self, job: &JobName, pause: &Pause) -> Result<(), Failure> {
        self.settings.in_force().access.job(job)?;
        let (job, pause) = (job.clone(), pause.clone());
        let (ledger, control) = (self.ledger.clone(), self.control.clone());
        // Not half of it, whatever becomes of whoever asked.
        let paused = tokio::spawn(async move {
            // On disk first: a pause that is forgotten at the next start was none.
            ledger.pause(job.clone(), pause.clone()).await?;
            let until = pause.until.map_or(Paused::Indefinitely, Paused::Until);
            // A job without a schedule is paused all the same: it may get one.
            control.pause(schedule::Task::Backup(job), until).await.ok();
            Ok(())
        });
        self.settle(paused).await
    }

    async fn resume(&self, job: &JobName) -> Result<bool, Failure> {
        self.settings.in_force().access.job(job)?;
        let job = job.clone();
        let (ledger, control) = (self.ledger.clone(), self.control.clone());
        let resumed = tokio::spawn(async move {
            let was_paused = ledger.resume(job.clone()).await?;
            control.resume(schedule::Task::Backup(job)).await.ok();
            Ok(was_paused)
        });
        self.settle(resumed).await
    }

    async fn backup(&self, job: &JobName, task: &Task) -> Result<BackupReport, Failure> {
        self.runner.by_hand(job, task).await
    }

    async fn snapshots(&self, selection: &Selection) -> Result<Vec<ListedRun>, Failure> {
        self.direct().snapshots(selection).await
    }

    async fn newest(&self, job: &JobName) -> Result<SnapshotName, Failure> {
        self.direct().newest(job).await
    }

    async fn key_files(&self, selection: &Selection) -> Result<Vec<EpochFiles>, Failure> {
        self.direct().key_files(selection).await
    }

    async fn snapshot(
        &self,
        name: &SnapshotName,
        keys: Option<&EpochKeys>,
    ) -> Result<SnapshotDetail, Failure> {
        self.direct().snapshot(name, keys).await
    }

    async fn verify(
        &self,
        request: &VerifyRequest,
        report: &mut (dyn FnMut(VerifyReport) + Send),
        task: &Task,
    ) -> Result<(), Failure> {
        let job = request.selection.job();
        let repository = self.repository_of(job);
        let new = Self::asked(RunKind::Verify, job, repository, task);
        let run = self.runner.record(new, task).await;
        let mut found = verified::Tally::default();
        let mut hear = |one: VerifyReport| {
            found.add(&one);
            report(one);
        };
        let done = self.direct().verify(request, &mut hear, &run.work()).await;
        let in_force = self.settings.in_force();
        found.remember(&in_force.access, &self.ledger).await;
        self.runner.ended(run, &done, |()| found.ending()).await;
        done
    }

    async fn ls(
        &self,
        request: &LsRequest,
        report: &mut (dyn FnMut(EntryInfo) + Send),
        task: &Task,
    ) -> Result<(), Failure> {
        self.direct().ls(request, report, task).await
    }

    async fn diff(
        &self,
        request: &DiffRequest,
        report: &mut (dyn FnMut(Difference) + Send),
        task: &Task,
    ) -> Result<(), Failure> {
        self.direct().diff(request, report, task).await
    }

    async fn find(
        &self,
        request: &FindRequest,
        report: &mut (dyn FnMut(Result<Found, Failure>) + Send),
        task: &Task,
    ) -> Result<u64, Failure> {
        self.direct().find(request, report, task).await
    }

    async fn plan_restore(&self, order: &RestoreOrder) -> Result<RestorePlan, Failure> {
        self.direct().plan_restore(order).await
    }

    async fn restore(&self, order: &RestoreOrder, task: &Task) -> Result<RestoreReport, Failure> {
        let job = &order.snapshot.job;
        let repository = self.repository_of(Some(job));
        let new = Self::asked(RunKind::Restore, Some(job), repository, task);
        let run = self.runner.record(new, task).await;
        // A run of its own, as whoever asks for one begins it: it waits for a slot, and this run
        // holds none.
        let (direct, work) = (self.direct(), run.work());
        let backup = self.runner.by_hand(job, &work);
        let done = Box::pin(direct.restore_after(order, backup, &work)).await;
        self.runner.ended(run, &done, ending::of_restore).await;
        done
    }

    async fn keys(&self, repository: &str) -> Result<KeysReport, Failure> {
        self.direct().keys(repository).await
    }

    async fn configuration(&self) -> Result<ConfigurationReport, Failure> {
        self.direct().configuration().await
    }

    async fn channels(&self) -> Result<Vec<ChannelState>, Failure> {
        Ok(self.board.post().states())
    }

    async fn test_channel(&self, name: &str) -> Result<ChannelState, Failure> {
        self.board.post().test(name).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, Failure> {
        self.direct().audit(query).await
    }

    async fn check_audit(&self) -> Result<AuditCheck, Failure> {
        self.direct().check_audit().await
    }

    async fn repositories(&self) -> Result<Vec<String>, Failure> {
        self.direct().repositories().await
    }

    async fn jobs(&self) -> Result<Vec<JobName>, Failure> {
        self.direct().jobs().await
    }

    async fn retention(
        &self,
        job: &JobName,
        trial: &Trial,
    ) -> Result<Option<RetentionPlan>, Failure> {
        self.direct().retention(job, trial).await
    }

    async fn hold(&self, name: &SnapshotName, reason: &str) -> Result<HoldInfo, Failure> {
        self.direct().hold(name, reason).await
    }

    async fn release(&self, name: &SnapshotName) -> Result<bool, Failure> {
        self.direct().release(name).await
    }

    async fn forget(&self, request: &ForgetRequest, task: &Task) -> Result<ForgetReport, Failure> {
        let job = request.snapshots.first().map(|first| &first.job);
        let repository = self.repository_of(job);
        let new = Self::asked(RunKind::Retention, job, repository, task);
        let run = self.runner.record(new, task).await;
        let done = self.direct().forget(request, &run.work()).await;
        self.runner.ended(run, &done, ending::of_forget).await;
        self.board.look_again();
        done
    }

    async fn plan_prune(&self, repository: &str, task: &Task) -> Result<PrunePlan, Failure> {
        self.direct().plan_prune(repository, task).await
    }

    async fn prune(&self, request: &PruneRequest, task: &Task) -> Result<PruneReport, Failure> {
        let new = Self::asked(RunKind::Prune, None, request.repository.clone(), task);
        let run = self.runner.record(new, task).await;
        let done = self.direct().prune(request, &run.work()).await;
        self.runner.ended(run, &done, ending::of_prune).await;
        done
    }

    async fn check(&self, repository: &str, task: &Task) -> Result<CheckReport, Failure> {
        self.direct().check(repository, task).await
    }

    async fn stats(&self, repository: &str, task: &Task) -> Result<RepositoryStats, Failure> {
        self.direct().stats(repository, task).await
    }
}
