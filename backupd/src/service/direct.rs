//! The service in this process.

use std::{io::Write, time::Duration};

use async_trait::async_trait;
use backup_core::{
    ops::{self, OpError, PruneOptions, Verifier},
    postgres::{Connection, Programs},
    repo::{Host, Repository},
    retention,
};
use backup_keys::{OpenedKeyFiles, OpensKeyFiles};
use backup_model::{
    AuditCheck, AuditPage, AuditQuery, BackupReport, ChannelState, CheckReport, Code,
    ConfigurationReport, Difference, DueTime, EntryInfo, EpochFiles, Event, Failure, ForgetReport,
    Found, HealthReport, HoldInfo, JobName, KeysReport, Level, Pause, PrunePlan, PruneReport,
    RepositoryStats, RestorePlan, RestoreReport, RetentionPlan, RunDetail, RunId, RunKind, RunLog,
    RunPage, RunQuery, Selection, SnapshotDetail, SnapshotName, StatusReport, VerifyReport,
};
use backupd_api::{
    DiffRequest, EpochKeys, FindRequest, ForgetRequest, ListedRun, LsRequest, PruneRequest,
    RestoreOrder, Service, Statuses, Task, Trial, VerifyRequest,
};
use backupd_audit::Act;
use futures::{FutureExt as _, StreamExt as _, stream};
use tokio::time;
use tokio_util::sync::CancellationToken;

use super::{Access, Place, backup, looking, public, recorded};
use crate::{audit, clock, ledger::Subject, status};

/// How often to look when nobody says what changes.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Does the work here and now.
#[derive(Clone, Debug)]
pub struct Direct {
    pub(super) access: Access,
    pub(super) server: Option<(Connection, Programs)>,
    pub(super) run: Option<RunId>,
    /// Who is put on record as doing it; nobody where that is done elsewhere.
    pub(super) by: Option<String>,
}

impl Direct {
    /// A service on these repositories and jobs.
    pub fn new(access: Access) -> Self {
        Self {
            access,
            server: None,
            run: None,
            by: None,
        }
    }

    /// The same, for one run: what the ledger calls it.
    #[must_use]
    pub fn for_run(self, run: RunId) -> Self {
        Self {
            run: Some(run),
            ..self
        }
    }

    /// The same, but databases are restored into this server unless an order names another.
    #[must_use]
    pub fn with_server(self, server: (Connection, Programs)) -> Self {
        Self {
            server: Some(server),
            ..self
        }
    }

    /// Writes one stream of a snapshot to `out`, after checking it. Always in this process: what
    /// comes out is for whoever asked.
    pub async fn cat(
        &self,
        name: &SnapshotName,
        stream: &str,
        keys: &EpochKeys,
        out: Box<dyn Write + Send>,
        cancel: &CancellationToken,
    ) -> Result<u64, Failure> {
        let work = async {
            let repository = self.repository_of(&name.job).await?;
            let opened = opened(keys, &[&repository])?;
            ops::cat(&repository, name, stream, &opened, out, cancel)
                .await
                .map_err(|error| error.to_failure())
        };
        let object = format!("{name} {stream}");
        self.on_record("cat", object, work.boxed()).await
    }

    /// The repository that has snapshots of a job.
    pub(super) async fn repository_of(&self, job: &JobName) -> Result<Repository, Failure> {
        Ok(self.place_of(job).await?.1)
    }

    /// The same, and where it is.
    async fn place_of(&self, job: &JobName) -> Result<(&Place, Repository), Failure> {
        let mut failed = None;
        for place in self.access.places_of(Some(job)) {
            let repository = self.access.open(place).await?;
            let jobs = repository.jobs().await.map_err(OpError::from);
            if jobs.map_err(|error| error.to_failure())?.contains(job) {
                return Ok((place, repository));
            }
            let text = format!("{} has no snapshots of `{job}`", place.name);
            failed = Some(Failure::new(Code::NoJob, text));
        }
        Err(failed.unwrap_or_else(|| {
            Failure::new(Code::NoJob, format!("no repository has a job `{job}`"))
        }))
    }

    /// The repositories in which a selection is looked for.
    async fn repositories_of(&self, selection: &Selection) -> Result<Vec<Repository>, Failure> {
        if let Some(job) = selection.job() {
            return Ok(vec![self.repository_of(job).await?]);
        }
        let mut repositories = Vec::new();
        for place in self.access.places_of(None) {
            repositories.push(self.access.open(place).await?);
        }
        Ok(repositories)
    }

    /// The repository of this name.
    pub(super) fn place(&self, name: &str) -> Result<&Place, Failure> {
        let mut places = self.access.places_of(None);
        places.find(|place| place.name == name).ok_or_else(|| {
            let text = format!("no repository is called `{name}`");
            Failure::new(Code::RepositoryMissing, text)
        })
    }

