//! What the run ledger knows of the jobs of a configuration.

use std::collections::BTreeMap;

use backup_model::{JobName, Pause, RunInfo, RunKind, RunOutcome};
use jiff::Timestamp;

use crate::{
    ledger::{Ledger, LedgerError, LedgerReader, Past, Subject, Verified},
    service::{Access, Place},
};

/// Facts out of the ledger.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The past of each job's backups.
    pub past: BTreeMap<JobName, Past>,
    /// The pauses that count.
    pub pauses: BTreeMap<JobName, Pause>,
    /// What was verified, by repository.
    pub verified: BTreeMap<String, Vec<Verified>>,
    /// Whether each store keeps a second writer out, where a probe has found that out.
    pub conditional: BTreeMap<String, bool>,
}

impl Known {
    /// What an open ledger knows.
    pub async fn of(ledger: &Ledger, access: &Access) -> Result<Self, LedgerError> {
        let mut known = Self {
            pauses: ledger.pauses().await?,
            ..Self::default()
        };
        for job in access.jobs.keys() {
            let past = ledger.past(RunKind::Backup, Subject::Job(job.clone()));
            known.past.insert(job.clone(), past.await?);
        }
        for place in &access.places {
            let verified = ledger.verified(&place.name).await?;
            known.verified.insert(place.name.clone(), verified);
            let subject = Subject::Repository(place.name.clone());
            let probe = ledger.last_success(RunKind::Probe, subject).await?;
            known.conditional.extend(conditional(place, probe));
        }
        Ok(known)
    }
}

/// What the last probe that got an answer found: it ends with a warning where several writers
/// could harm each other.
fn conditional(place: &Place, probe: Option<RunInfo>) -> Option<(String, bool)> {
    let holds = probe?.outcome == RunOutcome::Succeeded;
    Some((place.name.clone(), holds))
}

/// What the ledger in the state folder knows, without a daemon. Blocks. No ledger knows nothing.
pub fn read(access: &Access, now: Timestamp) -> Result<Known, LedgerError> {
    let reader = match LedgerReader::open(&access.state) {
        Err(LedgerError::Missing(_)) => return Ok(Known::default()),
        reader => reader?,
    };
    let mut known = Known {
        pauses: reader.pauses(now)?,
        ..Known::default()
    };
    for job in access.jobs.keys() {
        let past = reader.past(RunKind::Backup, &Subject::Job(job.clone()), now)?;
        known.past.insert(job.clone(), past);
    }
    for place in &access.places {
        let verified = reader.verified(&place.name)?;
        known.verified.insert(place.name.clone(), verified);
        let subject = Subject::Repository(place.name.clone());
        let probe = reader.last_success(RunKind::Probe, &subject, now)?;
        known.conditional.extend(conditional(place, probe));
    }
    Ok(known)
}
