//! Questions, as the daemon is asked them.

use std::sync::Arc;

use backup_model::{AuditQuery, Code, Failure, RunKind, RunPage, RunQuery, Selection};
use backupd_api::{DiffRequest, HttpService, LsRequest, Service as _, Task};
use tokio_util::sync::CancellationToken;

use super::{deed::order, key::Keyring};
use crate::state::{Answer, Growing, Keep, Question};

/// So many runs, and entries of the audit log, are in sight at once.
const PAGE: u32 = 500;

/// Work that ends when the window does.
fn unheard() -> Task {
    Task::unheard(CancellationToken::new())
}

pub(super) async fn answer(
    service: &HttpService,
    keyring: &Keyring,
    question: &Question,
) -> Result<Answer, Failure> {
    Ok(match question {
        Question::Caller => Answer::Caller(service.caller().await?),
        Question::Health => Answer::Health(service.health().await?),
        Question::Configuration => Answer::Configuration(service.configuration().await?),
        Question::Channels => Answer::Channels(service.channels().await?),
        Question::Dues(job) => Answer::Dues(service.dues(job).await?),
        Question::Retention(job, keep) => {
            let trial = keep.map(Keep::trial).unwrap_or_default();
            let plan = service.retention(job, &trial).await?;
            Answer::Retention(plan.map(Box::new))
        }
        Question::Runs(job) => {
            let query = RunQuery {
                job: job.clone(),
                ..RunQuery::default()
            };
            Answer::Runs(runs(service, query).await?)
        }
        Question::Verifications => Answer::Runs(of_kind(service, RunKind::Verify).await?),
        Question::Restores => Answer::Runs(of_kind(service, RunKind::Restore).await?),
        Question::Run(run) => Answer::Run(service.run(&run.to_string()).await?),
        Question::RunLog(run) => Answer::RunLog(service.run_log(&run.to_string(), 0).await?),
        Question::Snapshots => Answer::Snapshots(service.snapshots(&Selection::All).await?),
        Question::Snapshot(name) => Answer::Snapshot(service.snapshot(name, None).await?),
        Question::Tasks => Answer::Tasks(service.tasks().await?),
        Question::Keys(repository) => Answer::Keys(service.keys(repository).await?),
        Question::Audit(before) => {
            let query = AuditQuery {
                before: *before,
                limit: Some(PAGE),
                ..AuditQuery::default()
            };
            Answer::Audit(service.audit(&query).await?)
        }
        Question::AuditCheck => Answer::AuditCheck(service.check_audit().await?),
        Question::Contents(_)
        | Question::Tree(_)
        | Question::Differences(..)
        | Question::Plan(_) => opened(service, keyring, question).await?,
    })
}

/// What takes the key that is open.
async fn opened(
    service: &HttpService,
    keyring: &Keyring,
    question: &Question,
) -> Result<Answer, Failure> {
    Ok(match question {
        Question::Contents(name) => {
            let one = Selection::One(name.clone());
            let keys = keyring.unwrap(service, &one).await?;
            Answer::Contents(service.snapshot(name, Some(&keys)).await?)
        }
        Question::Tree(name) => {
            let one = Selection::One(name.clone());
            let request = LsRequest {
                snapshot: name.clone(),
                path: None,
                recursive: true,
                keys: keyring.unwrap(service, &one).await?,
            };
            let mut growing = Growing::default();
            let mut add = |entry| growing.add(&entry);
            service.ls(&request, &mut add, &unheard()).await?;
            Answer::Tree(Arc::new(growing.done()))
        }
        Question::Differences(before, after) => {
            // The later one's epochs include those of the earlier one of the same job.
            let job = Selection::Job(after.job.clone());
            let request = DiffRequest {
                before: before.clone(),
                after: after.clone(),
                path: None,
                keys: keyring.unwrap(service, &job).await?,
            };
            let mut all = Vec::new();
            let mut add = |difference| all.push(difference);
            service.diff(&request, &mut add, &unheard()).await?;
            Answer::Differences(Arc::new(all))
        }
        Question::Plan(wanted) => {
            let order = order(service, keyring, wanted).await?;
            Answer::Plan(service.plan_restore(&order).await?)
        }
        _ => return Err(Failure::new(Code::Bug, "this takes no key")),
    })
}

async fn of_kind(service: &HttpService, kind: RunKind) -> Result<RunPage, Failure> {
    let query = RunQuery {
        kind: Some(kind),
        ..RunQuery::default()
    };
    runs(service, query).await
}

async fn runs(service: &HttpService, query: RunQuery) -> Result<RunPage, Failure> {
    let limit = Some(PAGE);
    service.runs(&RunQuery { limit, ..query }).await
}
