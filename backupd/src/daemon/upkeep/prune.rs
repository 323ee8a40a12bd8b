//! Prune of one repository: each run goes as far as can be gone without waiting. One begins a
//! prune, a later one, after its grace, finishes it.
//!
//! Nobody is there to say yes to a plan that takes very much, so that is left to a person.

use backup_model::{Code, Failure, PruneReport, PruneState, RunOutcome};
use backupd_api::{PruneRequest, Service as _, Task as Work};

use super::work::{not_ours, note, place, warned};
use crate::{daemon::InForce, ledger::Ending, service::Direct};

pub(super) async fn go_on(
    repository: &str,
    in_force: &InForce,
    work: &Work,
) -> Result<Ending, Failure> {
    place(in_force, repository)?;
    let request = PruneRequest {
        repository: repository.to_owned(),
        grace_secs: in_force.config.upkeep.prune_grace.as_secs(),
        allow_large: false,
    };
    let service = Direct::new(in_force.access.clone());
    let report = match service.prune(&request, work).await {
        Ok(report) => report,
        Err(mut failure) if failure.code == Code::NotConfirmed => {
            let command = format!("`backupctl prune apply {repository}` shows it, and asks");
            failure.message = format!("{}: {command}", failure.message);
            return Ok(warned(work, failure));
        }
        Err(failure) => return not_ours(failure, work),
    };
    for run in &report.fenced {
        note(work, format!("{run} was past its limit, and is ended"));
    }
    note(work, story(&report));
    if report.retained.objects > 0 {
        let (objects, bytes) = (report.retained.objects, report.retained.bytes);
        let text = format!("the store keeps {objects} objects, {bytes} bytes, that nobody names");
        return Ok(warned(work, Failure::new(Code::Retained, text)));
    }
    Ok(Ending::new(RunOutcome::Succeeded))
}

fn story(report: &PruneReport) -> String {
    let all = report.packs.and(report.lists);
    let (number, objects, bytes) = (report.generation, all.objects, all.bytes);
    match &report.progress {
        PruneState::Nothing => "there is nothing to delete".to_owned(),
        PruneState::Waiting { runs } => {
            let names: Vec<String> = runs.iter().map(|open| open.run.to_string()).collect();
            format!("prune {number} waits for {}", names.join(", "))
        }
        PruneState::Grace { until } => format!(
            "prune {number} has begun: {objects} objects, {bytes} bytes, are not deleted before {until}"
        ),
        PruneState::Done => {
            format!("prune {number} is done: {objects} objects, {bytes} bytes")
        }
        _ => format!("prune {number} goes on"),
    }
}
