//! What each program of this package does about its own process first.

use std::io;

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Memory holds keys and passwords, which a core dump would leave on a disk, and which any other
/// program of the same user could read. The limit alone does not hold where cores go to a program;
/// it goes along to children, who hold the data.
pub fn close_memory() -> io::Result<()> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none)?;
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}
