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
    let action = match command {
        Command::List(args) => return list::run(args, context).await,
        Command::Test(_) => "key.test",
        Command::Add(_) => "key.add",
        Command::Remove(_) => "key.remove",
        Command::Rotate(_) => "key.rotate",
        Command::Host(_) => "key.host",
        Command::Password(_) => "key.password",
        Command::Credentials(_) => "key.credentials",
    };
    let work = Box::pin(done(command, context));
    context.on_record(action, "keys", work).await
}

async fn done(command: &Command, context: &Context) -> Result<Exit, Failure> {
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
