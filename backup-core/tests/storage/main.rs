//! What the engine asks of a store, what stores really do, and what becomes of backups when they
//! do it.

#[cfg(test)]
mod crash;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod moto;
#[cfg(test)]
mod servers;
#[cfg(test)]
mod stores;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
#[cfg(test)]
mod weather;
