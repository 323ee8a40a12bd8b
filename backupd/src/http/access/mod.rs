//! Who asks: tokens and their file, peers of the socket, and what is made of failed sign-ins.

mod failures;
mod file;
mod tokens;

pub use failures::AuthFailure;
pub(super) use failures::{Failures, Verdict};
pub use tokens::Tokens;