    /// A repository and this host's key, to change in it what is kept.
    async fn to_maintain(&self, place: &Place) -> Result<Maintained, Failure> {
        let (repository, warning) = place.open_to_write(&self.access.secrets).await?;
        let host = Host::open(&self.access.state, repository.id())
            .map_err(|error| Failure::from_error(error.code(), &error))?;
        Ok(Maintained {
            repository,
            host,
            warning,
        })
    }

    /// The same for the repository that has snapshots of a job.
    async fn to_maintain_job(&self, job: &JobName) -> Result<Maintained, Failure> {
        let (place, _) = self.place_of(job).await?;
        self.to_maintain(place).await
    }
}

/// A repository, and who may change what is kept in it.
struct Maintained {
    repository: Repository,
    host: Host,
    /// What is to be said of its store.
    warning: Option<Failure>,
}

#[async_trait]
impl Service for Direct {
    async fn status(&self) -> Result<StatusReport, Failure> {
        looking::status(&self.access).await
    }

    async fn follow_status(&self) -> Result<Statuses, Failure> {
        let access = self.access.clone();
        let statuses = stream::unfold((access, false), async |(access, looked)| {
            if looked {
                time::sleep(LOOK_EVERY).await;
            }
            let status = looking::status(&access).await;
            Some((status, (access, true)))
        });
        Ok(statuses.boxed())
    }

    async fn health(&self) -> Result<HealthReport, Failure> {
        Ok(looking::health(&self.access).await)
    }

    async fn dues(&self, job: &JobName) -> Result<Vec<DueTime>, Failure> {
        let config = self.access.job(job)?;
        let (now, subject) = (clock::now(), Subject::Job(job.clone()));
        let runs = looking::ask(&self.access, move |ledger| {
            ledger.due_runs(RunKind::Backup, &subject, status::since(now), now)
        });
        Ok(status::dues(config, &runs.await?, now))
    }

    async fn runs(&self, query: &RunQuery) -> Result<RunPage, Failure> {
        let query = query.clone();
        looking::ask(&self.access, move |ledger| ledger.list(&query)).await
    }

    async fn run(&self, run: &str) -> Result<RunDetail, Failure> {
        let run = run.to_owned();
        looking::ask(&self.access, move |ledger| ledger.show(ledger.find(&run)?)).await
    }

    async fn run_log(&self, run: &str, from: u64) -> Result<RunLog, Failure> {
        let run = run.to_owned();
        looking::ask(&self.access, move |ledger| {
            ledger.log(ledger.find(&run)?, from)
        })
        .await
    }

    async fn cancel_run(&self, run: &str) -> Result<RunDetail, Failure> {
        let run = self.run(run).await?;
        let text = format!(
            "the run {} is not this process's to stop",
            run.info.run.short()
        );
        Err(Failure::new(Code::Daemon, text))
    }

    async fn pause(&self, job: &JobName, pause: &Pause) -> Result<(), Failure> {
        self.on_record(
            "job.pause",
            job,
            async { looking::pause(&self.access, job, pause).await }.boxed(),
        )
        .await
    }

    async fn resume(&self, job: &JobName) -> Result<bool, Failure> {
        self.on_record(
            "job.resume",
            job,
            async { looking::resume(&self.access, job).await }.boxed(),
        )
        .await
    }

    async fn backup(&self, job: &JobName, task: &Task) -> Result<BackupReport, Failure> {
        let work = backup::backup(&self.access, job, self.run, task);
        self.on_record("backup", job, work.boxed()).await
    }

    async fn snapshots(&self, selection: &Selection) -> Result<Vec<ListedRun>, Failure> {
        let mut all = Vec::new();
        for repository in self.repositories_of(selection).await? {
            let runs = ops::list(&repository, selection).await;
            let runs = runs.map_err(|error| error.to_failure())?;
            all.extend(
                runs.into_iter()
                    .map(|run| run.map_err(|error| Failure::from_error(error.code(), &error))),
            );
        }
        Ok(all)
    }

    async fn newest(&self, job: &JobName) -> Result<SnapshotName, Failure> {
        let repository = self.repository_of(job).await?;
        ops::newest(&repository, job)
            .await
            .map_err(|error| error.to_failure())
    }

    async fn key_files(&self, selection: &Selection) -> Result<Vec<EpochFiles>, Failure> {
        let mut all = Vec::new();
        for repository in self.repositories_of(selection).await? {
            let files = ops::key_files(&repository, selection).await;
            all.extend(files.map_err(|error| error.to_failure())?);
        }
        Ok(all)
    }

