//! The audit log as files: lines that each name the digest of the one before.
//!
//! One file a month, each line a JSON object of [`backup_model::AuditEntry`]. Lines are only ever
//! appended, under a lock, so that the daemon and programs beside it write one chain. Where it
//! ended is in each snapshot that this host makes, so a cut tail shows as soon as a snapshot came
//! after it. Who does what is not known here, nor when.

mod act;
mod append;
mod check;
mod error;
mod files;
mod folder;
mod list;
mod month;
mod pseudonym;
#[cfg(test)]
mod tests;

pub use act::Act;
pub use append::AuditLog;
pub use check::Head;
pub use error::AuditError;
