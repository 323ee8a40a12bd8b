//! The damage matrix: each kind of object, damaged in each way, then each operation.
//!
//! [`table::KINDS`] says what each operation must make of a damaged object of a kind. Beyond it: no
//! panic, no wrong byte restored, snapshots that do not name the object stay good, and the object
//! stands in the message.

#[cfg(test)]
mod examine;
#[cfg(test)]
#[expect(clippy::print_stdout, reason = "the figures are the point")]
mod matrix;
#[cfg(test)]
mod pristine;
#[cfg(test)]
#[expect(clippy::print_stdout, reason = "the figures are the point")]
mod rules;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
#[cfg(test)]
mod table;
