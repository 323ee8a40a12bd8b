//! The parts of the programs `backupctl` and `backupd`.

pub mod clock;
pub mod config;
pub mod http;
pub mod quickstart;
pub mod rotation;
pub mod service;
pub mod setup;
pub mod storage;
pub mod unwrap;
