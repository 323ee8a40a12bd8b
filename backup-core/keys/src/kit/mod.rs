//! The recovery kit: all that a bare machine needs to restore, on paper or in a file.
//!
//! It says where the repository is, what it must be signed by, and which key opens it; it holds
//! that key, or says where it lies. Its lines are numbered and checked each by itself, so that
//! whoever types them from paper is told which one is wrong. Where kits are kept, and when somebody
//! last proved one, is the caller's affair.

mod contents;
mod lines;
mod made;
mod manual;
mod matches;
mod page;
mod standing;
#[cfg(test)]
mod tests;
mod text;

pub use contents::{Kit, KitKey, Manual};
pub use lines::{KitError, KitFault, LineFault};
pub use manual::{RECOVERY_SCRIPT, storage_lines};
pub use matches::{KitKeyError, KitMismatch};
pub use page::PageError;
pub use standing::{KitStanding, Lapse};
pub use text::KitValue;
