//! `backupctl kit …`.

mod command;
mod confirm;
mod create;
mod file;
mod key;
mod place;
mod print;

pub(crate) use command::{Command, run};
