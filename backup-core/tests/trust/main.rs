//! Changes of trust on a repository: who can read and write before and after.

#[cfg(test)]
mod changes;
#[cfg(test)]
mod deaths;
#[cfg(test)]
#[expect(
    dead_code,
    reason = "the tests of storage let it misbehave in more ways"
)]
#[path = "../storage/faults.rs"]
mod faults;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod people;
#[cfg(test)]
mod removals;
#[cfg(test)]
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "../support/mod.rs"]
mod support;
