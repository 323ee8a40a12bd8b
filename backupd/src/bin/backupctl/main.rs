//! `backupctl`: the command line of backupd.
//!
//! A command is one file in `commands`: an `Args` struct, whose documentation is its help, and
//! one function, which asks the library to do the work and hands data to `output`. Nothing else
//! prints; nothing here knows how a backup is made.

mod ask;
mod cli;
mod commands;
mod context;
mod environment;
mod exit;
mod output;
mod person;
mod progress;
mod run;
mod show;
mod signals;
mod table;

/// Packs are buffers of 16 MiB that one thread fills and another frees. glibc's allocator keeps
/// such buffers for each thread once they are freed, which doubles the memory of the process.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    run::run()
}
