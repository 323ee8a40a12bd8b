//! Where a restore goes.

pub mod database;
