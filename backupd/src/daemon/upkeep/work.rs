//! One task of upkeep, whichever it is; and the words that all of them have for how it went.
//!
//! What comes back as an ending is decided: a snapshot that is damaged stays so, and what is not
//! this host's to do will not be in five minutes. A failure may go better the next time.

use backup_model::{Code, Event, Failure, RunOutcome};
use backupd_api::Task as Work;

use super::{probe, prune, retention, verify};
use crate::{
    daemon::InForce,
    ledger::{Ending, Ledger},
    schedule::Task,
    service::Place,
};

/// Does one task. Backups are not among them.
pub(in crate::daemon) async fn work(
    task: &Task,
    in_force: &InForce,
    ledger: &Ledger,
    work: &Work,
) -> Result<Ending, Failure> {
    match task {
        Task::Retention(job) => retention::apply(job, in_force, work).await,
        Task::Prune(repository) => prune::go_on(repository, in_force, work).await,
        Task::Verify(job) => verify::round(job, in_force, ledger, work).await,
        Task::Probe(repository) => probe::ask(repository, in_force, work).await,
        Task::Backup(_) => Err(Failure::new(Code::Bug, format!("{task} is no upkeep"))),
    }
}

/// The repository of this name.
pub(super) fn place<'a>(in_force: &'a InForce, repository: &str) -> Result<&'a Place, Failure> {
    let mut places = in_force.access.places.iter();
    let found = places.find(|place| place.name == repository);
    found.ok_or_else(|| {
        let text = format!("the configuration has no repository `{repository}` any more");
        Failure::new(Code::Config, text)
    })
}

/// Writes a line into the run's log.
pub(super) fn note(work: &Work, text: impl Into<String>) {
    work.progress.event(Event::Noted { text: text.into() });
}

/// An end with something to be said about it.
pub(super) fn warned(work: &Work, warning: Failure) -> Ending {
    work.progress.event(Event::Warned(warning));
    Ending::new(RunOutcome::Warnings)
}

/// A host whose key may only write leaves the rest to another one, and is right to.
pub(super) fn not_ours(failure: Failure, work: &Work) -> Result<Ending, Failure> {
    if failure.code != Code::WriterRefused {
        return Err(failure);
    }
    let why = [&[failure.message], failure.causes.as_slice()].concat();
    let text = format!(
        "this is for a host that may maintain the repository: {}",
        why.join(": ")
    );
    note(work, text);
    Ok(Ending::new(RunOutcome::Skipped))
}
