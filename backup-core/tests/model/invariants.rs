//! What must hold in each state.

use std::fmt;

use crate::configuration::{Configuration, Mutant};
use crate::state::{Number, Record, Run, State};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Invariant {
    /// All that a live snapshot needs is there.
    SnapshotsWhole,
    /// A success that was reported is a live snapshot, or was forgotten as itself.
    SuccessIsTrue,
    /// All that a protected reader needs is there.
    ReadersProtected,
    HeldStays,
    /// Each commit names the end of the number before it.
    ChainUnbroken,
    /// What a `final` names, no live snapshot needs.
    FinalIsFinal,
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SnapshotsWhole => "a live snapshot lacks something",
            Self::SuccessIsTrue => "a reported success is no snapshot",
            Self::ReadersProtected => "a protected reader lacks something",
            Self::HeldStays => "a held snapshot is dead",
            Self::ChainUnbroken => "the chain of `prev` is broken",
            Self::FinalIsFinal => "a live snapshot needs what a final names",
        })
    }
}

impl State {
    /// Commits that count as snapshots.
    pub(crate) fn live(
        &self,
        configuration: &Configuration,
    ) -> impl Iterator<Item = (Number, Run)> {
        let honoured = configuration.is(Mutant::ForgottenHonoured);
        Number::all().filter_map(move |at| match self.ends.get(at) {
            Some(Record::Commit(run)) if honoured || self.dead.get(at).is_none() => Some((at, run)),
            _ => None,
        })
    }

    /// The first invariant that does not hold.
    pub(crate) fn broken(&self, configuration: &Configuration) -> Option<Invariant> {
        let finals = self
            .prune
            .iter()
            .fold(0, |all, generation| all | generation.last.unwrap_or(0));
        for (_, run) in self.live(configuration) {
            if self.needs(run) & !self.names != 0 {
                return Some(Invariant::SnapshotsWhole);
            }
        }
        for (run, signed) in self.runs.iter().enumerate() {
            let ours = Some(Record::Commit(run as Run));
            let end = self.dead.get_or(signed.at, self.ends);
            if signed.reported && end != ours {
                return Some(Invariant::SuccessIsTrue);
            }
        }
        for reader in &self.readers {
            if reader
                .protected()
                .is_some_and(|run| self.needs(run) & !self.names != 0)
            {
                return Some(Invariant::ReadersProtected);
            }
        }
        for (at, run) in self.live(configuration) {
            let end = at
                .previous()
                .and_then(|previous| self.dead.get_or(previous, self.ends));
            if self.runs[usize::from(run)].prev != end || (end.is_none() && at.previous().is_some())
            {
                return Some(Invariant::ChainUnbroken);
            }
        }
        if Number::all().any(|at| self.held.has(at) && self.dead.get(at).is_some()) {
            return Some(Invariant::HeldStays);
        }
        // A mutant must lose something, which this only announces.
        if configuration.mutant.is_none()
            && self
                .live(configuration)
                .any(|(_, run)| self.needs(run) & finals != 0)
        {
            return Some(Invariant::FinalIsFinal);
        }
        None
    }
}
