//! From raw tables to a checked configuration: what values mean and whether they fit together.
//!
//! Every check runs, whatever the others found: a value that is wrong is reported and left out,
//! and the result counts only when nothing was found. Looks at the file system for one thing
//! only: where links lead, so that a repository inside a backed-up folder is seen to be there.

mod audit;
mod command;
mod config;
mod files;
mod health;
mod hooks;
mod job;
mod known;
mod notify;
mod postgres;
mod repository;
mod retention;
mod s3;
mod server;
mod timing;
mod upkeep;

pub(super) use config::check;
