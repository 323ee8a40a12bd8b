//! Metrics in the text form that Prometheus reads.
//!
//! What counts is kept in this process and begins at 0 with it, so that no counter ever falls; what
//! only stands is put together from the report that is ready. Nobody who reads metrics makes the
//! daemon touch a repository.

mod counters;
mod page;
mod serve;

#[cfg(test)]
mod tests;

pub use counters::Counters;
pub use page::{RepositoryFacts, Sight, page};
pub(crate) use serve::open;
pub use serve::serve;
