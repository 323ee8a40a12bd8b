//! Long work that outlives whoever began it: its log, which can be read from any line on, and the
//! running of it.

mod log;
mod registry;
mod work;

pub(super) use log::Reader;
pub(super) use registry::{Begun, Tasks};
