//! The work of a task: one call of the service, its reports written into the log. The request,
//! with the identities in it, lives as long as this does, and is wiped with it.

use std::sync::Arc;

use backup_model::{Code, Event, Failure, Progress};
use backupd_api::{Service, Task, TaskLine, TaskReport, TaskRequest};
use tokio_util::sync::CancellationToken;

use super::log::Log;

/// Progress goes into the log.
struct Listening(Arc<Log>);

impl Progress for Listening {
    fn event(&self, event: Event) {
        // A log without room ends its task when a report finds none.
        self.0.add(TaskLine::Progress(event)).ok();
    }
}

/// Writes reports, and stops the work when there is no room for them.
struct Reports {
    log: Arc<Log>,
    full: bool,
    cancel: CancellationToken,
}

impl Reports {
    fn add(&mut self, report: TaskReport) {
        if self.log.add(TaskLine::Report(report)).is_err() {
            self.full = true;
            self.cancel.cancel();
        }
    }
}

/// Does it.
pub(super) async fn run(
    service: Arc<dyn Service>,
    request: TaskRequest,
    actor: String,
    log: Arc<Log>,
    cancel: CancellationToken,
) -> Result<(), Failure> {
    let task = Task {
        progress: Arc::new(Listening(Arc::clone(&log))),
        cancel: cancel.clone(),
        asked_by: Some(actor),
    };
    let mut reports = Reports {
        log,
        full: false,
        cancel,
    };
    let ended = call(&*service, &request, &task, &mut reports).await;
    if reports.full {
        let text = "more was found than the daemon keeps of one task";
        return Err(Failure::new(Code::TooLarge, text));
    }
    ended
}

async fn call(
    service: &dyn Service,
    request: &TaskRequest,
    task: &Task,
    reports: &mut Reports,
) -> Result<(), Failure> {
    match request {
        TaskRequest::Backup { job } => {
            let report = service.backup(job, task).await?;
            reports.add(TaskReport::Backup(report));
        }
        TaskRequest::Verify(request) => {
            let mut report = |found| reports.add(TaskReport::Verify(found));
            service.verify(request, &mut report, task).await?;
        }
        TaskRequest::Restore(order) => {
            let report = service.restore(order, task).await?;
            reports.add(TaskReport::Restore(report));
        }
        TaskRequest::Forget(request) => {
            let report = service.forget(request, task).await?;
            reports.add(TaskReport::Forget(report));
        }
        TaskRequest::Prune(request) => {
            let report = service.prune(request, task).await?;
            reports.add(TaskReport::Prune(report));
        }
    }
    Ok(())
}
