//! [`Service`], asked of a daemon. Short questions are one request, and so is a listing, whose
//! answer is read as it comes; long work is a task, begun once whatever the network does, whose log
//! is read to its end. None waits for ever for a daemon that says nothing.

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use backup_model::{
    AuditCheck, AuditPage, AuditQuery, BackupReport, ChannelState, CheckReport, Code,
    ConfigurationReport, Difference, DueTime, EntryInfo, EpochFiles, Failure, ForgetReport, Found,
    HealthReport, HoldInfo, JobName, KeysReport, Pause, PrunePlan, PruneReport, RepositoryStats,
    RestorePlan, RestoreReport, RetentionPlan, RunDetail, RunLog, RunPage, RunQuery, Selection,
    SnapshotDetail, SnapshotName, StatusReport, VerifyReport,
};
use data_encoding::HEXLOWER;
use futures::{StreamExt as _, stream};
use http::Method;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    connection::{Daemon, Target},
    lines::Lines,
};
use crate::{
    CallerInfo, DiffRequest, EpochKeys, FindRequest, ForgetRequest, HoldReason, ListedRun,
    LsRequest, NewToken, Newest, Numbered, Outcome, Page, PauseRequest, PruneRequest, Released,
    RestoreOrder, Resumed, Rotation, Service, Statuses, Task, TaskInfo, TaskLine, TaskReport,
    TaskRequest, TokenInfo, Trial, VerifyRequest,
};

/// How often a question whose answer was lost is asked again, and a log that broke off taken up,
/// and how long to wait before.
const TRIES: u32 = 5;
const WAIT: Duration = Duration::from_secs(1);

/// A daemon that is asked over HTTP.
#[derive(Clone, Debug)]
pub struct HttpService {
    pub(super) daemon: Daemon,
}

impl HttpService {
    /// The daemon at this socket.
    pub async fn connect(socket: &Path) -> Result<Self, Failure> {
        Self::reach(Target::socket(socket)).await
    }

    /// The daemon wherever it is, once it has answered, and our token counts there.
    pub async fn reach(target: Target) -> Result<Self, Failure> {
        let daemon = Daemon::at(target)?;
        match daemon.ask::<Vec<JobName>>(Method::GET, "/v1/jobs").await {
            // Whoever may do something else only is let in as well.
            Err(failure) if failure.code == Code::NotPermitted => Ok(Self { daemon }),
            answer => answer.map(|_| Self { daemon }),
        }
    }

    /// The daemon at a socket, or none where nobody listens: there is no socket, or it was left
    /// behind. Any other reason why it does not answer is a failure.
    pub async fn find(target: Target) -> Result<Option<Self>, Failure> {
        if !Daemon::at(target.clone())?.is_there().await? {
            return Ok(None);
        }
        Self::reach(target).await.map(Some)
    }

    /// Who we are to the daemon, and what we may do there.
    pub async fn caller(&self) -> Result<CallerInfo, Failure> {
        self.daemon.ask(Method::GET, "/v1/caller").await
    }

    /// The tokens that count.
    pub async fn tokens(&self) -> Result<Vec<TokenInfo>, Failure> {
        self.daemon.ask(Method::GET, "/v1/tokens").await
    }

    /// Has a token count from now on.
    pub async fn add_token(&self, new: &NewToken) -> Result<TokenInfo, Failure> {
        self.daemon
            .send(Method::POST, "/v1/tokens", None, new)
            .await
    }

    /// Gives a token another secret.
    pub async fn rotate_token(&self, id: &str, rotation: &Rotation) -> Result<TokenInfo, Failure> {
        let path = format!("/v1/tokens/{}/rotate", token_segment(id)?);
        self.daemon.send(Method::POST, &path, None, rotation).await
    }

    /// Has a token count no more.
    pub async fn revoke_token(&self, id: &str) -> Result<TokenInfo, Failure> {
        let path = format!("/v1/tokens/{}", token_segment(id)?);
        self.daemon.ask(Method::DELETE, &path).await
    }

