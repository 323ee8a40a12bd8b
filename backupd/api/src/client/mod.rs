//! The client: [`Service`](crate::Service) over HTTP, by a daemon's socket or over a network.

mod connection;
mod identity;
mod lines;
mod service;
mod tasks;
mod trust;

pub use connection::Target;
pub use identity::shown_key;
pub use service::HttpService;
pub use tasks::TaskLines;

#[cfg(test)]
mod tests;
