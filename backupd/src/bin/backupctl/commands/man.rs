//! `backupctl man`.

use backup_model::{Code, Failure};
use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::{cli::Cli, context::Context, exit::Exit};

/// Write the manual page to standard output: backupctl man | man -l -
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args, context: &Context) -> Result<Exit, Failure> {
    let mut page = Vec::new();
    Man::new(Cli::command())
        .render(&mut page)
        .map_err(|error| Failure::from_error(Code::Bug, &error))?;
    context.output.data(&page)?;
    Ok(Exit::DONE)
}
