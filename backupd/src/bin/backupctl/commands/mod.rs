//! The commands, one file each.

mod administrator;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod cat;
mod check;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod diff;
pub(crate) mod find;
mod forget;
pub(crate) mod health;
mod hold;
pub(crate) mod init;
pub(crate) mod job;
pub(crate) mod key;
pub(crate) mod kit;
pub(crate) mod ls;
pub(crate) mod man;
pub(crate) mod notify;
mod place;
pub(crate) mod prune;
pub(crate) mod quickstart;
pub(crate) mod recovery_script;
pub(crate) mod repo;
pub(crate) mod restore;
pub(crate) mod retention;
mod run;
pub(crate) mod runs;
pub(crate) mod snapshot;
mod stats;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod verify;
pub(crate) mod version;
mod when;

pub(crate) use run::run;
