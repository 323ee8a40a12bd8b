//! The daemon: the configuration in force, what is due by it, and the runs that come of that.

mod changes;
mod run;
mod runner;
mod settings;
mod upkeep;

pub use changes::Changes;
pub use run::run;
pub use settings::{Current, InForce, Reloaded, Settings};
pub use upkeep::conditional;
