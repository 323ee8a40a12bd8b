//! Trust, changed by somebody elsewhere: what that needs to know, and what comes back. Keys that are
//! secret stay where they are; whoever stores a change goes by its signature.

use async_trait::async_trait;
use backup_model::{BucketInfo, Failure, KeyObject, KitInfo, KitProof, TrustChange};
use serde::{Deserialize, Serialize};

/// All that a change of a repository's trust, and a recovery kit for it, are made of, but for the
/// keys. It is no secret, and is to be checked: by the root key's signature, and by what was seen
/// the last time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrustMaterial {
    /// The repository's address, as the daemon's machine reaches it.
    pub location: String,
    /// How its bucket is reached, if it is in one.
    pub bucket: Option<BucketInfo>,
    /// `repository.json` as it is stored: five lines.
    pub repository: String,
    /// The newest trust record as it is stored: five lines.
    pub trust: String,
    /// The key files and canaries that it lists. What is missing is left out.
    pub objects: Vec<KeyObject>,
    /// The names of all that is stored under `keys/`, listed or not.
    pub stored: Vec<String>,
}

/// A change of trust, made and signed elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TrustEdit {
    /// The key files and canaries that the record adds: all of them, and nothing else.
    pub objects: Vec<KeyObject>,
    /// The next trust record as it is to be stored, signed by the root key.
    pub record: String,
}

/// Changes of trust, and proofs of recovery kits.
#[async_trait]
pub trait TrustService: Send + Sync {
    /// What a change of a repository's trust needs to know.
    async fn trust(&self, repository: &str) -> Result<TrustMaterial, Failure>;

    /// Stores a change, if the root key signed it and it follows the newest record; then deletes
    /// the key files that are not listed any more. Says what came of it, by the two records alone:
    /// who was left out on purpose is left out, too.
    async fn change_trust(
        &self,
        repository: &str,
        edit: &TrustEdit,
    ) -> Result<TrustChange, Failure>;

    /// Writes down that a recovery kit was proved, if it is of this repository, names its address,
    /// and its key opens what is backed up now. Says how the kit stands then.
    async fn confirm_kit(&self, repository: &str, proof: &KitProof) -> Result<KitInfo, Failure>;
}
