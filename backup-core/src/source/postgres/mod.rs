//! A PostgreSQL database as a source: its facts, its dump, and the roles around it.
//!
//! `pg_dump` is the truth about what a dump holds; we run it, watch it and check that its archive
//! is whole, and never look into rows. Where the bytes go is the caller's business.

mod archive;
mod dump;
mod facts;
mod globals;
mod tables;
mod toc;

pub use archive::{ArchiveCheck, ArchiveSummary};
pub use dump::{DumpError, DumpSummary, dump};
pub use facts::{FactsError, facts};
pub use globals::{GlobalsSummary, globals};
pub use toc::ArchiveError;

#[cfg(test)]
mod tests;
