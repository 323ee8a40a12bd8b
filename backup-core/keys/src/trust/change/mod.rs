//! Changes of trust made whole where the keys are, and stored where the repository is.
//!
//! Who holds the root key makes a [`Change`] of what is [`Known`] and of the keys at hand: the key
//! files, the signed record, what may be deleted afterwards. Nothing here stores anything, so the
//! two may be far apart, and who stores needs no key: a change is accepted by its signature.

mod accepted;
mod administrators;
mod epochs;
mod error;
mod known;
mod made;
mod proving;
mod signer;
#[cfg(test)]
mod tests;

pub use accepted::NotAccepted;
pub use error::ChangeError;
pub use known::{Known, KnownError, SeenTrust};
pub use made::Change;
pub use signer::RootSigner;
