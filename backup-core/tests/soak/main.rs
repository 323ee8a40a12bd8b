//! Everybody at once on one repository, for as long as is asked: hosts back up and are killed,
//! two of them the same job, snapshots are forgotten and pruned without grace, and meanwhile all
//! is verified and restored. Whatever fails must be a refusal that is due. When it is quiet, what
//! was committed and not forgotten is whole and holds what its host had.
//!
//! | variable | is | else |
//! |---|---|---|
//! | `BACKUPD_SOAK_SECS` | for how long | 20 |
//! | `BACKUPD_SOAK_STORE` | `folder`, `memory` or `s3` | `folder` |
//! | `BACKUPD_SOAK_SEED` | where the random numbers begin | at random, printed |
//!
//! A seed makes everybody do the same again, not the operating system's threads.

#[cfg(test)]
#[path = "../support/admit.rs"]
mod admit;
#[cfg(test)]
mod aftermath;
#[cfg(test)]
mod cast;
#[cfg(test)]
#[path = "../protocol/environment.rs"]
mod environment;
#[cfg(test)]
#[expect(dead_code, reason = "only death is wanted of it here")]
#[path = "../storage/faults.rs"]
mod faults;
#[cfg(test)]
mod keeper;
#[cfg(test)]
mod numbers;
#[cfg(test)]
mod reader;
#[cfg(test)]
#[expect(dead_code, reason = "the tests of storage let it misbehave")]
#[path = "../storage/servers.rs"]
mod servers;
#[cfg(test)]
mod soak;
#[cfg(test)]
mod stage;
#[cfg(test)]
#[expect(dead_code, reason = "here each host has a folder of its own")]
#[path = "../support/mod.rs"]
mod support;
#[cfg(test)]
mod writer;
