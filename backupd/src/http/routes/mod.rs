//! The routes: one table that says of each what it is, who may ask for it, and who answers.

mod actions;
mod changing;
mod confined;
mod described;
mod lines;
mod looking;
mod reading;
mod runs;
mod table;
mod tasks;
mod tokens;
mod trusting;

#[cfg(feature = "schema")]
pub use described::describe;
pub(super) use table::router;
#[cfg(test)]
pub(super) use table::{Needs, ROUTES};
