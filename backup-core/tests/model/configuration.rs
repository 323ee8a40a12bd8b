//! What is searched: how many of each actor, how much may happen, and which rule of the protocol,
//! if any, is left out.

use crate::state::Left;

/// A rule of the protocol that is broken on purpose: each must be found by a violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    PlansIgnored,
    NoSession,
    NoWaiting,
    TimeOutWithoutFence,
    NoSecondLook,
    PlansBeforeSession,
    SessionsBeforePlan,
    FinalsIgnored,
    ForgottenHonoured,
    RefsWithoutNonce,
    UnchangedIgnoresPlans,
    PinAfterChecks,
    PinsBeforeForget,
    DoneAfterFinal,
    NoLastLook,
    PreviousNotRequired,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Configuration {
    pub(crate) name: &'static str,
    /// The job of each writer: two of one job are two hosts.
    pub(crate) jobs: &'static [u8],
    pub(crate) pruners: u8,
    pub(crate) readers: u8,
    /// Parts of a source, each with a pack of its own.
    pub(crate) parts: usize,
    /// Snapshots are held and released too.
    pub(crate) holds: bool,
    /// A reader checks that no unfinished plan names what it is about to read.
    pub(crate) readers_check_plans: bool,
    pub(crate) left: Left,
    pub(crate) mutant: Option<Mutant>,
}

impl Configuration {
    pub(crate) fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}

/// One writer, one pruner, and one of most things that can go wrong.
pub(crate) const SMALL: Configuration = Configuration {
    name: "one writer",
    jobs: &[0],
    pruners: 1,
    readers: 0,
    parts: 1,
    holds: false,
    readers_check_plans: true,
    left: Left { runs: 2, changes: 1, prunes: 1, reads: 0, crashes: 1, delays: 1 },
    mutant: None,
};
