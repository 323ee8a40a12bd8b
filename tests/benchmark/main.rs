//! `tests/bench`: how fast and how small we are beside others, measured side by side.
//!
//! Makes the data sets P (a database), F (a tree of files) and R (what does not compress), lets
//! everybody store and give back the same bytes in turns, checks that what comes back is right,
//! and prints ratios. It sees our program as anybody does: by its command line. Only the
//! throw-away server is the engine's.
//!
//! ```text
//! measures    what is measured of P, F and R, readable top to bottom
//! keepers     those who store: us, restic, borg, the usual script, plain pipes
//! data        the data sets, the same for everybody and in every run of one seed
//! server      the throw-away PostgreSQL server
//! program     programs with clocks: wall time, peak memory, a time limit
//! table machine    what is printed
//! ```

mod compare;
mod data;
mod error;
mod keepers;
mod machine;
mod measures;
mod options;
mod places;
mod program;
mod run;
mod server;
mod table;

fn main() -> std::process::ExitCode {
    run::main()
}
