//! Programs as children of ours: started, watched, read from, and never outliving us.
//!
//! Knows nothing of what a program is for. Whoever starts one gives its environment; here nothing
//! is inherited on purpose or cleared by accident.

mod once;
mod pass;
mod running;
mod stderr;

pub use once::{OnceError, Ran, once};
pub(crate) use pass::pass;
pub use pass::{PassError, PipeLimits};
pub use running::ChildError;
pub(crate) use running::Running;
pub use stderr::Stderr;
