//! What each operation must make of a damaged object of each kind.

use backup_model::Code;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// All well: this operation does not look at such objects.
    Fine,
    /// One of these codes.
    Codes(&'static [Code]),
    /// The run has no end: nothing to verify, nothing to restore.
    NoEnd,
}
use Says::{Codes, Fine, NoEnd};

/// What each operation says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) open: Says,
    pub(super) list: Says,
    pub(super) storage: Says,
    pub(super) data: Says,
    pub(super) restore: Says,
}

pub(super) const FINE: Row = Row {
    open: Fine,
    list: Fine,
    storage: Fine,
    data: Fine,
    restore: Fine,
};
pub(super) const DAMAGED: Says = Codes(&[Code::Damaged]);
pub(super) const RECORD: Says = Codes(&[Code::RepositoryDamaged]);
/// Nothing can be done with a repository that does not open.
pub(super) const CLOSED: Row = Row {
    open: RECORD,
    ..FINE
};
/// A changed first line may name another key or a newer format before anything is proven.
pub(super) const ROOT: Row = Row {
    open: Codes(&[
        Code::RepositoryDamaged,
        Code::RepositoryNewer,
        Code::NotTrusted,
    ]),
    ..FINE
};
pub(super) const BAD_RECORD: Row = Row {
    open: Fine,
    list: RECORD,
    storage: RECORD,
    data: RECORD,
    restore: RECORD,
};
pub(super) const NO_RECORD: Row = Row {
    open: Fine,
    list: DAMAGED,
    storage: DAMAGED,
    data: DAMAGED,
    restore: DAMAGED,
};

/// A kind of object: which one stands for it, what is said when it is missing, and what when
/// it is there but not as it was.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) missing: Row,
    pub(super) changed: Row,
}

/// Storage needs no key, and looks at what a snapshot names: record, recipe, refs, packs. Key
/// files are named by trust, and first looked at by who brings an identity; canaries only when
/// keys are tested. A session's end makes it history that nothing reads again.
pub(super) const KINDS: [Kind; 12] = [
    Kind {
        name: "repository.json",
        missing: Row {
            open: Codes(&[Code::NotARepository]),
            ..FINE
        },
        changed: ROOT,
    },
    Kind {
        name: "trust",
        missing: CLOSED,
        changed: CLOSED,
    },
    Kind {
        name: "key file",
        missing: Row {
            data: DAMAGED,
            restore: DAMAGED,
            ..FINE
        },
        changed: Row {
            data: RECORD,
            restore: RECORD,
            ..FINE
        },
    },
    Kind {
        name: "canary",
        missing: FINE,
        changed: FINE,
    },
    Kind {
        name: "session with an end",
        missing: FINE,
        changed: FINE,
    },
    Kind {
        name: "session without an end",
        // Nobody can tell that there ever was such a run.
        missing: FINE,
        changed: BAD_RECORD,
    },
    Kind {
        name: "first record",
        missing: NO_RECORD,
        changed: BAD_RECORD,
    },
    Kind {
        name: "middle record",
        missing: NO_RECORD,
        changed: BAD_RECORD,
    },
    Kind {
        name: "newest record",
        // With its session it looks like a run that died. Only proofs, kept elsewhere, tell.
        missing: Row {
            open: Fine,
            list: NoEnd,
            storage: NoEnd,
            data: NoEnd,
            restore: NoEnd,
        },
        changed: BAD_RECORD,
    },
    Kind {
        name: "recipe",
        missing: Row {
            list: Fine,
            ..NO_RECORD
        },
        changed: Row {
            list: Fine,
            ..NO_RECORD
        },
    },
    Kind {
        name: "refs",
        // The recipe has all that a restore needs.
        missing: Row {
            list: Fine,
            restore: Fine,
            ..NO_RECORD
        },
        changed: Row {
            list: Fine,
            restore: Fine,
            ..NO_RECORD
        },
    },
    Kind {
        name: "pack",
        missing: Row {
            list: Fine,
            ..NO_RECORD
        },
        changed: Row {
            list: Fine,
            ..NO_RECORD
        },
    },
];
