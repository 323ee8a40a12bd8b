//! The arguments of `backupd`.

use std::path::PathBuf;

/// Runs the jobs of a configuration by their schedules, and answers whoever may ask.
#[derive(clap::Parser, Debug)]
#[command(name = "backupd", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// How the log is written, to standard error.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, global = true)]
    pub(crate) log_format: LogFormat,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How a line of the log looks.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// A JSON object a line.
    Json,
}

/// What to do.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    /// Run in the foreground until SIGTERM or SIGINT; SIGHUP reads the configuration again.
    Run(RunArgs),
}

/// What the daemon works with.
#[derive(clap::Args, Debug)]
pub(crate) struct RunArgs {
    /// The configuration; by default what `backupctl` finds, too.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}
