//! What can be done with recovery kits.

use backup_model::Failure;

use super::{confirm, create, print};
use crate::{context::Context, exit::Exit};

/// What to do with a recovery kit.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    Create(create::Args),
    Print(print::Args),
    Confirm(confirm::Args),
}

/// Always in this process: keys go to no other.
pub(crate) async fn run(command: Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::Create(args) => {
            let work = Box::pin(create::run(args, context));
            context.on_record("kit.create", "kit", work).await
        }
        Command::Print(args) => print::run(&args, context),
        Command::Confirm(args) => {
            let work = Box::pin(confirm::run(args, context));
            context.on_record("kit.confirm", "kit", work).await
        }
    }
}
