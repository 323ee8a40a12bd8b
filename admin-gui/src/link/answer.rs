//! Questions, as the daemon is asked them.

use backup_model::{AuditQuery, Failure, RunKind, RunQuery, Selection};
use backupd_api::{HttpService, Service as _};

use super::{deed::order, key::Keyring};
use crate::state::{Answer, Question};

/// So many runs, and entries of the audit log, are in sight at once.
const PAGE: u32 = 500;

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
        Question::Runs(job) => {
            let query = RunQuery {
                job: job.clone(),
                limit: Some(PAGE),
                ..RunQuery::default()
            };
            Answer::Runs(service.runs(&query).await?)
        }
        Question::Verifications => {
            let query = RunQuery {
                kind: Some(RunKind::Verify),
                limit: Some(PAGE),
                ..RunQuery::default()
            };
            Answer::Runs(service.runs(&query).await?)
        }
        Question::Run(run) => Answer::Run(service.run(&run.to_string()).await?),
        Question::RunLog(run) => Answer::RunLog(service.run_log(&run.to_string(), 0).await?),
        Question::Snapshots => Answer::Snapshots(service.snapshots(&Selection::All).await?),
        Question::Snapshot(name) => Answer::Snapshot(service.snapshot(name, None).await?),
        Question::Contents(name) => {
            let one = Selection::One(name.clone());
            let keys = keyring.unwrap(service, &one).await?;
            Answer::Contents(service.snapshot(name, Some(&keys)).await?)
        }
        Question::Plan(wanted) => {
            let order = order(service, keyring, wanted).await?;
            Answer::Plan(service.plan_restore(&order).await?)
        }
        Question::Restores => {
            let query = RunQuery {
                kind: Some(RunKind::Restore),
                limit: Some(PAGE),
                ..RunQuery::default()
            };
            Answer::Runs(service.runs(&query).await?)
        }
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
    })
}
