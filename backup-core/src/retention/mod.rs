//! Retention: which of a job's snapshots stay. Pure functions of a policy, the job's records and
//! `now`; nothing here reads a store or a clock, and nothing here deletes.
//!
//! Two orders meet here, and they must not be mixed up. The *chain* says in which order
//! snapshots were made: it is signed, and no clock can change it. *Dates* are what a writer's
//! clock said. Newest always means newest by the chain; dates only decide which hour, day, week,
//! month or year a snapshot stands for (`calendar`), and how far back a time reaches.
//!
//! Clocks can be wrong, and a wrong one must not cost a snapshot that is needed:
//!
//! - A date later than `now` by more than ten minutes is in the future. Such a run does not
//!   count, neither for a rule nor against another snapshot, and it does not go.
//! - Of the others those are believed that the fewest wrong clocks explain (`order`). What
//!   contradicts them is *out of order*, and is counted apart: it takes no period and no place
//!   in a count away from those that are believed, and goes when they are past it (`rules`).
//! - Times reach back from the newest believed snapshot, not from `now`: neither a job that
//!   stopped nor a clock that is ahead makes anything go.
//!
//! What it means for a job to be well is judged here only so far as it stops retention (`pause`).

mod calendar;
mod error;
mod order;
mod pause;
mod plan;
mod policy;
mod record;
mod rules;

pub use error::RetentionError;
pub use plan::plan;
pub use policy::{MAX_COUNT, faults};
pub use record::Record;
