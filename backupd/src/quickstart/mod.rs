//! Quickstart: the whole way once, on real input, in one new folder.
//!
//! Makes repository, keys and configuration, backs up, lets a day's changes happen to the sample,
//! backs up again, verifies, restores into new places, and compares with the originals. Without
//! arguments the input is a sample on a throw-away server; with arguments it is the user's own,
//! of which nothing is changed: their database is restored into the throw-away server.

mod compare;
mod run;
mod sample;
mod server;
mod workplace;

pub use compare::Compared;
pub use run::{Report, Request, quickstart};