    /// Begins a task, and leaves it to the daemon. Where the answer is lost it asks again, by the
    /// same key: the daemon begins it once.
    pub async fn begin(&self, request: &TaskRequest) -> Result<TaskInfo, Failure> {
        let mut key = [0_u8; 16];
        getrandom::fill(&mut key).map_err(|error| Failure::from_error(Code::Bug, &error))?;
        let key = HEXLOWER.encode(&key);
        let mut tries = 0;
        loop {
            let sent = self
                .daemon
                .send(Method::POST, "/v1/tasks", Some(&key), request);
            match sent.await {
                Err(failure) if failure.code == Code::Daemon && tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(WAIT).await;
                }
                answer => return answer,
            }
        }
    }

    /// Begins a task and reads its log to the end.
    async fn run(
        &self,
        request: &TaskRequest,
        task: &Task,
        report: &mut (dyn FnMut(TaskReport) + Send),
    ) -> Result<(), Failure> {
        let daemon = &self.daemon;
        let info = self.begin(request).await?;
        let cancel = &task.cancel;
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
                        return Err(Failure::new(Code::Daemon, text).because(failure));
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
        task: &Task,
        report: &mut (dyn FnMut(TaskReport) + Send),
    ) -> Result<(), Failure> {
        let path = format!("/v1/tasks/{id}/events?from={next}");
        let mut lines = Lines::of(self.daemon.stream(&path).await?);
        loop {
            let line: Numbered = lines.next().await?;
            *next = line.n + 1;
            match line.line {
                TaskLine::Progress(event) => task.progress.event(event),
                TaskLine::Report(found) => report(found),
                TaskLine::End(outcome) => return outcome.into(),
            }
        }
    }

    /// Runs a task that makes one report.
    async fn one<R: Send>(
        &self,
        request: &TaskRequest,
        task: &Task,
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
    async fn status(&self) -> Result<StatusReport, Failure> {
        self.daemon.ask(Method::GET, "/v1/status").await
    }

    async fn follow_status(&self) -> Result<Statuses, Failure> {
        let lines = Lines::of(self.daemon.stream("/v1/status/events").await?);
        let statuses = stream::unfold(Some(lines), async |lines| {
            let mut lines = lines?;
            let status = lines.next().await;
            // A stream that broke off says so once.
            let lines = status.is_ok().then_some(lines);
            Some((status, lines))
        });
        Ok(statuses.boxed())
    }

    async fn health(&self) -> Result<HealthReport, Failure> {
        self.daemon.patient().ask(Method::GET, "/v1/health").await
    }

    async fn dues(&self, job: &JobName) -> Result<Vec<DueTime>, Failure> {
        let path = format!("/v1/jobs/{job}/dues");
        self.daemon.ask(Method::GET, &path).await
    }

    async fn runs(&self, query: &RunQuery) -> Result<RunPage, Failure> {
        let query = as_query(query)?;
        self.daemon
            .ask(Method::GET, &format!("/v1/runs?{query}"))
            .await
    }

    async fn run(&self, run: &str) -> Result<RunDetail, Failure> {
        let path = format!("/v1/runs/{}", segment(run)?);
        self.daemon.ask(Method::GET, &path).await
    }

    async fn run_log(&self, run: &str, from: u64) -> Result<RunLog, Failure> {
        let path = format!("/v1/runs/{}/log?from={from}", segment(run)?);
        self.daemon.ask(Method::GET, &path).await
    }

    async fn cancel_run(&self, run: &str) -> Result<RunDetail, Failure> {
        let path = format!("/v1/runs/{}", segment(run)?);
        self.daemon.ask(Method::DELETE, &path).await
    }

    async fn pause(&self, job: &JobName, pause: &Pause) -> Result<(), Failure> {
        let path = format!("/v1/jobs/{job}/pause");
        // Who and when is the daemon's to say.
        let request = PauseRequest {
            until: pause.until,
            why: pause.why.clone(),
        };
        let paused: Result<Pause, Failure> =
            self.daemon.send(Method::PUT, &path, None, &request).await;
        paused.map(|_| ())
    }

    async fn resume(&self, job: &JobName) -> Result<bool, Failure> {
        let path = format!("/v1/jobs/{job}/pause");
        let resumed: Resumed = self.daemon.ask(Method::DELETE, &path).await?;
        Ok(resumed.was_paused)
    }

    async fn backup(&self, job: &JobName, task: &Task) -> Result<BackupReport, Failure> {
        let request = TaskRequest::Backup { job: job.clone() };
        self.one(&request, task, |report| match report {
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
            let page: Page<Outcome<_>> = self.daemon.patient().ask(Method::GET, &path).await?;
            all.extend(page.items.into_iter().map(ListedRun::from));
            next = page.next;
        }
        Ok(all)
    }

    async fn newest(&self, job: &JobName) -> Result<SnapshotName, Failure> {
        let path = format!("/v1/jobs/{job}/newest");
        let newest: Newest = self.daemon.patient().ask(Method::GET, &path).await?;
        Ok(newest.snapshot)
    }

    async fn key_files(&self, selection: &Selection) -> Result<Vec<EpochFiles>, Failure> {
        let path = format!("/v1/key-files?{}", selected(selection));
        self.daemon.patient().ask(Method::GET, &path).await
    }

    async fn snapshot(
        &self,
        name: &SnapshotName,
        keys: Option<&EpochKeys>,
    ) -> Result<SnapshotDetail, Failure> {
        let path = format!("/v1/snapshots/{name}");
        match keys {
            None => self.daemon.patient().ask(Method::GET, &path).await,
            Some(keys) => {
                let path = format!("{path}/streams");
                self.daemon
                    .patient()
                    .send(Method::POST, &path, None, keys)
                    .await
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
        self.run(&request, task, &mut |found| {
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
        self.list("/v1/ls", request, report, task).await?;
        Ok(())
    }

    async fn diff(
        &self,
        request: &DiffRequest,
        report: &mut (dyn FnMut(Difference) + Send),
        task: &Task,
    ) -> Result<(), Failure> {
        self.list("/v1/diff", request, report, task).await?;
        Ok(())
    }

    async fn find(
        &self,
        request: &FindRequest,
        report: &mut (dyn FnMut(Result<Found, Failure>) + Send),
        task: &Task,
    ) -> Result<u64, Failure> {
        let mut item = |found: Outcome<Found>| report(found.into());
        self.list("/v1/find", request, &mut item, task).await
    }

    async fn plan_restore(&self, order: &RestoreOrder) -> Result<RestorePlan, Failure> {
        let path = "/v1/restore-plan";
        self.daemon
            .patient()
            .send(Method::POST, path, None, order)
            .await
    }

    async fn restore(&self, order: &RestoreOrder, task: &Task) -> Result<RestoreReport, Failure> {
        let request = TaskRequest::Restore(order.clone());
        self.one(&request, task, |report| match report {
            TaskReport::Restore(report) => Some(report),
            _ => None,
        })
        .await
    }

    async fn keys(&self, repository: &str) -> Result<KeysReport, Failure> {
        let path = format!("/v1/repositories/{repository}/keys");
        self.daemon.patient().ask(Method::GET, &path).await
    }

    async fn configuration(&self) -> Result<ConfigurationReport, Failure> {
        self.daemon.ask(Method::GET, "/v1/configuration").await
    }

    async fn channels(&self) -> Result<Vec<ChannelState>, Failure> {
        self.daemon.ask(Method::GET, "/v1/channels").await
    }

    async fn test_channel(&self, name: &str) -> Result<ChannelState, Failure> {
        let path = format!("/v1/channels/{}/test", segment(name)?);
        self.daemon.patient().ask(Method::POST, &path).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, Failure> {
        let path = format!("/v1/audit?{}", as_query(query)?);
        self.daemon.ask(Method::GET, &path).await
    }

    async fn check_audit(&self) -> Result<AuditCheck, Failure> {
        let daemon = self.daemon.patient();
        daemon.ask(Method::GET, "/v1/audit/check").await
    }

    async fn repositories(&self) -> Result<Vec<String>, Failure> {
        self.daemon.ask(Method::GET, "/v1/repositories").await
    }

    async fn jobs(&self) -> Result<Vec<JobName>, Failure> {
        self.daemon.ask(Method::GET, "/v1/jobs").await
    }

    async fn retention(
        &self,
        job: &JobName,
        trial: &Trial,
    ) -> Result<Option<RetentionPlan>, Failure> {
        let path = format!("/v1/jobs/{job}/retention");
        self.daemon
            .patient()
            .send(Method::POST, &path, None, trial)
            .await
    }

    async fn hold(&self, name: &SnapshotName, reason: &str) -> Result<HoldInfo, Failure> {
        let path = format!("/v1/snapshots/{name}/hold");
        let reason = HoldReason {
            reason: reason.to_owned(),
        };
        self.daemon
            .patient()
            .send(Method::PUT, &path, None, &reason)
            .await
    }

    async fn release(&self, name: &SnapshotName) -> Result<bool, Failure> {
        let path = format!("/v1/snapshots/{name}/hold");
        let released: Released = self.daemon.patient().ask(Method::DELETE, &path).await?;
        Ok(released.was_held)
    }

    async fn forget(&self, request: &ForgetRequest, task: &Task) -> Result<ForgetReport, Failure> {
        let request = TaskRequest::Forget(request.clone());
        self.one(&request, task, |report| match report {
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
        self.one(&request, task, |report| match report {
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
    async fn of_repository<A: DeserializeOwned>(
        &self,
        repository: &str,
        what: &str,
        task: &Task,
    ) -> Result<A, Failure> {
        let path = format!("/v1/repositories/{repository}/{what}");
        let daemon = self.daemon.patient();
        tokio::select! {
            answer = daemon.ask(Method::GET, &path) => answer,
            () = task.cancel.cancelled() => {
                Err(Failure::new(Code::Interrupted, "stopped"))
            }
        }
    }
}

/// A run's id as part of a path: whatever else somebody typed is no id.
fn segment(run: &str) -> Result<&str, Failure> {
    let none = || Failure::new(Code::NoRun, format!("there is no run `{run}`"));
    is_word(run).then_some(run).ok_or_else(none)
}

/// A token's id, likewise. What is no id may be a whole token, and is not repeated.
fn token_segment(id: &str) -> Result<&str, Failure> {
    let none = || Failure::new(Code::NoToken, "that is not the id of a token");
    is_word(id).then_some(id).ok_or_else(none)
}

pub(super) fn is_word(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// What is asked for, as a query.
fn as_query(query: &impl Serialize) -> Result<String, Failure> {
    serde_urlencoded::to_string(query).map_err(|error| Failure::from_error(Code::Bug, &error))
}

/// A selection as part of a query; none for all.
fn selected(selection: &Selection) -> String {
    match selection {
        Selection::All => String::new(),
        one => format!("&select={one}"),
    }
}
