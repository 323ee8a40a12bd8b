//! Where a restore goes.

pub mod database;
pub mod directory;
