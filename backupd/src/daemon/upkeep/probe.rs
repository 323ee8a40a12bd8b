//! The probe of one store: does it keep a second writer out?
//!
//! The answer is how the run ended, and needs no place of its own: with a warning where several
//! writers could harm each other. A store that could not be asked says nothing about that.

use backup_core::store;
use backup_model::{Failure, RunOutcome};
use backupd_api::Task as Work;

use super::work::{note, place, warned};
use crate::{daemon::InForce, ledger::Ending, storage};

pub(super) async fn ask(
    repository: &str,
    in_force: &InForce,
    work: &Work,
) -> Result<Ending, Failure> {
    let place = place(in_force, repository)?;
    // Not a word is written to a place that is no repository of ours.
    let secrets = &in_force.access.secrets;
    place.open(secrets).await?;
    let store = place.store(secrets).await?;
    if place.single_writer {
        // The configuration knows better: a store that only loses races may look good today.
        return Ok(warned(work, storage::single_writer(store).1));
    }
    let found = store::probe(&store).await;
    let found = found.map_err(|error| storage::failure(&error))?;
    note(
        work,
        format!(
            "create-if-absent {}, {} of 8 won a race",
            if found.honoured {
                "holds"
            } else {
                "is ignored"
            },
            found.winners
        ),
    );
    if found.is_good() {
        return Ok(Ending::new(RunOutcome::Succeeded));
    }
    Ok(warned(work, storage::single_writer(store).1))
}
