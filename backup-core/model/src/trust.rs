//! What is told of keys and of changes to trust.

use serde::{Deserialize, Serialize};

use crate::{Failure, JobName};

/// Trust was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrustChange {
    /// The version of trust that says so.
    pub trust: u64,
    /// The epochs that this was about.
    pub epochs: Vec<u64>,
    /// Whether the key that was let in has shown to open them.
    pub tested: bool,
    /// Administrators who do not open the new epoch: nobody had what it takes to let them.
    pub left_out: Vec<JobName>,
    /// What should be gone and is not. It counts for nothing.
    pub left: Vec<Failure>,
    /// What could not be read of a writer that was taken out, and so does not count of it.
    #[serde(default)]
    pub unread: Vec<Failure>,
}

/// What a key showed for an epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeyTest {
    /// The epoch.
    pub epoch: u64,
    /// Whose key file it opened, and with it the canary; none if it opened none.
    pub administrator: Option<JobName>,
    /// The number of that key file.
    pub number: Option<u64>,
    /// What is wrong with key files or canary, whether or not one opened.
    pub faults: Vec<Failure>,
}
