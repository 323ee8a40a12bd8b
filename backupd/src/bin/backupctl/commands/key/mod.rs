//! `backupctl key …`: who may open, who may sign, what new data is encrypted to, and the secrets by
//! which databases and storage are reached.
//!
//! Always in this process: secret keys are never sent anywhere.

mod add;
mod command;
mod credentials;
mod host;
mod list;
mod newcomer;
mod open;
mod passphrases;
mod password;
mod plan;
mod remove;
mod rotate;
mod test;

pub(crate) use command::{Command, run};
