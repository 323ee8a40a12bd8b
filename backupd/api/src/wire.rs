//! Small bodies of requests and answers that are no report of their own.

use backup_model::{Failure, SnapshotName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Scopes;

/// Something, or why it is not to be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Outcome_{T}"))]
#[serde(rename_all = "kebab-case")]
pub enum Outcome<T> {
    /// Here it is.
    Ok(T),
    /// Why not.
    Failed(Failure),
}

impl<T> From<Result<T, Failure>> for Outcome<T> {
    fn from(result: Result<T, Failure>) -> Self {
        result.map_or_else(Self::Failed, Self::Ok)
    }
}

impl<T> From<Outcome<T>> for Result<T, Failure> {
    fn from(outcome: Outcome<T>) -> Self {
        match outcome {
            Outcome::Ok(value) => Ok(value),
            Outcome::Failed(failure) => Err(failure),
        }
    }
}

/// Who asks, as the daemon sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CallerInfo {
    /// As lists and the audit log call it.
    pub actor: String,
    /// What it may do.
    pub scopes: Scopes,
}

/// A part of a long list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Page_{T}"))]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; none after the last item.
    pub next: Option<usize>,
}

impl Page<()> {
    /// How many items a page has at most.
    pub const MOST: usize = 1000;
}

/// The newest snapshot of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Newest {
    /// Its name.
    pub snapshot: SnapshotName,
}

/// Why a snapshot is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HoldReason {
    /// In the words of whoever holds it.
    pub reason: String,
}

/// What came of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Released {
    /// Whether the snapshot was held.
    pub was_held: bool,
}

/// For how long a job is paused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct PauseRequest {
    /// Until then; none for until somebody resumes it.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Instant>"))]
    pub until: Option<Timestamp>,
    /// Why, in the words of whoever pauses it.
    pub why: Option<String>,
}

/// What came of resuming a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Resumed {
    /// Whether it was paused.
    pub was_paused: bool,
}

/// A request's body that may hold a secret, so it is wiped when it was sent.
pub fn secret_body<T: Serialize>(value: &T) -> Result<Zeroizing<Vec<u8>>, serde_json::Error> {
    // Grown in place, it would leave copies behind.
    let mut body = Zeroizing::new(Vec::with_capacity(64 << 10));
    serde_json::to_writer(&mut *body, value)?;
    Ok(body)
}
