//! Whether a job is protected: one pure function from what is known to a state and its reasons.
//!
//! Everybody who shows or reports a state takes it from here: API, command line, windows, metrics,
//! notifications. Where the facts come from, it does not know.

mod facts;
mod judge;
mod verification;

#[cfg(test)]
mod tests;

pub use facts::{Facts, LastRun, VerificationFact};
pub use judge::{default_rpo, judge};
pub use verification::{damaged, verification};
