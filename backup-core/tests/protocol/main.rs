//! The protocol of those who share a repository, on real code: whoever does what in whatever order
//! and dies wherever, nothing that is needed is lost.

#[cfg(test)]
#[path = "../support/admit.rs"]
mod admit;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod environment;
#[cfg(test)]
#[expect(
    dead_code,
    reason = "the tests of storage let it misbehave in more ways"
)]
#[path = "../storage/faults.rs"]
mod faults;
#[cfg(test)]
mod gates;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod schedules;
#[cfg(test)]
#[expect(dead_code, reason = "the tests of storage let it misbehave")]
#[path = "../storage/servers.rs"]
mod servers;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
