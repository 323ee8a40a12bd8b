//! `backupctl completion`.

use backup_model::Failure;
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{cli::Cli, context::Context, exit::Exit};

/// Write a completion script for a shell to standard output.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "backupctl", &mut script);
    context.output.data(&script)?;
    Ok(Exit::DONE)
}
