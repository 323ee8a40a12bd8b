//! Those who store: what they are called, how they store, how they give back.

mod borg;
mod gpg;
mod input;
mod keeper;
mod ours;
mod pipe;
mod restic;

pub(crate) use input::Input;
pub(crate) use keeper::{Dump, Keeper, installed, make};
pub(crate) use ours::Ours;
pub(crate) use pipe::AgeKey;
