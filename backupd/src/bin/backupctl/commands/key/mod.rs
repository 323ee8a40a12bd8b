//! `backupctl key …`: who may open, who may sign, and what new data is encrypted to.
//!
//! Always in this process: secret keys are never sent anywhere.

mod add;
mod command;
mod host;
mod list;
mod newcomer;
mod open;
mod passphrases;
mod plan;
mod remove;
mod rotate;
mod test;

pub(crate) use command::{Command, run};
