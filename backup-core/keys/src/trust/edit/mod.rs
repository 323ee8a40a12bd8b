//! From one trust record to the next: who is let in and who is put out, and what is refused.
//!
//! Pure functions: what they are given they do not look up, and what they return is neither signed
//! nor stored. Signing and creating `trust/<version>.json` is what commits; of two administrators
//! who change trust at once, the store lets one through, and the other starts over.
//!
//! Letting in: key files are stored before the record that lists them. Putting out: the record
//! first, then the files that it no longer lists are deleted. So whoever dies in between leaves
//! files that count for nothing.

mod administrators;
mod epochs;
mod error;
mod next;
#[cfg(test)]
mod tests;
mod writers;

pub use administrators::{NewAdministrator, WithoutAdministrator};
pub use epochs::{KeyFileName, NewKeyFile, NewKeys};
pub use error::EditError;
pub use next::Edit;
pub use writers::NewWriter;
