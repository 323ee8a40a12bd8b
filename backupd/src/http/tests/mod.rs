//! The API as it is asked: route by route in process, and over a real socket or network on a real
//! repository.

mod audit;
mod bad_input;
mod confined;
mod described;
mod fixture;
mod listings;
mod load;
mod network;
mod same;
mod scopes;
mod tasks;
mod tls;
mod trust;
mod wire;
