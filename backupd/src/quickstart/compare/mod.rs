//! Comparing what was restored with what it was made from, without the engine's help.

mod compared;
mod database;
mod folder;

pub use compared::Compared;
pub(super) use database::databases;
pub(super) use folder::folders;
