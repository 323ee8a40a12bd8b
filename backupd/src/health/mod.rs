//! Health: what is measured of the house in which the jobs live, and what to do about it.
//!
//! One file for each kind of thing. Each has a measurement, which is bounded in time and says what
//! it could not see, and a judgement, which is a function of what was measured and of `now`. A
//! measurement that failed is *unknown*, or, where being there is itself what is looked at,
//! *breached*; never a tick.
//!
//! How the jobs stand is not measured here: that is [`status`](crate::status), whose report is
//! told along. Evidence names places, roles and counts; no secret is ever part of it.

mod certificate;
mod channels;
mod clock;
mod copies;
mod database;
mod house;
mod jobs;
mod look;
mod modes;
mod repository;
mod tokens;
mod web;

pub use channels::channels;
pub use house::Asked;
pub use look::{Guessed, look, report};
