//! What the engine's tests share: a repository of folders, made through the public functions.

pub(crate) mod world;

pub(crate) use world::{World, job, verify};
