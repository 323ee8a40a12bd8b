//! How much of a request, of a connection and of connections there may be, and for how long.

use std::time::Duration;

/// Limits of the API.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Requests that are answered at one time.
    pub requests: usize,
    /// Listings that are given at one time.
    pub listings: usize,
    /// Connections at one time, of this machine's and of the network's each: most of them follow
    /// a task.
    pub connections: usize,
    /// Connections at one time from one source. Beyond it they are closed at once.
    pub per_source: usize,
    /// How long TLS may take to be agreed on.
    pub handshake: Duration,
    /// How long the head of a request may take, and a connection be idle.
    pub head: Duration,
    /// How long the body of a request may take.
    pub body: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests: 128,
            listings: 16,
            connections: 512,
            per_source: 128,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
            body: Duration::from_secs(30),
        }
    }
}
