//! Every problem that a configuration can have, with its line and its remedy.

mod audit;
mod fixture;
mod health;
mod hooks;
mod notify;
mod retention;
mod s3;
mod server;
mod timing;
mod upkeep;
mod values;
mod whole;
