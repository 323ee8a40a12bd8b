//! The parts of the programs `backupctl` and `backupd`.

pub mod config;
