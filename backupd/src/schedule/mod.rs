//! When jobs run: what a schedule means, and which task is due now.
//!
//! Three layers, each of which knows only the one before it. [`Schedule`] is pure arithmetic from
//! a line of the configuration and a time zone to instants. [`Plan`] decides, told what time it
//! is, what is due, what is skipped and what is tried again; it has no clock and no task. The
//! [`Driver`] gives it the time whenever the [`Alarms`] of tokio-cron-scheduler go off.
//!
//! Nothing here runs anything, and nothing here is stored: what ran is the run ledger's to know,
//! which says at the start what is [`Remembered`]. How many jobs run at once is decided by whoever
//! runs them; a task counts as running from the moment it is said to be due.

mod alarms;
mod driver;
mod parse;
mod plan;
mod task;
mod times;

#[cfg(test)]
mod tests;

pub use alarms::{AlarmError, Alarms};
pub use driver::{Agenda, Control, Driver, Gone};
pub use parse::{Schedule, ScheduleError};
pub use plan::{Due, Ended, Event, Paused, Plan, Reason, Skip, Skipped, Standing};
pub use task::{CatchUp, Remembered, Retry, Task, Timed, Timing};
