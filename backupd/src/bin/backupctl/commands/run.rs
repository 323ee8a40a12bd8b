//! From the command line's words to the function that does it.

use backup_model::Failure;

use super::{
    audit, backup, cat, completion, config, health, init, job, key, kit, man, notify, prune,
    quickstart, recovery_script, repo, restore, retention, runs, snapshot, status, token, verify,
    version,
};
use crate::{cli::Command, context::Context, exit::Exit};

/// Runs one command.
pub(crate) async fn run(command: Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::Quickstart(args) => quickstart::run(args, context).await,
        Command::Init(args) => init::run(args, context).await,
        Command::Status(args) => status::run(args, context).await,
        Command::Health(args) => health::run(&args, context).await,
        Command::Audit(command) => audit::run(command, context).await,
        Command::Notify(command) => notify::run(command, context).await,
        Command::Job(command) => job::run(command, context).await,
        Command::Run(command) => runs::run(command, context).await,
        Command::Token(command) => token::run(command, context).await,
        Command::Backup(args) => backup::run(&args, context).await,
        Command::Snapshot(command) => snapshot::run(command, context).await,
        Command::Verify(args) => verify::run(args, context).await,
        Command::Restore(args) => restore::run(args, context).await,
        Command::Cat(args) => cat::run(&args, context).await,
        Command::Retention(command) => retention::run(command, context).await,
        Command::Prune(command) => prune::run(command, context).await,
        Command::Repo(command) => repo::run(&command, context).await,
        Command::Key(command) => key::run(&command, context).await,
        Command::Kit(command) => kit::run(command, context).await,
        Command::RecoveryScript(args) => Ok(recovery_script::run(&args, context)),
        Command::Config(command) => config::run(&command, context),
        Command::Version(args) => Ok(version::run(&args, context)),
        Command::Completion(args) => completion::run(&args, context),
        Command::Man(args) => man::run(&args, context),
    }
}
