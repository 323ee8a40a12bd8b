//! What is read: each source yields named byte streams.

pub mod files;
pub mod postgres;
