//! A backup by the configuration: the engine's, within the job's limit, with its hooks around it.
//!
//! Hooks come first and last: one may mount what is read, or open the way to the repository.

use std::{sync::Arc, time::Duration};

use backup_core::{ops, repo::Host};
use backup_model::{BackupReport, Class, Code, Failure, JobName, Progress, RunId};
use backupd_api::Task;
use tokio::time;
use tokio_util::sync::CancellationToken;

use super::{Access, sources};
use crate::{
    clock,
    config::JobConfig,
    hooks::{self, HookContext},
};

/// Runs a job once; `run` is what the ledger calls it.
pub(super) async fn backup(
    access: &Access,
    name: &JobName,
    run: Option<RunId>,
    task: &Task,
) -> Result<BackupReport, Failure> {
    let config = access.job(name)?;
    let context = HookContext {
        job: name.clone(),
        run,
        path: (access.secrets.env)("PATH"),
    };
    let (progress, cancel) = (&task.progress, &task.cancel);
    // A large future, which would make those around it as large.
    let backup = Box::pin(within(config.limit, cancel, |cancel| {
        bare(access, name, config, progress, cancel)
    }));
    hooks::around(&config.hooks, &context, progress.as_ref(), cancel, backup).await
}

async fn bare(
    access: &Access,
    name: &JobName,
    config: &JobConfig,
    progress: &Arc<dyn Progress>,
    cancel: CancellationToken,
) -> Result<BackupReport, Failure> {
    let place = access.place_to_run(name)?;
    let (repository, warning) = place.open_to_write(&access.secrets).await?;
    let host = Host::open(&access.state, repository.id())
        .map_err(|error| Failure::from_error(error.code(), &error))?;
    let job = sources::job(access, name, config).await?;
    let done = ops::backup(&repository, &host, &job, clock::now, progress, &cancel).await;
    let mut report = done.map_err(|error| error.to_failure())?;
    report.warnings.extend(warning);
    Ok(report)
}

/// Does something that can be cancelled, and cancels it when it takes too long. Stopped so, it has
/// failed: nobody asked for that.
async fn within<T, F: Future<Output = Result<T, Failure>>>(
    limit: Option<Duration>,
    cancel: &CancellationToken,
    work: impl FnOnce(CancellationToken) -> F,
) -> Result<T, Failure> {
    let cancel = cancel.child_token();
    let work = work(cancel.clone());
    let Some(limit) = limit else {
        return work.await;
    };
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => done,
        () = time::sleep(limit) => {
            cancel.cancel();
            work.await.map_err(|failure| match failure.code.class() {
                Class::Cancelled => {
                    let text = format!("it took longer than its limit, {} s", limit.as_secs());
                    Failure::new(Code::Failed, text)
                }
                _ => failure,
            })
        }
    }
}
