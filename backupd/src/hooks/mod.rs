//! Programs around a backup: before it, after it, when it failed, and in any case at the end.
//!
//! Argument lists, never a shell, in an environment that says which job and run it is and how the
//! run stands, and nothing else. Each has a time limit, and whatever it has started in its process
//! group ends with it. What they say becomes part of the run's progress. What a hook is good for
//! is not known here, nor what a backup is.

mod around;
mod hook;

pub use around::{around, make_up};
pub use hook::{Hook, HookContext, Hooks, OnFailure};
