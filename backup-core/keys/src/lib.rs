//! Keys: make, wrap, unwrap, sign, check; the records that say which keys count.
//!
//! Everything that decides who may read and who may write is here, without a store and without
//! the engine, so that an administrator's program can do it alone. Cryptography is the `age` and
//! `minisign` crates'; this crate says what is signed, for which place, and by whom.

mod age_key;
mod epoch;
mod private_file;
mod record;
mod signing;
mod trust;

pub use age_key::{AgeKeyError, Identity, Recipient};
pub use epoch::{Canary, EpochError, NewEpoch, canary_digest, open_epoch_key};
pub use private_file::{PrivateFileError, read_private, write_private};
pub use record::{Record, RecordError, RecordKind};
pub use signing::{PublicKey, SecretKey, SigningError};
pub use trust::{
    Administrator, AdministratorKind, CanaryFile, Epoch, KeyFile, LastRecord, Removal,
    RepositoryRecord, Role, TrustRecord, Writer,
};
