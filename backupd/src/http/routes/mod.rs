//! The routes: one table that says of each what it is, who may ask for it, and who answers.

mod changing;
mod lines;
mod reading;
mod runs;
mod table;
mod tasks;
mod tokens;

pub(super) use table::router;
#[cfg(test)]
pub(super) use table::{Needs, ROUTES};
