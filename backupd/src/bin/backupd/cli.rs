//! The arguments of `backupd`.

use std::path::PathBuf;

use backup_core::store::Endpoint;
use backupd::config::RepositoryUrl;

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
    Run(Box<RunArgs>),
    /// Write the manual page to standard output: backupd man | man -l -
    Man,
}

/// What the daemon works with.
#[derive(clap::Args, Debug)]
pub(crate) struct RunArgs {
    /// The configuration; by default what `backupctl` finds, too.
    #[arg(short, long, value_name = "FILE", conflicts_with = "private")]
    pub(crate) config: Option<PathBuf>,

    /// Serve one repository to one program, without configuration, jobs or schedule: on a loopback
    /// port, which is written to standard output with the token for it, as JSON on one line. When
    /// standard input ends, what was asked for is done, and the daemon ends.
    #[arg(long, requires_all = ["repository", "trust"])]
    pub(crate) private: bool,

    /// The repository: a folder, a file:// URL, or `s3://bucket/prefix` with the access key in
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    #[arg(long, value_name = "URL", requires = "private", hide_env_values = true)]
    pub(crate) repository: Option<RepositoryUrl>,

    /// The root public key that it must be signed by.
    #[arg(long, value_name = "KEY", requires = "private")]
    pub(crate) trust: Option<String>,

    /// The server of a bucket, where it is not Amazon's: `https://host:port`.
    #[arg(long, value_name = "URL", requires = "private", value_parser = Endpoint::parse)]
    pub(crate) endpoint: Option<Endpoint>,

    /// The region of a bucket, where its server cares.
    #[arg(long, value_name = "NAME", requires = "private")]
    pub(crate) region: Option<String>,
}
