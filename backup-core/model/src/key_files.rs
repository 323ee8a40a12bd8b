//! The key files of a repository, for who opens them elsewhere: they are public, and small.

use serde::{Deserialize, Serialize};

/// An epoch, and what its identity is wrapped in, once for each administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EpochFiles {
    /// The epoch.
    pub epoch: u64,
    /// What data in it is encrypted to: the identity in each of the files belongs to it.
    pub recipient: String,
    /// Those that trust names and that are stored as it says.
    pub files: Vec<WrappedKey>,
}

/// A key file: an age file that an administrator's key opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WrappedKey {
    /// The object that it is, for messages.
    pub object: String,
    /// What kind of key opens it, in trust's word.
    pub kind: String,
    /// The recipient that it is encrypted to; a passphrase has none.
    pub recipient: Option<String>,
    /// The age file.
    pub bytes: Vec<u8>,
}
