//! Every problem that a configuration can have, with its line and its remedy.

mod fixture;
mod retention;
mod s3;
mod server;
mod timing;
mod values;
mod whole;
