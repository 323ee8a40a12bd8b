//! A new PostgreSQL database as the target of a restore.
//!
//! It is filled under a temporary name that nobody else may connect to, and gets its own name
//! only when its whole content was compared: half a database is never taken for one. Nothing that
//! exists is touched.

mod preflight;
mod target;

pub use preflight::preflight;
pub use target::{DatabaseTarget, Filled, TargetError};

#[cfg(test)]
mod tests;
