//! The daemon: the configuration in force, what is due by it, the runs that come of that, and
//! whoever asks about them.

mod aftermath;
mod board;
mod changes;
mod door;
mod ending;
mod health;
mod hosted;
mod measures;
mod memory;
mod on_record;
mod private;
mod run;
mod runner;
mod runs;
mod settings;
mod supervisor;
mod trusting;
mod upkeep;
mod verified;

pub use changes::Changes;
pub use private::{Private, private_token};
pub use run::{Orders, run};
pub use settings::{Current, InForce, Reloaded, Settings};
pub use supervisor::Supervisor;
