//! The verbs.

use backup_model::Failure;

use super::{add, credentials, host, list, password, remove, rotate, test};
use crate::{context::Context, exit::Exit};

/// What to do with keys.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    List(list::Args),
    Test(test::Args),
    Add(add::Args),
    Remove(remove::Args),
    Rotate(rotate::Args),
    Host(host::Args),
    Password(password::Args),
    Credentials(credentials::Args),
}

pub(crate) async fn run(command: &Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::List(args) => list::run(args, context).await,
        Command::Test(args) => test::run(args, context).await,
        Command::Add(args) => add::run(args, context).await,
        Command::Remove(args) => remove::run(args, context).await,
        Command::Rotate(args) => rotate::run(args, context).await,
        Command::Host(args) => host::run(args, context).await,
        Command::Password(args) => password::run(args, context).await,
        Command::Credentials(args) => credentials::run(args, context).await,
    }
}
