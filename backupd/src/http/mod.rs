//! The HTTP API: what a [`Service`](backupd_api::Service) can do, for whoever may ask.
//!
//! A request passes, in this order: `listeners` (sockets, loopback, TLS), `server` (a connection,
//! its peer, limits of the transport), `guard` (where it comes from, who asks, whether the route's scope allows it), `routes` (the
//! table of routes and their few lines each). Long work is in `tasks`, and outlives who began it; a
//! `listing` is a long answer, and ends with who asked for it.
//! It knows nothing of the engine, and nothing of schedules.

mod access;
mod api;
mod body;
mod error;
mod guard;
mod limits;
mod listeners;
mod listing;
mod routes;
mod server;
mod socket;
mod source;
mod tasks;
#[cfg(test)]
mod tests;
mod tls;

pub use access::{AuthFailure, Tokens};
pub use api::{Api, Settings};
pub use limits::Limits;
pub use listeners::{Listeners, fingerprint, listen};
#[cfg(feature = "schema")]
pub use routes::describe;
pub use server::Server;
