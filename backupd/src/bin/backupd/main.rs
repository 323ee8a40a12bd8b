//! `backupd`: the daemon. Arguments in, one daemon, exit status out; what it does is in the library.

mod cli;
mod log;
mod signals;

use std::process::ExitCode;

use backup_model::{Code, Failure};
use backupd::{
    config::LoadError,
    daemon::{self, Settings},
    environment,
    process::close_memory,
};
use clap::Parser as _;

use cli::{Cli, Command};
use signals::Signals;

/// As in `backupctl`: glibc's allocator keeps what packs were made in, once for each thread.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let closed = close_memory();
    let cli = Cli::parse();
    log::begin(cli.log_format);
    if let Err(error) = closed {
        tracing::warn!(%error, "memory, which holds keys, could not be closed to core dumps");
    }
    let Command::Run(args) = cli.command;
    let settings = match settings(args) {
        Ok(settings) => settings,
        Err(error) => return exit(&log::refused(cli.log_format, error)),
    };
    match run(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            log::failure(&failure);
            exit(&failure)
        }
    }
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

fn run(settings: Settings) -> Result<(), Failure> {
    let local = |error: std::io::Error| Failure::from_error(Code::LocalIo, &error);
    let runtime = tokio::runtime::Runtime::new().map_err(local)?;
    let ended = runtime.block_on(async {
        let signals = Signals::listen().map_err(local)?;
        daemon::run(settings, signals.stop(), signals.reload()).await
    });
    runtime.shutdown_background();
    ended
}
