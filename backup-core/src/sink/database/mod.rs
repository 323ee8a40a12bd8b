//! A new PostgreSQL database as the target of a restore, or for the place of one that is there.
//!
//! It is filled under a temporary name that nobody else may connect to, and gets its own name
//! only when its whole content was compared: half a database is never taken for one. What exists
//! is never written into: at most it gets another name.

mod preflight;
mod replace;
mod target;

pub use preflight::preflight;
pub use replace::preflight_in_place;
pub use target::{DatabaseTarget, Filled, TargetError};

#[cfg(test)]
mod tests;
