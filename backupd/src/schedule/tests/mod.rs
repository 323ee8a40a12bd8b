//! Schedules over years of zone data, and plans on a virtual clock.

mod agreement;
mod driver;
mod outages;
mod parse;
mod plan;
mod restarts;
mod world;
mod zones;
