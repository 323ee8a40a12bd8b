//! Long answers: what was found, one a line, given while it is looked for.

use backup_model::Failure;
use serde::{Deserialize, Serialize};

/// One line of such an answer. Only the last one says how it ended: an answer without such a line
/// broke off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Listing_{T}"))]
#[serde(rename_all = "kebab-case")]
pub enum ListingLine<T> {
    /// Something that was found.
    Item(T),
    /// That was all: so many items, or by a search, so many entries that match.
    Done(u64),
    /// Why there is no more. What came before is right, and not all.
    Failed(Failure),
}
