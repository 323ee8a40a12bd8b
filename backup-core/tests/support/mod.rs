//! What the engine's tests share: a repository of folders, made through the public functions, and
//! stores to make it on.

#![expect(
    dead_code,
    clippy::allow_attributes,
    unused_imports,
    reason = "each test binary uses a part of it"
)]

pub(crate) mod servers;
pub(crate) mod world;

pub(crate) use world::{World, job, verify};
