//! Retention of one job: plans by its policy, and forgets what goes.
//!
//! The plan is the engine's; what is held stays whatever it says. A host whose key may not
//! maintain leaves it to one whose key may.

use backup_model::{Event, Failure, JobName, RunOutcome, Why};
use backupd_api::{ForgetRequest, Service as _, Task as Work, Trial};

use super::work::{not_ours, note};
use crate::{daemon::InForce, ledger::Ending, service::Direct};

pub(super) async fn apply(
    job: &JobName,
    in_force: &InForce,
    work: &Work,
) -> Result<Ending, Failure> {
    let service = Direct::new(in_force.access.clone());
    let Some(plan) = service.retention(job, &Trial::default()).await? else {
        note(work, "the job has no policy any more");
        return Ok(Ending::new(RunOutcome::Skipped));
    };
    if plan.paused.is_some() {
        let text = format!("nothing goes for now: `backupctl retention preview {job}` says why");
        note(work, text);
    }
    let gone = plan.gone().map(|verdict| verdict.snapshot.clone());
    let mut snapshots: Vec<_> = gone.collect();
    // The oldest first.
    snapshots.reverse();
    if snapshots.is_empty() {
        return Ok(Ending::new(RunOutcome::Succeeded));
    }
    let request = ForgetRequest {
        snapshots,
        why: Why::Retention,
    };
    let report = match service.forget(&request, work).await {
        Ok(report) => report,
        Err(failure) => return not_ours(failure, work),
    };
    for name in &report.forgotten {
        note(work, format!("forgot {name}"));
    }
    let whole = report.left.is_empty();
    for left in report.left {
        work.progress.event(Event::Warned(left));
    }
    Ok(Ending::new(if whole {
        RunOutcome::Succeeded
    } else {
        RunOutcome::Warnings
    }))
}
