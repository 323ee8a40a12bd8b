//! [`Service`], asked of a daemon. Short questions are one request; long work is a task, begun
//! once whatever the network does, whose log is read to its end.

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use backup_model::{
    BackupReport, CheckReport, Code, Difference, EntryInfo, EpochFiles, Failure, ForgetReport,
    Found, HoldInfo, JobName, PrunePlan, PruneReport, RepositoryStats, RestorePlan, RestoreReport,
    RetentionPlan, Selection, SnapshotDetail, SnapshotName, VerifyReport,
};
use bytes::{Buf as _, BytesMut};
use data_encoding::HEXLOWER;
use http::Method;
use http_body_util::BodyExt as _;
use tokio_util::sync::CancellationToken;

use super::connection::{Daemon, Target, unreadable};
use crate::{
    Address, DiffRequest, EpochKeys, FindRequest, ForgetRequest, HoldReason, ListedRun, LsRequest,
    Newest, Numbered, Outcome, Page, PruneRequest, Released, RestoreOrder, Service, Task, TaskInfo,
    TaskLine, TaskReport, TaskRequest, Trial, VerifyRequest,
};

/// How often a log that broke off is taken up again, and how long to wait before.
const TRIES: u32 = 5;
const WAIT: Duration = Duration::from_secs(1);

/// A daemon that is asked over HTTP.
#[derive(Clone, Debug)]
pub struct HttpService {
    daemon: Daemon,
    repositories: Vec<String>,
    jobs: Vec<JobName>,
}

impl HttpService {
    /// The daemon at this socket, with the jobs and repositories that it has now.
    pub async fn connect(socket: &Path) -> Result<Self, Failure> {
        let address = Address::unix(socket);
        let (token, pin) = (None, None);
        Self::reach(Target {
            address,
            token,
            pin,
        })
        .await
    }

    /// The daemon wherever it is, with the jobs and repositories that it has now.
    pub async fn reach(target: Target) -> Result<Self, Failure> {
        let daemon = Daemon::at(target)?;
        Ok(Self {
            repositories: daemon.ask(Method::GET, "/v1/repositories").await?,
            jobs: daemon.ask(Method::GET, "/v1/jobs").await?,
            daemon,
        })
    }

    /// Begins a task and reads its log to the end.
    async fn run(
        &self,
        request: &TaskRequest,
        task: Option<&Task>,
        report: &mut (dyn FnMut(TaskReport) + Send),
    ) -> Result<(), Failure> {
        let mut key = [0_u8; 16];
        getrandom::fill(&mut key).map_err(|error| Failure::from_error(Code::Bug, &error))?;
        let key = HEXLOWER.encode(&key);
        let daemon = &self.daemon;
        let info: TaskInfo = daemon
            .send(Method::POST, "/v1/tasks", Some(&key), request)
            .await?;
        let never = CancellationToken::new();
        let cancel = task.map_or(&never, |task| &task.cancel);
        let mut next = 0;
        let mut tries = 0;
        let read = async {
            loop {
                let from = next;
                let read = self.read(&info.id, &mut next, task, report).await;
                match read {
                    Err(failure) if failure.code == Code::Daemon && tries < TRIES => {
                        // Any line since is a reason to go on hoping.
                        tries = if next > from { 0 } else { tries + 1 };
                        tokio::time::sleep(WAIT).await;
                    }
                    Err(failure) if failure.code == Code::Daemon => {
                        let text = format!("lost sight of task {}, which may go on", info.id);
                        let causes = std::iter::once(failure.message).chain(failure.causes);
                        return Err(Failure {
                            causes: causes.collect(),
                            ..Failure::new(Code::Daemon, text)
                        });
                    }
                    ended => return ended,
                }
            }
        };
        let cancelling = async {
            cancel.cancelled().await;
            let path = format!("/v1/tasks/{}", info.id);
            // What comes of it stands in the log.
            daemon.ask::<TaskInfo>(Method::DELETE, &path).await.ok();
            std::future::pending::<Result<(), Failure>>().await
        };
        tokio::select! {
            ended = read => ended,
            never = cancelling => never,
        }
    }

