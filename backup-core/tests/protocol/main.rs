//! The protocol of those who share a repository, on real code: whoever does what in whatever order
//! and dies wherever, nothing that is needed is lost.

#[cfg(test)]
mod gates;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod schedules;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
