//! What the engine asks of a store, what stores really do, what becomes of backups when they do
//! it, and what a backup builds on.

#[cfg(test)]
mod building;
#[cfg(test)]
#[expect(dead_code, reason = "the tests of the protocol let processes die")]
mod faults;
#[cfg(test)]
mod moto;
#[cfg(test)]
#[expect(dead_code, reason = "the soak wants races decided")]
mod servers;
#[cfg(test)]
mod stores;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
#[cfg(test)]
mod weather;
