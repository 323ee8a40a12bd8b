//! The HTTP API: what a [`Service`](backupd_api::Service) can do, for whoever may ask.
//!
//! A request passes, in this order: `server` (a connection, its peer, limits of the transport),
//! `guard` (where it comes from, who asks, whether the route's scope allows it), `routes` (the
//! table of routes and their few lines each). Long work is in `tasks`, and outlives who began it.
//! It knows nothing of the engine, and nothing of schedules.

mod access;
mod api;
mod body;
mod error;
mod guard;
mod routes;
mod server;
mod socket;
mod tasks;
#[cfg(test)]
mod tests;

pub use access::{AuthFailure, Tokens};
pub use api::{Api, Settings};
#[cfg(feature = "schema")]
pub use routes::describe;
pub use server::Server;
pub use socket::listen;
