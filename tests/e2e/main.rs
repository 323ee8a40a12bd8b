//! End-to-end tests against real PostgreSQL, real files and stock tools: what a person at a shell
//! would do, done to the real program. Nothing is skipped: what is missing is a failure that says
//! how to install it.

#[cfg(test)]
mod asking;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod certificate;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod cores;
#[cfg(test)]
mod daemon;
#[cfg(test)]
mod door;
#[cfg(test)]
mod exit_codes;
#[cfg(test)]
mod explained;
#[cfg(test)]
mod full;
#[cfg(test)]
mod guard;
#[cfg(test)]
mod hardened;
#[cfg(test)]
mod health;
#[cfg(test)]
mod in_place;
#[cfg(test)]
mod keeping;
#[cfg(test)]
mod keyed_bucket;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod kit;
#[cfg(test)]
mod looking;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod main_path;
#[cfg(test)]
mod memory;
#[cfg(test)]
#[path = "../../backup-core/tests/storage/moto.rs"]
mod moto;
#[cfg(test)]
mod network;
#[cfg(test)]
mod notify;
#[cfg(test)]
#[path = "../../backup-core/tests/soak/numbers.rs"]
mod numbers;
#[cfg(test)]
mod object_storage;
#[cfg(test)]
mod people;
#[cfg(test)]
mod private;
#[cfg(test)]
mod program;
#[cfg(test)]
mod quickstart;
#[cfg(test)]
mod recovering;
#[cfg(test)]
mod replacing;
#[cfg(test)]
mod restoring;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod secrets;
#[cfg(test)]
#[expect(dead_code, reason = "the tests of storage let it misbehave")]
#[path = "../../backup-core/tests/storage/servers.rs"]
mod servers;
#[cfg(test)]
mod setting_up;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod start;
#[cfg(test)]
mod stock_tools;
#[cfg(test)]
mod stopping;
#[cfg(test)]
mod supervised;
#[cfg(test)]
mod tree;
#[cfg(test)]
mod trusting;
#[cfg(test)]
mod trying;
#[cfg(test)]
mod turning;
#[cfg(test)]
mod upkeep;
#[cfg(test)]
mod window;
#[cfg(test)]
mod world;
