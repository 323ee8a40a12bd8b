//! What is read: each source yields named byte streams.

pub mod command;
pub mod files;
pub mod postgres;
