//! From the command line's words to the function that does it.

use backup_model::Failure;

use super::{completion, config, man, version};
use crate::{cli::Command, context::Context, exit::Exit};

/// Runs one command.
pub(crate) async fn run(command: Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::Config(command) => config::run(&command, context),
        Command::Version(args) => Ok(version::run(&args, context)),
        Command::Completion(args) => completion::run(&args, context),
        Command::Man(args) => man::run(&args, context),
    }
}
