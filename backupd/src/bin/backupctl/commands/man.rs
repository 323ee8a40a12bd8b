//! `backupctl man`.

use std::path::PathBuf;

use backup_model::{Code, Failure};
use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::{cli::Cli, context::Context, exit::Exit};

/// Write the manual page to standard output: backupctl man | man -l -
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Write a page for each command into this folder instead, which must exist.
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    if let Some(dir) = &args.dir {
        clap_mangen::generate_to(Cli::command(), dir).map_err(|error| {
            let text = format!("could not write manual pages to {}", dir.display());
            Failure::new(Code::LocalIo, text).because(Failure::from_error(Code::LocalIo, &error))
        })?;
        return Ok(Exit::DONE);
    }
    let mut page = Vec::new();
    Man::new(Cli::command())
        .render(&mut page)
        .map_err(|error| Failure::from_error(Code::Bug, &error))?;
    context.output.data(&page)?;
    Ok(Exit::DONE)
}
