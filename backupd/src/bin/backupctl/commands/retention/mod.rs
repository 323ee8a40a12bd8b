//! `backupctl retention …`: what stays and what goes, as words, table and calendar.

mod apply;
mod calendar;
mod command;
mod plan;
mod preview;
mod trial;

pub(crate) use command::{Command, run};
