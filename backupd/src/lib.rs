//! The parts of the programs `backupctl` and `backupd`.

pub mod arguments;
pub mod audit;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod environment;
pub mod health;
pub mod hints;
pub mod hooks;
pub mod http;
pub mod ledger;
pub mod metrics;
pub mod notify;
pub mod process;
pub mod protection;
pub mod quickstart;
pub mod rotation;
pub mod schedule;
pub mod service;
pub mod setup;
pub mod status;
pub mod storage;
pub mod units;