    async fn snapshot(
        &self,
        name: &SnapshotName,
        keys: Option<&EpochKeys>,
    ) -> Result<SnapshotDetail, Failure> {
        let repository = self.repository_of(&name.job).await?;
        let opened = keys.map(|keys| opened(keys, &[&repository])).transpose()?;
        let opened = opened.as_ref().map(|keys| keys as &dyn OpensKeyFiles);
        ops::describe(&repository, name, opened)
            .await
            .map_err(|error| error.to_failure())
    }

    async fn verify(
        &self,
        request: &VerifyRequest,
        report: &mut (dyn FnMut(VerifyReport) + Send),
        task: &Task,
    ) -> Result<(), Failure> {
        self.on_record(
            "verify",
            &request.selection,
            async {
                let Task {
                    progress, cancel, ..
                } = task;
                for repository in self.repositories_of(&request.selection).await? {
                    let selection = &request.selection;
                    let verifier = match (request.level, &request.keys) {
                        (Level::Storage, _) => Verifier::Storage,
                        (_, Some(keys)) => Verifier::data(opened(keys, &[&repository])?),
                        (_, None) => {
                            let text = "keys are needed to verify the data";
                            return Err(Failure::new(Code::IdentityMissing, text));
                        }
                    };
                    let verified = ops::verify(
                        &repository,
                        selection,
                        &verifier,
                        progress,
                        cancel,
                        &mut *report,
                    );
                    verified.await.map_err(|error| error.to_failure())?;
                }
                Ok(())
            }
            .boxed(),
        )
        .await
    }

    async fn ls(
        &self,
        request: &LsRequest,
        report: &mut (dyn FnMut(EntryInfo) + Send),
        task: &Task,
    ) -> Result<(), Failure> {
        let name = &request.snapshot;
        let repository = self.repository_of(&name.job).await?;
        let opened = opened(&request.keys, &[&repository])?;
        let what = (request.path.as_deref(), request.recursive);
        ops::ls(&repository, name, what, &opened, report, &task.cancel)
            .await
            .map_err(|error| error.to_failure())
    }

    async fn diff(
        &self,
        request: &DiffRequest,
        report: &mut (dyn FnMut(Difference) + Send),
        task: &Task,
    ) -> Result<(), Failure> {
        let (before, after) = (&request.before, &request.after);
        let sides = [
            (self.repository_of(&before.job).await?, before),
            (self.repository_of(&after.job).await?, after),
        ];
        let opened = opened(&request.keys, &[&sides[0].0, &sides[1].0])?;
        let path = request.path.as_deref();
        ops::diff(&sides, path, &opened, report, &task.cancel)
            .await
            .map_err(|error| error.to_failure())
    }

    async fn find(
        &self,
        request: &FindRequest,
        report: &mut (dyn FnMut(Result<Found, Failure>) + Send),
        task: &Task,
    ) -> Result<u64, Failure> {
        let mut found = 0;
        for repository in self.repositories_of(&request.selection).await? {
            let (selection, glob) = (&request.selection, &request.glob);
            let opened = opened(&request.keys, &[&repository])?;
            let search = ops::find(
                &repository,
                selection,
                glob,
                &opened,
                &mut *report,
                &task.cancel,
            );
            found += search.await.map_err(|error| error.to_failure())?;
        }
        Ok(found)
    }

    async fn plan_restore(&self, order: &RestoreOrder) -> Result<RestorePlan, Failure> {
        let (_, prepared) = self.prepare(order).await?;
        Ok(prepared.plan)
    }

    async fn restore(&self, order: &RestoreOrder, task: &Task) -> Result<RestoreReport, Failure> {
        let act = Act {
            details: Some(order.target()),
            ..Act::new("", "restore", order.snapshot.to_string())
        };
        let backup = backup::backup(&self.access, &order.snapshot.job, None, task);
        let work = self.restore_after(order, backup, task);
        self.on_record_as(act, work.boxed()).await
    }

    async fn keys(&self, repository: &str) -> Result<KeysReport, Failure> {
        let place = self.place(repository)?;
        let opened = self.access.open(place).await?;
        public::keys(&self.access, place, &opened, clock::now())
    }

    async fn configuration(&self) -> Result<ConfigurationReport, Failure> {
        Ok(public::configuration(&self.access))
    }

    async fn channels(&self) -> Result<Vec<ChannelState>, Failure> {
        Ok(looking::post(&self.access).states())
    }

