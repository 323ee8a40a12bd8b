//! What a verification found, on its way into the ledger's memory of what was verified when.

use std::collections::BTreeMap;

use backup_model::{Code, Failure, RunBytes, RunOutcome, Verdict, VerifyReport};

use crate::{
    clock,
    ledger::{Ending, Ledger, Verified},
    service::Access,
};

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    found: Vec<Verified>,
    read_bytes: u64,
    damaged: Vec<String>,
    untested: u64,
}

impl Tally {
    pub(super) fn add(&mut self, report: &VerifyReport) {
        self.read_bytes += report.read_bytes.max(report.stored_bytes);
        match report.verdict {
            Verdict::Good => {}
            Verdict::Damaged { .. } => self.damaged.push(report.snapshot.to_string()),
            _ => self.untested += 1,
        }
        self.found.push(Verified::of(report, clock::now()));
    }

    /// Has the ledger remember it. Losing it costs that it is verified once more.
    pub(super) async fn remember(&mut self, access: &Access, ledger: &Ledger) {
        let mut by_repository: BTreeMap<String, Vec<Verified>> = BTreeMap::new();
        for one in self.found.drain(..) {
            let mut places = access.places_of(Some(&one.snapshot.job));
            if let Some(place) = places.next() {
                let name = place.name.clone();
                drop(places);
                by_repository.entry(name).or_default().push(one);
            }
        }
        for (repository, found) in by_repository {
            if let Err(error) = ledger.remember(&repository, found).await {
                tracing::warn!(%repository, %error, "what was verified is not remembered");
            }
        }
    }

    /// How the run ended that found it: damage is a failure, and what could not be tested a
    /// warning.
    pub(super) fn ending(&self) -> Ending {
        let outcome = match (self.damaged.is_empty(), self.untested) {
            (true, 0) => RunOutcome::Succeeded,
            (true, _) => RunOutcome::Warnings,
            (false, _) => RunOutcome::Failed,
        };
        let failure = self.damaged.first().map(|first| {
            let text = match self.damaged.len() {
                1 => format!("{first} is damaged"),
                all => format!("{first} and {} more are damaged", all - 1),
            };
            Failure::new(Code::Damaged, text)
        });
        Ending {
            bytes: Some(RunBytes {
                read_bytes: self.read_bytes,
                ..RunBytes::default()
            }),
            failure,
            ..Ending::new(outcome)
        }
    }
}
