//! The whole benchmark: options in, table out, and the exit status.

use std::{error::Error as _, fs, io::Write as _, path::Path, process::ExitCode, time::Duration};

use clap::Parser as _;

use crate::{
    error::BenchError,
    keepers::installed,
    machine::Machine,
    measures::{Bench, database, noise, tree},
    options::{DataSet, Options},
    places::Places,
    program::Runner,
    table::Table,
};

/// Runs it; 1 when anything failed or was wrong.
pub(crate) fn main() -> ExitCode {
    match measured(Options::parse()).and_then(|text| print(&text)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn measured(mut options: Options) -> Result<String, BenchError> {
    let program =
        fs::canonicalize(&options.program).map_err(BenchError::io("find", &options.program))?;
    options.program = program;
    let peers = installed(&options)?;
    let places = Places::make(&options.dir)?;
    let runner = Runner {
        home: places.fresh("home")?,
        limit: Duration::from_secs(options.limit_secs),
    };
    let machine = Machine::look(&options, &runner)?;
    let mut bench = Bench {
        options,
        places,
        runner,
        peers,
        table: Table::default(),
        checked: Vec::new(),
    };
    if is_development_build(&bench.options.program) {
        let text = "backupctl is a DEVELOPMENT BUILD: it works as a release does, but its times \
                    and ratios say nothing.";
        bench.table.note(text.to_owned());
    }
    for set in [DataSet::P, DataSet::F, DataSet::R] {
        if bench.options.only.contains(&set) {
            match set {
                DataSet::P => database(&mut bench)?,
                DataSet::F => tree(&mut bench)?,
                DataSet::R => noise(&mut bench)?,
            }
        }
    }
    let peak = bench.table.peak_of("backupctl") as f64 / f64::from(1 << 20);
    Ok(format!(
        "\n{machine}\n{busy}\n\n{table}\n\
         ratio: of medians, to the first line of its kind · stored: bytes added, and their share \
         of the plain dump or the files\npeak memory: of the largest process, from the kernel; of \
         backupctl nowhere more than {peak:.0} MiB\nP is read by pg_dump: -Fc -Z0 for the pipe, \
         restic and borg, plain for the gpg script\n\nchecked:\n  {checked}\n",
        busy = machine.busy()?,
        table = bench.table,
        checked = bench.checked.join("\n  "),
    ))
}

/// Cargo names the folder after the profile, but for `dev`.
fn is_development_build(program: &Path) -> bool {
    program
        .parent()
        .is_some_and(|folder| folder.ends_with("debug"))
}

fn print(text: &str) -> Result<(), BenchError> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(BenchError::io("print to", Path::new("standard output")))
}

#[expect(clippy::print_stderr, reason = "this is a program's last word")]
fn complain(error: &BenchError) {
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
}