    /// Reads a log from a line on, and says with what it ended.
    async fn read(
        &self,
        id: &str,
        next: &mut u64,
        task: Option<&Task>,
        report: &mut (dyn FnMut(TaskReport) + Send),
    ) -> Result<(), Failure> {
        let path = format!("/v1/tasks/{id}/events?from={next}");
        let mut body = self.daemon.stream(&path).await?;
        let mut text = BytesMut::new();
        loop {
            let broken = || Failure::new(Code::Daemon, "the task's log broke off");
            let frame = body.frame().await.ok_or_else(broken)?;
            let Ok(data) = frame.map_err(|_| broken())?.into_data() else {
                continue;
            };
            let mut seen = text.len();
            text.extend_from_slice(&data);
            while let Some(end) = text[seen..].iter().position(|&byte| byte == b'\n') {
                let line = text.split_to(seen + end);
                text.advance(1);
                seen = 0;
                if line.is_empty() {
                    continue;
                }
                let line: Numbered =
                    serde_json::from_slice(&line).map_err(|error| unreadable(&error))?;
                *next = line.n + 1;
                match line.line {
                    TaskLine::Progress(event) => {
                        if let Some(task) = task {
                            task.progress.event(event);
                        }
                    }
                    TaskLine::Report(found) => report(found),
                    TaskLine::End(outcome) => return outcome.into(),
                }
            }
        }
    }

    /// Runs a task that makes one report.
    async fn one<R: Send>(
        &self,
        request: &TaskRequest,
        task: Option<&Task>,
        pick: impl Fn(TaskReport) -> Option<R> + Send + Sync,
    ) -> Result<R, Failure> {
        let mut picked = None;
        self.run(request, task, &mut |report| picked = pick(report))
            .await?;
        picked.ok_or_else(|| Failure::new(Code::Daemon, "the task ended without a report"))
    }
}

#[async_trait]
impl Service for HttpService {
    async fn backup(&self, job: &JobName, task: &Task) -> Result<BackupReport, Failure> {
        let request = TaskRequest::Backup { job: job.clone() };
        self.one(&request, Some(task), |report| match report {
            TaskReport::Backup(report) => Some(report),
            _ => None,
        })
        .await
    }

    async fn snapshots(&self, selection: &Selection) -> Result<Vec<ListedRun>, Failure> {
        let mut all = Vec::new();
        let mut next = Some(0);
        while let Some(from) = next {
            let query = selected(selection);
            let path = format!("/v1/snapshots?from={from}{query}");
            let page: Page<Outcome<_>> = self.daemon.ask(Method::GET, &path).await?;
            all.extend(page.items.into_iter().map(ListedRun::from));
            next = page.next;
        }
        Ok(all)
    }

    async fn newest(&self, job: &JobName) -> Result<SnapshotName, Failure> {
        let path = format!("/v1/jobs/{job}/newest");
        let newest: Newest = self.daemon.ask(Method::GET, &path).await?;
        Ok(newest.snapshot)
    }

    async fn key_files(&self, selection: &Selection) -> Result<Vec<EpochFiles>, Failure> {
        let path = format!("/v1/key-files?{}", selected(selection));
        self.daemon.ask(Method::GET, &path).await
    }

    async fn snapshot(
        &self,
        name: &SnapshotName,
        keys: Option<&EpochKeys>,
    ) -> Result<SnapshotDetail, Failure> {
        let path = format!("/v1/snapshots/{name}");
        match keys {
            None => self.daemon.ask(Method::GET, &path).await,
            Some(keys) => {
                let path = format!("{path}/streams");
                self.daemon.send(Method::POST, &path, None, keys).await
            }
        }
    }

    async fn verify(
        &self,
        request: &VerifyRequest,
        report: &mut (dyn FnMut(VerifyReport) + Send),
        task: &Task,
    ) -> Result<(), Failure> {
        let request = TaskRequest::Verify(request.clone());
        self.run(&request, Some(task), &mut |found| {
            if let TaskReport::Verify(verified) = found {
                report(verified);
            }
        })
        .await
    }

    async fn ls(
        &self,
        request: &LsRequest,
        report: &mut (dyn FnMut(EntryInfo) + Send),
        task: &Task,
    ) -> Result<(), Failure> {
        let request = TaskRequest::Ls(request.clone());
        self.run(&request, Some(task), &mut |found| {
            if let TaskReport::Entry(entry) = found {
                report(entry);
            }
        })
        .await
    }

