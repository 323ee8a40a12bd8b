//! `backupd`: the daemon. Arguments in, one daemon, exit status out; what it does is in the library.

mod cli;
mod json;
mod log;
mod private;
mod signals;

use std::{io, process::ExitCode};

use backup_model::{Code, Failure};
use backupd::{
    arguments::refused_value,
    config::LoadError,
    daemon::{self, Orders, Settings, Supervisor},
    environment,
    process::close_memory,
};
use backupd_api::Address;
use clap::{CommandFactory as _, Parser as _};
use clap_mangen::Man;

use cli::{Cli, Command, LogFormat};

/// As in `backupctl`: glibc's allocator keeps what packs were made in, once for each thread.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let closed = close_memory();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return unusable(&error),
    };
    log::begin(cli.log_format);
    if let Err(error) = closed {
        tracing::warn!(%error, "memory, which holds keys, could not be closed to core dumps");
    }
    let ended = match cli.command {
        Command::Man => manual(),
        Command::Run(args) if args.private => private::run(*args),
        Command::Run(args) => match settings(*args) {
            Ok(settings) => {
                let orders = Orders {
                    supervisor: Supervisor::Systemd,
                    ..Orders::default()
                };
                run(settings, &orders, |_| ())
            }
            Err(error) => return exit(&log::refused(cli.log_format, error)),
        },
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            log::failure(&failure);
            exit(&failure)
        }
    }
}

/// Says what is wrong with the arguments, or their help. How the log is written stands in them.
fn unusable(error: &clap::Error) -> ExitCode {
    let Some(failure) = refused_value(error) else {
        error.exit()
    };
    log::begin(LogFormat::Text);
    log::failure(&failure);
    exit(&failure)
}

fn manual() -> Result<(), Failure> {
    let page = Man::new(Cli::command());
    page.render(&mut io::stdout())
        .map_err(|error| local(&error))
}

fn exit(failure: &Failure) -> ExitCode {
    ExitCode::from(failure.code.exit())
}

fn settings(args: cli::RunArgs) -> Result<Settings, LoadError> {
    let places = environment::places(args.config);
    let (secrets, folders) = (
        environment::secret_sources(),
        environment::program_folders(),
    );
    Settings::load(places, secrets, folders)
}

fn run(settings: Settings, orders: &Orders, ready: impl FnOnce(&[Address])) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| local(&error))?;
    let ended = runtime.block_on(async {
        signals::listen(orders).map_err(|error| local(&error))?;
        daemon::run(settings, orders.clone(), ready).await
    });
    runtime.shutdown_background();
    ended
}

fn local(error: &io::Error) -> Failure {
    Failure::from_error(Code::LocalIo, error)
}
