//! Who counts: the records that the root key signs, and how one follows another.

mod check;
mod edit;
mod proof;
mod record;

pub use edit::{
    Accepted, Edit, EditError, KeyFileName, NewAdministrator, NewKeyFile, NewKeys, NewWriter,
    WithoutAdministrator,
};
pub use proof::ProofError;
pub use record::{
    Administrator, AdministratorKind, CanaryFile, Epoch, KeyFile, LastForget, LastPrune,
    LastRecord, PrunePart, Removal, RepositoryRecord, Role, TrustRecord, UnknownKind, Writer,
};