    async fn diff(
        &self,
        request: &DiffRequest,
        report: &mut (dyn FnMut(Difference) + Send),
        task: &Task,
    ) -> Result<(), Failure> {
        let request = TaskRequest::Diff(request.clone());
        self.run(&request, Some(task), &mut |found| {
            if let TaskReport::Difference(difference) = found {
                report(difference);
            }
        })
        .await
    }

    async fn find(
        &self,
        request: &FindRequest,
        report: &mut (dyn FnMut(Result<Found, Failure>) + Send),
        task: &Task,
    ) -> Result<u64, Failure> {
        let request = TaskRequest::Find(request.clone());
        let mut searched = 0;
        self.run(&request, Some(task), &mut |found| match found {
            TaskReport::Found(found) => report(found.into()),
            TaskReport::Searched(entries) => searched = entries,
            _ => (),
        })
        .await?;
        Ok(searched)
    }

    async fn plan_restore(&self, order: &RestoreOrder) -> Result<RestorePlan, Failure> {
        let path = "/v1/restore-plan";
        self.daemon.send(Method::POST, path, None, order).await
    }

    async fn restore(&self, order: &RestoreOrder, task: &Task) -> Result<RestoreReport, Failure> {
        let request = TaskRequest::Restore(order.clone());
        self.one(&request, Some(task), |report| match report {
            TaskReport::Restore(report) => Some(report),
            _ => None,
        })
        .await
    }

    fn repositories(&self) -> Vec<String> {
        self.repositories.clone()
    }

    fn jobs(&self) -> Vec<JobName> {
        self.jobs.clone()
    }

    async fn retention(
        &self,
        job: &JobName,
        trial: &Trial,
    ) -> Result<Option<RetentionPlan>, Failure> {
        let path = format!("/v1/jobs/{job}/retention");
        self.daemon.send(Method::POST, &path, None, trial).await
    }

    async fn hold(&self, name: &SnapshotName, reason: &str) -> Result<HoldInfo, Failure> {
        let path = format!("/v1/snapshots/{name}/hold");
        let reason = HoldReason {
            reason: reason.to_owned(),
        };
        self.daemon.send(Method::PUT, &path, None, &reason).await
    }

    async fn release(&self, name: &SnapshotName) -> Result<bool, Failure> {
        let path = format!("/v1/snapshots/{name}/hold");
        let released: Released = self.daemon.ask(Method::DELETE, &path).await?;
        Ok(released.was_held)
    }

    async fn forget(&self, request: &ForgetRequest) -> Result<ForgetReport, Failure> {
        let request = TaskRequest::Forget(request.clone());
        self.one(&request, None, |report| match report {
            TaskReport::Forget(report) => Some(report),
            _ => None,
        })
        .await
    }

    async fn plan_prune(&self, repository: &str, task: &Task) -> Result<PrunePlan, Failure> {
        self.of_repository(repository, "prune-plan", task).await
    }

    async fn prune(&self, request: &PruneRequest, task: &Task) -> Result<PruneReport, Failure> {
        let request = TaskRequest::Prune(request.clone());
        self.one(&request, Some(task), |report| match report {
            TaskReport::Prune(report) => Some(report),
            _ => None,
        })
        .await
    }

    async fn check(&self, repository: &str, task: &Task) -> Result<CheckReport, Failure> {
        self.of_repository(repository, "check", task).await
    }

    async fn stats(&self, repository: &str, task: &Task) -> Result<RepositoryStats, Failure> {
        self.of_repository(repository, "stats", task).await
    }
}

impl HttpService {
    /// Asks about a repository. Going away is how to stop it.
    async fn of_repository<A: serde::de::DeserializeOwned>(
        &self,
        repository: &str,
        what: &str,
        task: &Task,
    ) -> Result<A, Failure> {
        let path = format!("/v1/repositories/{repository}/{what}");
        tokio::select! {
            answer = self.daemon.ask(Method::GET, &path) => answer,
            () = task.cancel.cancelled() => {
                Err(Failure::new(Code::Interrupted, "stopped"))
            }
        }
    }
}

/// A selection as part of a query; none for all.
fn selected(selection: &Selection) -> String {
    match selection {
        Selection::All => String::new(),
        one => format!("&select={one}"),
    }
}
