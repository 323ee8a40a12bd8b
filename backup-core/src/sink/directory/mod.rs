//! A tar into a new folder, or into the place of one that is there.
//!
//! Everything lands in a quarantine folder beside the target, reachable for its owner only, and
//! gets the target's name in one step once all of it is there and on disk. The archive is taken
//! as hostile: whatever an honest one would not hold ends the restore. Nothing is written through
//! a link: symbolic links are made when everything else is.
//!
//! It must not know where the tar comes from. The caller compares digests before it publishes.

mod error;
mod extract;
mod member;
mod reader;
mod swap;
mod target;
mod tree;

pub use error::{DirectoryError, TarFault};
pub use extract::{ExtractOptions, Extracted, Renames};
pub use swap::{InPlace, Replacement, Swapped};
pub use target::{DirectoryTarget, Extraction};
#[cfg(test)]
mod tests;
