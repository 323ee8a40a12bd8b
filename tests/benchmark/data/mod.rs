//! The data sets: drawn from a seed, the same on every machine, kept for the next benchmark.

mod chat;
mod database;
mod noise;
mod random;
mod tree;
mod words;

pub(crate) use database::{Database, NAME, State};
pub(crate) use noise::make_noise;
pub(crate) use tree::make_tree;
