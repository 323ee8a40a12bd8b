//! The life of the process: arguments in, one command, exit status out.

use std::{process::ExitCode, sync::Arc};

use backup_model::{Code, Failure};
use backupd::process::close_memory;
use clap::Parser as _;

use crate::{cli::Cli, commands, context::Context, exit::Exit, output::Output, signals::Stop};

/// Runs the command that the arguments name.
pub(crate) fn run() -> ExitCode {
    let closed = close_memory();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return Output::usage(&error).into(),
    };
    let output = Arc::new(Output::new(&cli.global));
    if let Err(error) = closed {
        let message = "memory, which holds keys, could not be closed to core dumps and debuggers";
        output.warning(&Failure {
            causes: vec![error.to_string()],
            ..Failure::new(Code::LocalIo, message)
        });
    }
    let exit = match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let exit = runtime.block_on(command(cli, Arc::clone(&output)));
            // A thread may still wait for an answer on standard input; nobody waits for it.
            runtime.shutdown_background();
            exit
        }
        Err(error) => output.failure(&Failure::from_error(Code::LocalIo, &error)),
    };
    output.finish(exit).into()
}

async fn command(cli: Cli, output: Arc<Output>) -> Exit {
    let stop = match Stop::listen(Arc::clone(&output)) {
        Ok(stop) => stop,
        Err(error) => return output.failure(&Failure::from_error(Code::LocalIo, &error)),
    };
    let context = Context {
        output: Arc::clone(&output),
        global: cli.global,
        stop: stop.clone(),
    };
    match commands::run(cli.command, &context).await {
        Ok(exit) => exit,
        Err(failure) => output.failure(&stop.explain(failure)),
    }
}
