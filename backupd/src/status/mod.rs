//! How every job stands: what repositories hold, what the ledger knows and what is planned, put
//! together for [`protection`](crate::protection) to judge.
//!
//! The daemon asks it whenever something changes, and `backupctl` where there is no daemon; both
//! give the same report. It decides nothing itself, and keeps nothing.

mod dues;
mod known;
mod report;
mod seen;

#[cfg(test)]
mod tests;

pub use dues::{dues, missed, since};
pub use known::{Known, read};
pub use report::{Sight, jobs};
pub use seen::{Seen, look};
