//! The daemon: the configuration in force, what is due by it, the runs that come of that, and
//! whoever asks about them.

mod board;
mod changes;
mod door;
mod ending;
mod hosted;
mod memory;
mod run;
mod runner;
mod runs;
mod settings;
mod verified;

pub use changes::Changes;
pub use run::run;
pub use settings::{Current, InForce, Reloaded, Settings};
