//! What is told of keys and of changes to trust.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Failure, JobName, RepositoryId};

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

/// Who may open a repository's backups, what its data is encrypted to, and who may sign: the
/// public side of its keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeysReport {
    /// The repository, by its name in the configuration.
    pub repository: String,
    /// The version of trust that says so.
    pub trust: u64,
    /// Who may open backups.
    pub administrators: Vec<AdministratorInfo>,
    /// What data is encrypted to, the current one last.
    pub epochs: Vec<EpochInfo>,
    /// Who may sign.
    pub writers: Vec<WriterInfo>,
    /// How the recovery kit stands.
    pub kit: KitInfo,
}

/// Somebody who may open backups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdministratorInfo {
    /// The name.
    pub name: String,
    /// What kind of key it is.
    pub kind: String,
    /// The public key, where there is one.
    pub recipient: Option<String>,
    /// Since when.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub added: Timestamp,
    /// The epochs that there is a key file for.
    pub opens: Vec<u64>,
    /// When the key last showed to open the newest of them.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Instant>"))]
    pub tested: Option<Timestamp>,
}

/// What data of some time is encrypted to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EpochInfo {
    /// Its number.
    pub number: u64,
    /// The public key.
    pub recipient: String,
    /// Since when.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub created: Timestamp,
}

/// Somebody who may sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WriterInfo {
    /// The name.
    pub name: String,
    /// The public key.
    pub key: String,
    /// What the key may do: `write`, `maintain`, `prove`.
    pub roles: Vec<String>,
    /// For which jobs; none for all.
    pub jobs: Option<Vec<String>>,
    /// Since when.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub from: Timestamp,
    /// Until when.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Instant>"))]
    pub until: Option<Timestamp>,
    /// When it was taken out.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Instant>"))]
    pub removed: Option<Timestamp>,
}

/// Whether a recovery kit was proved on this machine, and whether that still says something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KitInfo {
    /// Nobody could restore with what is known here.
    pub at_risk: bool,
    /// Why, in words; or that it was proved.
    pub standing: String,
    /// When it was proved, if it was.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Instant>"))]
    pub proved: Option<Timestamp>,
    /// Until when that says something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Instant>"))]
    pub until: Option<Timestamp>,
}

/// Somebody decrypted the canaries with a recovery kit. Written down where the kit's state is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KitProof {
    /// When.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub at: Timestamp,
    /// Of which repository.
    pub repository: RepositoryId,
    /// The address that the kit names.
    pub location: String,
    /// Whose key it has.
    pub administrator: JobName,
    /// Since when he has it: one who was let in again has another.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub added: Timestamp,
}

/// How a bucket is reached, as far as that is no secret: what a recovery kit says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BucketInfo {
    /// The server, where it is not Amazon's.
    pub endpoint: Option<String>,
    /// The region, where the server cares.
    pub region: Option<String>,
    /// Whether the bucket is named in the path, where that was said.
    pub path_style: Option<bool>,
    /// Where the host has the access key's id from, in words.
    pub access_key_id_at: String,
    /// Where the host has the access key from, in words.
    pub secret_access_key_at: String,
}
