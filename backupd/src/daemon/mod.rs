//! The daemon: what runs when, and who may ask.

mod changes;
mod settings;

pub use changes::Changes;
pub use settings::{Current, InForce, Reloaded, Settings};
