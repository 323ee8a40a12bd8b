//! The rolling verification of one job: some snapshots each time, so that all of them are looked
//! at again within the window that the configuration sets.
//!
//! Always at the level `storage`: this host holds no key. Each verdict is remembered as soon as
//! it is known, so that a round which is cut short was not for nothing. A store that cannot be
//! reached ends the round and is no verdict on anything.

use std::collections::BTreeSet;

use backup_core::{
    ops::{OpError, Verification, Verifier},
    repo::{RepoError, Repository},
};
use backup_model::{
    Code, Event, Failure, JobName, RunOutcome, Selection, SnapshotName, Verdict, VerifyReport,
};
use backupd_api::Task as Work;

use super::{
    rounds::{Rounds, due, waiting},
    work::{note, place},
};
use crate::{
    clock,
    daemon::InForce,
    ledger::{Ending, Ledger, LedgerError, Verified},
};

/// One round of a job.
pub(super) async fn round(
    job: &JobName,
    in_force: &InForce,
    ledger: &Ledger,
    work: &Work,
) -> Result<Ending, Failure> {
    let Some(config) = in_force.config.jobs.get(job) else {
        note(work, "the configuration has no such job any more");
        return Ok(Ending::new(RunOutcome::Skipped));
    };
    let name = config.repository.as_str();
    let repository = in_force.access.open(place(in_force, name)?).await?;
    let selection = Selection::Job(job.clone());
    let begun = Verification::begin(&repository, &selection, &Verifier::Storage).await;
    let verification = match begun {
        Err(error) if error.code() == Code::NoJob => {
            note(work, "there is no snapshot yet");
            return Ok(Ending::new(RunOutcome::Succeeded));
        }
        begun => begun.map_err(|error| error.to_failure())?,
    };
    let there = verification.snapshots();
    let present = there.iter().map(|(name, _)| name.clone()).collect();
    let memory = keep_memory(ledger, name, job, present).await;
    let memory = memory.map_err(|error| Failure::from_error(error.code(), &error))?;

    let now = clock::now();
    let window = config.verify.full_coverage;
    let timing = in_force.config.upkeep.verify.as_ref();
    let rounds = Rounds::after(now, timing.map(|timing| &timing.schedule), window);
    let (good, bad): (Vec<_>, Vec<_>) = there.iter().cloned().partition(|it| it.1.is_some());
    let good: Vec<_> = good
        .into_iter()
        .filter_map(|it| Some((it.0, it.1?)))
        .collect();
    // To see that a record is bad takes no reading.
    let mut names: Vec<_> = bad.into_iter().map(|(name, _)| name).collect();
    names.extend(due(waiting(&good, &memory, now), &rounds, window));
    note(
        work,
        format!("{} of {} snapshots are due", names.len(), there.len()),
    );
    let memory = Memory { ledger, name };
    look(verification, &repository, &names, memory, work).await
}

/// Verifies a snapshot that was just made.
pub(in crate::daemon) async fn verify_new(
    snapshot: &SnapshotName,
    in_force: &InForce,
    ledger: &Ledger,
    work: &Work,
) -> Result<Ending, Failure> {
    let name = in_force.access.job(&snapshot.job)?.repository.as_str();
    let repository = in_force.access.open(place(in_force, name)?).await?;
    let selection = Selection::One(snapshot.clone());
    let begun = Verification::begin(&repository, &selection, &Verifier::Storage).await;
    let verification = begun.map_err(|error| error.to_failure())?;
    let memory = Memory { ledger, name };
    let names = [snapshot.clone()];
    look(verification, &repository, &names, memory, work).await
}

/// Where verdicts on a repository's snapshots go.
#[derive(Clone, Copy)]
struct Memory<'a> {
    ledger: &'a Ledger,
    name: &'a str,
}

/// What is remembered of a repository, less what is gone of this job: with it goes the memory.
async fn keep_memory(
    ledger: &Ledger,
    repository: &str,
    job: &JobName,
    mut present: BTreeSet<SnapshotName>,
) -> Result<Vec<Verified>, LedgerError> {
    let memory = ledger.verified(repository).await?;
    let gone = |one: &Verified| one.snapshot.job == *job && !present.contains(&one.snapshot);
    if memory.iter().any(gone) {
        let others = memory.iter().filter(|one| one.snapshot.job != *job);
        present.extend(others.map(|one| one.snapshot.clone()));
        ledger.keep_verified(repository, present).await?;
    }
    Ok(memory)
}

/// Verifies these, and remembers each.
async fn look(
    mut verification: Verification<'_>,
    repository: &Repository,
    names: &[SnapshotName],
    memory: Memory<'_>,
    work: &Work,
) -> Result<Ending, Failure> {
    let (mut damaged, mut untested, mut away) = (Vec::new(), 0, None);
    for name in names {
        let looked = verification.snapshot(name, &work.progress, &work.cancel);
        let report = match looked.await {
            // It went while others were read.
            Err(OpError::Repo(RepoError::Forgotten { .. })) => continue,
            looked => looked.map_err(|error| error.to_failure())?,
        };
        if let Verdict::Untested { reason } = &report.verdict {
            // Is it this snapshot that cannot be read, or everything?
            if repository.jobs().await.is_err() {
                away = Some(reason.clone());
                break;
            }
            work.progress.event(Event::Warned(reason.clone()));
            untested += 1;
        }
        let one = Verified::of(&report, clock::now());
        // Else it is looked at once more, before it would be due.
        if let Err(error) = memory.ledger.remember(memory.name, vec![one]).await {
            let warning = Failure::from_error(error.code(), &error);
            work.progress.event(Event::Warned(warning));
        }
        if matches!(report.verdict, Verdict::Damaged { .. }) {
            damaged.push(report);
        }
    }
    if !damaged.is_empty() {
        return Ok(Ending {
            failure: Some(damage(&damaged)),
            ..Ending::new(RunOutcome::Failed)
        });
    }
    if let Some(reason) = away {
        return Err(reason);
    }
    Ok(Ending::new(if untested == 0 {
        RunOutcome::Succeeded
    } else {
        RunOutcome::Warnings
    }))
}

/// What is said of snapshots that are bad.
fn damage(reports: &[VerifyReport]) -> Failure {
    const CAUSES: usize = 20;
    let names: Vec<_> = reports.iter().map(|it| it.snapshot.to_string()).collect();
    let are = if names.len() == 1 { "is" } else { "are" };
    let faults = reports.iter().filter_map(|report| match &report.verdict {
        Verdict::Damaged { faults } => Some(faults),
        _ => None,
    });
    let faults = faults.flatten().map(ToString::to_string);
    Failure {
        code: Code::Damaged,
        message: format!("{} {are} damaged", names.join(", ")),
        causes: faults.take(CAUSES).collect(),
    }
}
