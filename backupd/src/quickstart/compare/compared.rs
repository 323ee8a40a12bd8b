//! The outcome of a comparison.

use serde::Serialize;

/// Two things side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// What was compared: tables and rows, or files and folders.
    pub what: String,
    /// What differs, by name; empty if nothing does.
    pub different: Vec<String>,
}
