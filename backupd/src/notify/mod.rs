//! Telling people: what has changed since they were last told, and the ways to them.
//!
//! What there is to tell is a pure function of reports and of what was told before. Delivery has a
//! queue of its own for each channel: a run never waits for one, and none can make a run fail.

mod delivered;
mod events;
mod follow;
mod mail;
mod memory;
mod post;
mod request;
mod undelivered;
mod words;
mod worker;

#[cfg(test)]
mod tests;

pub use events::{About, Event, Told};
pub use follow::follow;
pub use post::Post;
pub use request::{Message, Ping};
