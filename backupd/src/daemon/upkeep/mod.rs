//! What the daemon does by schedule besides backups: forget what policies let go, prune, verify
//! what is kept, ask stores how they keep writers apart.
//!
//! Each is one activation that needs to be told nothing: it looks at what is there, does what is
//! to be done now, and says how it ended. It knows neither when it comes again nor who wrote its
//! run down.

mod probe;
mod prune;
mod retention;
mod rounds;
mod timings;
mod verify;
mod work;

#[cfg(test)]
mod tests;

pub(super) use timings::timings;
pub(super) use verify::verify_new;
pub(super) use work::work;
