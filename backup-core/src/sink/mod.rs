//! Where a restore goes.

pub mod directory;
