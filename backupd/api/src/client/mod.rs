//! The client: [`Service`](crate::Service) over HTTP, by a daemon's socket or over a network.

mod connection;
mod identity;
mod service;
mod trust;

pub use connection::Target;
pub use service::HttpService;

#[cfg(test)]
mod tests;
