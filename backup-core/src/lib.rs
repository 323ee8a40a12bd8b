//! The backup engine: reads sources, stores them deduplicated, compressed and encrypted, proves
//! them and restores them.
//!
//! Imports point down only, and a test checks it:
//!
//! ```text
//! ops            one file an operation, readable top to bottom
//! source  sink   what is read, and where a restore goes
//! retention      policy and records to a plan; pure
//! postgres       servers and client programs, for sources, sinks and throw-away clusters
//! pipeline       streams to packs and back; the only place with CPU threads
//! repo           open, trust, sessions, snapshots, the local index
//! store          keys and bytes
//! child          programs as children: started, watched, read from
//! chunk codec crypt format     pure bytes to bytes: no I/O, no clock, no tokio
//! ```
//!
//! The engine knows nothing of HTTP, windows, terminals, environment variables or schedules. Time
//! and randomness for ids come from the caller or the system's generator; secrets come in and
//! never go out.

pub mod child;
pub mod chunk;
pub mod codec;
pub mod crypt;
pub mod format;
pub mod ops;
pub mod pipeline;
pub mod postgres;
pub mod repo;
pub mod retention;
pub mod sink;
pub mod source;
pub mod store;
