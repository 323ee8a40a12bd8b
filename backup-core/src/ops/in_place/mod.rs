//! Restore in place: every stream goes where it came from, and what is there is kept beside it.

mod plan;
mod swap;

pub(super) use plan::{confirmation, look_again, steps};
pub(super) use swap::into_place;
