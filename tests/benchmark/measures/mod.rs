//! What is measured: one file a data set, readable top to bottom.

mod bench;
mod contest;
mod database;
mod noise;
mod tree;

pub(crate) use bench::Bench;
pub(crate) use database::database;
pub(crate) use noise::noise;
pub(crate) use tree::tree;
