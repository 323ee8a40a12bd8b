//! Every problem that a configuration can have, with its line and its remedy.

mod fixture;
mod values;
mod whole;
