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

const BASE: Configuration = Configuration {
    name: "one writer",
    jobs: &[0],
    pruners: 1,
    readers: 0,
    parts: 1,
    holds: false,
    readers_check_plans: true,
    left: left([2, 1, 1], [0, 1, 1, 1]),
    mutant: None,
};

const fn left([runs, changes, prunes]: [u8; 3], [reads, crashes, aborts, delays]: [u8; 4]) -> Left {
    Left {
        runs,
        changes,
        prunes,
        reads,
        crashes,
        aborts,
        delays,
    }
}

/// The protocol as it is, and how much more happens in the long form.
pub(crate) const WHOLE: [(Configuration, Left); 8] = [
    (BASE, left([2, 2, 2], [0, 1, 0, 1])),
    (
        Configuration {
            name: "three runs",
            left: left([3, 1, 1], [0, 0, 0, 0]),
            ..BASE
        },
        left([3, 2, 2], [0, 0, 0, 0]),
    ),
    (
        Configuration {
            name: "two writers of a job",
            jobs: &[0, 0],
            left: left([2, 1, 1], [0, 1, 0, 0]),
            ..BASE
        },
        left([2, 1, 1], [0, 1, 0, 1]),
    ),
    (
        Configuration {
            name: "two jobs",
            jobs: &[0, 1],
            left: left([2, 1, 1], [0, 0, 0, 0]),
            ..BASE
        },
        left([2, 1, 1], [0, 1, 0, 1]),
    ),
    (
        Configuration {
            name: "two pruners",
            pruners: 2,
            left: left([2, 1, 2], [0, 0, 0, 0]),
            ..BASE
        },
        left([2, 1, 2], [0, 1, 0, 0]),
    ),
    (
        Configuration {
            name: "two readers",
            readers: 2,
            left: left([1, 1, 1], [2, 1, 0, 1]),
            ..BASE
        },
        left([2, 1, 1], [2, 1, 0, 0]),
    ),
    (
        Configuration {
            name: "two packs a run",
            parts: 2,
            left: left([2, 1, 1], [0, 1, 0, 0]),
            ..BASE
        },
        left([3, 1, 1], [0, 0, 0, 0]),
    ),
    (
        Configuration {
            name: "holds",
            holds: true,
            readers: 1,
            left: left([2, 3, 1], [1, 0, 0, 0]),
            ..BASE
        },
        left([2, 3, 1], [1, 1, 0, 0]),
    ),
];

/// With pins last, a reader needs no look at plans; with it, the order of pins does not matter.
pub(crate) const SPARE: [Configuration; 2] = [
    Configuration {
        name: "readers do not check plans",
        readers_check_plans: false,
        ..READ
    },
    Configuration {
        name: "pins before forget, readers check plans",
        mutant: Some(Mutant::PinsBeforeForget),
        ..READ
    },
];

const READ: Configuration = Configuration {
    readers: 1,
    left: left([2, 1, 1], [1, 0, 0, 0]),
    ..BASE
};

/// A rule left out, and the least that is needed to tell.
pub(crate) fn mutants() -> Vec<Configuration> {
    let one_run = left([1, 1, 1], [0, 0, 0, 0]);
    let resumed = left([2, 0, 1], [0, 1, 0, 0]);
    let known = left([2, 1, 1], [0, 0, 0, 0]);
    let with = |mutant, name, left| Configuration {
        name,
        left,
        mutant: Some(mutant),
        ..BASE
    };
    let read = |mutant, name| Configuration {
        name,
        mutant: Some(mutant),
        ..READ
    };
    vec![
        with(Mutant::PlansIgnored, "plans ignored", resumed),
        with(Mutant::NoSession, "no session record", known),
        with(Mutant::NoWaiting, "the pruner does not wait", one_run),
        with(
            Mutant::TimeOutWithoutFence,
            "a time-out without a fence",
            one_run,
        ),
        with(Mutant::NoSecondLook, "no second look", one_run),
        with(
            Mutant::PlansBeforeSession,
            "plans read before the session",
            resumed,
        ),
        with(
            Mutant::SessionsBeforePlan,
            "sessions listed before the plan",
            resumed,
        ),
        with(Mutant::FinalsIgnored, "a stored final ignored", resumed),
        with(
            Mutant::ForgottenHonoured,
            "a forgotten record honoured",
            left([1, 1, 1], [0, 0, 0, 1]),
        ),
        Configuration {
            parts: 2,
            ..with(
                Mutant::RefsWithoutNonce,
                "refs without a nonce",
                left([3, 1, 1], [0, 0, 0, 0]),
            )
        },
        with(
            Mutant::UnchangedIgnoresPlans,
            "unchanged files ignore plans",
            known,
        ),
        read(Mutant::PinAfterChecks, "a pin after both checks"),
        Configuration {
            readers_check_plans: false,
            ..read(Mutant::PinsBeforeForget, "pins read before forget")
        },
        with(Mutant::DoneAfterFinal, "done read after final", resumed),
        with(Mutant::NoLastLook, "success without the last look", one_run),
        with(
            Mutant::PreviousNotRequired,
            "the number before not required",
            resumed,
        ),
    ]
}
