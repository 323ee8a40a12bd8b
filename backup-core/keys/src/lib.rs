//! Keys: make, wrap, unwrap, sign, check; the records that say which keys count.
//!
//! Everything that decides who may read and who may write is here, without a store and without
//! the engine, so that an administrator's program can do it alone. Cryptography is the `age` and
//! `minisign` crates'; this crate says what is signed, for which place, and by whom.

pub mod administrator;
mod age_key;
mod bech32_text;
mod digest;
mod epoch;
pub mod kit;
pub mod names;
mod opened;
mod private_file;
mod record;
mod signing;
mod trust;
mod unwrap;

pub use age_key::{AgeKeyError, Identity, Recipient};
pub use bech32_text::TextFault;
pub use epoch::{Canary, EpochError, NewEpoch, OpensKeyFiles, canary_digest, open_epoch_key};
pub use opened::OpenedKeyFiles;
pub use private_file::{PrivateFileError, read_private, read_private_bytes, write_private};
pub use record::{Record, RecordError, RecordKind};
pub use signing::{PublicKey, SecretKey, SigningError};
pub use trust::{
    Accepted, AcceptedRun, AcceptedRuns, Administrator, AdministratorKind, CanaryFile, Change,
    ChangeError, Edit, EditError, Epoch, KeyFile, KeyFileName, Known, KnownError, LastForget,
    LastPrune, NewAdministrator, NewKeyFile, NewKeys, NewWriter, NotAccepted, ProofError,
    PrunePart, Removal, RepositoryRecord, Role, RootSigner, SeenTrust, TrustRecord, UnknownKind,
    WithoutAdministrator, Writer,
};
pub use unwrap::{UnwrapError, unwrap};