    async fn test_channel(&self, name: &str) -> Result<ChannelState, Failure> {
        looking::post(&self.access).test(name).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, Failure> {
        self.audit_log()?.list(query).await
    }

    async fn check_audit(&self) -> Result<AuditCheck, Failure> {
        let audit = self.audit_log()?;
        let mut heads = Vec::new();
        for place in &self.access.places {
            let repository = self.access.open(place).await?;
            // Snapshots of other hosts speak of other logs.
            if let Ok(host) = Host::open(&self.access.state, repository.id()) {
                heads.extend(audit::heads(&repository, host.key().public().key_id()).await?);
            }
        }
        audit.check(heads).await
    }

    async fn repositories(&self) -> Result<Vec<String>, Failure> {
        let places = self.access.places_of(None);
        Ok(places.map(|place| place.name.clone()).collect())
    }

    async fn jobs(&self) -> Result<Vec<JobName>, Failure> {
        Ok(self.access.jobs.keys().cloned().collect())
    }

    async fn retention(
        &self,
        job: &JobName,
        trial: &Trial,
    ) -> Result<Option<RetentionPlan>, Failure> {
        let own = self.access.job(job)?.retention.as_ref();
        let Some(policy) = trial.of(own) else {
            return Ok(None);
        };
        let repository = self.access.open(self.access.place_to_run(job)?).await?;
        let records = match ops::retention_records(&repository, job).await {
            // It has not run yet.
            Err(error) if error.code() == Code::NoJob => Vec::new(),
            records => records.map_err(|error| error.to_failure())?,
        };
        retention::plan(&policy, &records, clock::now())
            .map(Some)
            .map_err(|error| Failure::from_error(error.code(), &error))
    }

    async fn hold(&self, name: &SnapshotName, reason: &str) -> Result<HoldInfo, Failure> {
        self.on_record(
            "hold",
            name,
            async {
                let to = self.to_maintain_job(&name.job).await?;
                ops::hold(&to.repository, to.host.key(), name, reason, clock::now())
                    .await
                    .map_err(|error| error.to_failure())
            }
            .boxed(),
        )
        .await
    }

    async fn release(&self, name: &SnapshotName) -> Result<bool, Failure> {
        self.on_record(
            "release",
            name,
            async {
                let to = self.to_maintain_job(&name.job).await?;
                ops::release(&to.repository, to.host.key(), name, clock::now())
                    .await
                    .map_err(|error| error.to_failure())
            }
            .boxed(),
        )
        .await
    }

    async fn forget(&self, request: &ForgetRequest, _: &Task) -> Result<ForgetReport, Failure> {
        self.on_record(
            "forget",
            recorded::listed(&request.snapshots),
            async {
                let Some(first) = request.snapshots.first() else {
                    return Ok(ForgetReport::default());
                };
                let to = self.to_maintain_job(&first.job).await?;
                let names = &request.snapshots;
                ops::forget(
                    &to.repository,
                    to.host.key(),
                    names,
                    request.why,
                    clock::now(),
                )
                .await
                .map_err(|error| error.to_failure())
            }
            .boxed(),
        )
        .await
    }

    async fn plan_prune(&self, repository: &str, task: &Task) -> Result<PrunePlan, Failure> {
        let repository = self.access.open(self.place(repository)?).await?;
        ops::plan_prune(&repository, &task.cancel)
            .await
            .map_err(|error| error.to_failure())
    }

    async fn prune(&self, request: &PruneRequest, task: &Task) -> Result<PruneReport, Failure> {
        self.on_record(
            "prune",
            &request.repository,
            async {
                let to = self.to_maintain(self.place(&request.repository)?).await?;
                if let Some(warning) = to.warning {
                    task.progress.event(Event::Warned(warning));
                }
                let options = PruneOptions {
                    grace_secs: request.grace_secs,
                    allow_large: request.allow_large,
                };
                let Task {
                    progress, cancel, ..
                } = task;
                let (key, host) = (to.host.key(), Some(&to.host));
                let progress = progress.as_ref();
                ops::prune(
                    &to.repository,
                    key,
                    host,
                    options,
                    clock::now,
                    progress,
                    cancel,
                )
                .await
                .map_err(|error| error.to_failure())
            }
            .boxed(),
        )
        .await
    }

    async fn check(&self, repository: &str, task: &Task) -> Result<CheckReport, Failure> {
        let repository = self.access.open(self.place(repository)?).await?;
        ops::check(&repository, &task.cancel)
            .await
            .map_err(|error| error.to_failure())
    }

    async fn stats(&self, repository: &str, task: &Task) -> Result<RepositoryStats, Failure> {
        let repository = self.access.open(self.place(repository)?).await?;
        ops::stats(&repository, &task.cancel)
            .await
            .map_err(|error| error.to_failure())
    }
}

/// The identities of epochs, in the place of the key files that they were unwrapped from.
pub(super) fn opened(
    keys: &EpochKeys,
    repositories: &[&Repository],
) -> Result<OpenedKeyFiles, Failure> {
    let trusts = repositories.iter().map(|repository| repository.trust());
    let trusts: Vec<_> = trusts.collect();
    OpenedKeyFiles::of(&keys.unwrapped_by, &keys.identities, &trusts)
        .map_err(|error| Failure::from_error(Code::IdentityInvalid, &error))
}
