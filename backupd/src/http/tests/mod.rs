//! The API as it is asked: route by route in process, and over a real socket on a real repository.

mod bad_input;
mod described;
mod fixture;
mod same;
mod scopes;
mod tasks;
