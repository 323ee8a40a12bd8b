//! The key files of a repository, for who opens them elsewhere: they are public, and small.

use data_encoding::BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

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

/// A key file or a canary as it is stored, or is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KeyObject {
    /// The object's name: `keys/<epoch>/…`.
    pub object: String,
    /// The age file; in JSON, in base64.
    #[serde(serialize_with = "to_base64", deserialize_with = "of_base64")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub bytes: Vec<u8>,
}

fn to_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&BASE64.encode(bytes))
}

fn of_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    BASE64.decode(text.as_bytes()).map_err(D::Error::custom)
}
