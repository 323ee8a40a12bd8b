//! Who counts: the records that the root key signs, and how one follows another.

mod change;
mod check;
mod edit;
mod proof;
mod record;
mod writer;

pub use change::{Change, ChangeError, Known, KnownError, NotAccepted, RootSigner, SeenTrust};
pub use edit::{
    Edit, EditError, KeyFileName, NewAdministrator, NewKeyFile, NewKeys, NewWriter,
    WithoutAdministrator,
};
pub use proof::ProofError;
pub use record::{
    Administrator, AdministratorKind, CanaryFile, Epoch, KeyFile, RepositoryRecord, TrustRecord,
    UnknownKind,
};
pub use writer::{
    Accepted, AcceptedRun, AcceptedRuns, LastForget, LastPrune, PrunePart, Removal, Role, Writer,
};
