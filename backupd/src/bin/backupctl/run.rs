//! The life of the process: arguments in, one command, exit status out.

use std::{io, process::ExitCode, sync::Arc};

use backup_model::{Code, Failure};
use clap::Parser as _;
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::{cli::Cli, commands, context::Context, exit::Exit, output::Output, signals::Stop};

/// Runs the command that the arguments name.
pub(crate) fn run() -> ExitCode {
    let cores = forbid_core_dumps();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return Output::usage(&error).into(),
    };
    let output = Arc::new(Output::new(&cli.global));
    if let Err(error) = cores {
        let message = "core dumps could not be switched off: they would hold keys";
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

/// Memory holds keys and passwords, which a core dump would leave on a disk.
fn forbid_core_dumps() -> io::Result<()> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    Ok(setrlimit(Resource::Core, none)?)
}
