//! The run ledger: what was done for each job, when, why and how it ended.
//!
//! An SQLite file in the state folder. It is never the truth about snapshots: that is the
//! repository, and a ledger that is gone or damaged is made anew from there. What it alone knows
//! is which due time was served, who paused what, and when which snapshot was verified; losing
//! that costs a run or a verification too many, never a backup.
//!
//! It knows neither the scheduler nor the configuration; both ask it.

mod account;
mod desk;
mod error;
mod file;
mod found;
mod handle;
mod keeping;
mod missed;
mod past;
mod pauses;
mod read;
mod reader;
mod recorder;
mod row;
mod schema;
mod verified;
mod write;

#[cfg(test)]
mod tests;

pub use error::LedgerError;
pub use file::{Claim, Moved};
pub use found::Entered;
pub use handle::{Clock, Ledger, LedgerStanding};
pub use keeping::Keep;
pub use missed::{DueRun, account};
pub use past::{Past, Subject};
pub use read::PAGE_MAX;
pub use reader::LedgerReader;
pub use recorder::Recorder;
pub use verified::{Verified, VerifyOutcome};
pub use write::{Ending, NewRun};
