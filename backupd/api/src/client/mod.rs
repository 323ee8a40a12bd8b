//! The client: [`Service`](crate::Service) over HTTP, by a daemon's socket.

mod connection;
mod service;

pub use service::HttpService;
