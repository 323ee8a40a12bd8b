//! The commands, one file each.

pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod man;
mod run;
pub(crate) mod version;

pub(crate) use run::run;
