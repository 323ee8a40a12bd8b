//! The command line: global flags and the list of commands. Help is the documentation below.

use std::path::PathBuf;

use backup_core::store::{Endpoint, is_region};
use backupd::config::{RepositoryUrl, UrlError};
use backupd_api::{Address, Fingerprint};
use clap::{
    Args, Parser, Subcommand, ValueEnum,
    builder::{
        FalseyValueParser, Styles,
        styling::{AnsiColor, Style},
    },
};

use crate::commands::{
    audit, backup, cat, completion, config, health, init, job, key, kit, man, notify, prune,
    quickstart, recovery_script, repo, restore, retention, runs, snapshot, status, token, verify,
    version,
};

/// Backs up PostgreSQL databases and folders into an encrypted, signed repository, and proves
/// that they can be restored.
///
/// Results go to standard output, everything else to standard error. Every flag of the form
/// `--some-flag` can be set as `BACKUPCTL_SOME_FLAG` where its help says so.
#[derive(Debug, Parser)]
#[command(
    name = "backupctl",
    version,
    styles = styles(),
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The flags that every command has.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The configuration file.
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        env = "BACKUPCTL_CONFIG"
    )]
    pub(crate) config: Option<PathBuf>,

    /// A repository instead of the configuration's: a folder, a file:// URL, or
    /// `s3://bucket/prefix` with the access key in `AWS_ACCESS_KEY_ID` and
    /// `AWS_SECRET_ACCESS_KEY`.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "BACKUPCTL_REPOSITORY",
        hide_env_values = true,
        value_parser = repository
    )]
    pub(crate) repository: Option<RepositoryUrl>,

    #[command(flatten)]
    pub(crate) s3: S3Flags,

    /// Do the work in this process, also where a daemon answers.
    #[arg(long, global = true, env = "BACKUPCTL_DIRECT", value_parser = FalseyValueParser::new())]
    pub(crate) direct: bool,

    #[command(flatten)]
    pub(crate) daemon: DaemonFlags,

    /// The root public key that the repository must be signed by.
    #[arg(long, global = true, value_name = "KEY", env = "BACKUPCTL_TRUST")]
    pub(crate) trust: Option<String>,

    /// Write JSON: one document, or JSON Lines where a command runs long.
    #[arg(long, global = true, env = "BACKUPCTL_JSON", value_parser = FalseyValueParser::new())]
    pub(crate) json: bool,

    /// Say nothing but results, warnings and errors.
    #[arg(
        short,
        long,
        global = true,
        env = "BACKUPCTL_QUIET",
        value_parser = FalseyValueParser::new()
    )]
    pub(crate) quiet: bool,

    /// When to use colours. `NO_COLOR` is honoured, too.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        env = "BACKUPCTL_COLOR",
        default_value = "auto"
    )]
    pub(crate) color: Color,

    /// Show no progress.
    #[arg(
        long,
        global = true,
        env = "BACKUPCTL_NO_PROGRESS",
        value_parser = FalseyValueParser::new()
    )]
    pub(crate) no_progress: bool,

    /// Never ask; fail where an answer would be needed.
    #[arg(
        long,
        global = true,
        env = "BACKUPCTL_NO_INPUT",
        value_parser = FalseyValueParser::new()
    )]
    pub(crate) no_input: bool,

    /// Answer every question with yes.
    #[arg(short, long, global = true, env = "BACKUPCTL_YES", value_parser = FalseyValueParser::new())]
    pub(crate) yes: bool,
}

/// A daemon elsewhere, and who we are to it.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct DaemonFlags {
    /// The daemon to ask, instead of the configuration's: `unix:/path`, `https://host:port`, or
    /// `http://127.0.0.1:port`.
    #[arg(
        short = 's',
        long = "daemon",
        global = true,
        value_name = "ADDRESS",
        env = "BACKUPCTL_DAEMON",
        conflicts_with_all = ["direct", "repository"]
    )]
    pub(crate) daemon_address: Option<Address>,

    /// The file with the token for it; others must not be able to read it.
    #[arg(long, global = true, value_name = "FILE", env = "BACKUPCTL_TOKEN_FILE")]
    pub(crate) token_file: Option<PathBuf>,

    /// The key that it must have, as it logs it: `sha256//…`. Without it, an authority that this
    /// machine trusts must vouch for its name.
    #[arg(long, global = true, value_name = "FINGERPRINT", env = "BACKUPCTL_PIN")]
    pub(crate) pin: Option<Fingerprint>,
}

/// How the bucket of `--repository` is reached.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct S3Flags {
    /// The server of a bucket, where it is not Amazon's: `https://host:port`.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "BACKUPCTL_ENDPOINT",
        hide_env_values = true,
        value_parser = Endpoint::parse
    )]
    pub(crate) endpoint: Option<Endpoint>,

    /// The region of a bucket, where its server cares.
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "BACKUPCTL_REGION",
        value_parser = region
    )]
    pub(crate) region: Option<String>,

    /// Whether a bucket is named in the path of requests and not in the host; by default where
    /// there is an --endpoint.
    #[arg(
        long,
        global = true,
        value_name = "true|false",
        num_args = 0..=1,
        default_missing_value = "true",
        require_equals = true,
        env = "BACKUPCTL_PATH_STYLE"
    )]
    pub(crate) path_style: Option<bool>,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal that can show them.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Quickstart(quickstart::Args),
    Init(init::Args),
    Status(status::Args),
    Health(health::Args),
    /// Who did what, when and from where.
    #[command(subcommand)]
    Audit(audit::Command),
    /// The channels by which people are told that something changes.
    #[command(subcommand)]
    Notify(notify::Command),
    /// The jobs: when they run, how they stand, pauses.
    #[command(subcommand)]
    Job(job::Command),
    Backup(backup::Args),
    /// What was done: runs, with what they said.
    #[command(subcommand)]
    Run(runs::Command),
    /// List snapshots, and look into them.
    #[command(subcommand)]
    Snapshot(snapshot::Command),
    Verify(verify::Args),
    Restore(restore::Args),
    Cat(cat::Args),
    /// What of a job's snapshots stays and what goes, by its policy.
    #[command(subcommand)]
    Retention(retention::Command),
    /// Delete what only forgotten snapshots used.
    #[command(subcommand)]
    Prune(prune::Command),
    /// Look at the repository's storage.
    #[command(subcommand)]
    Repo(repo::Command),
    /// Who may open backups, who may sign, and what new data is encrypted to.
    #[command(subcommand)]
    Key(key::Command),
    /// The recovery kit: all that a bare machine needs to restore.
    #[command(subcommand)]
    Kit(kit::Command),
    /// Tokens: who may ask the daemon for what, beside this machine's administrators.
    #[command(subcommand)]
    Token(token::Command),
    RecoveryScript(recovery_script::Args),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(config::Command),
    Version(version::Args),
    Completion(completion::Args),
    Man(man::Args),
}

/// A relative path on the command line is relative to the working directory.
fn repository(text: &str) -> Result<RepositoryUrl, UrlError> {
    // Without a working directory only absolute places make sense.
    match std::env::current_dir() {
        Ok(folder) => RepositoryUrl::parse(text, &folder),
        Err(_) => text.parse(),
    }
}

fn region(text: &str) -> Result<String, &'static str> {
    if is_region(text) {
        Ok(text.to_owned())
    } else {
        Err("the region is not of the form eu-central-1")
    }
}

const fn styles() -> Styles {
    let bold = Style::new().bold();
    Styles::styled()
        .header(bold)
        .usage(bold)
        .literal(AnsiColor::Cyan.on_default())
        .error(AnsiColor::Red.on_default().bold())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_flags_may_follow_the_command() {
        let cli = Cli::try_parse_from(["backupctl", "config", "check", "--json", "-c", "x"]);
        let global = cli.unwrap().global;
        assert!(global.json);
        assert_eq!(global.config, Some("x".into()));
    }

    #[test]
    fn usage_errors_have_their_status() {
        for wrong in [
            &["backupctl"][..],
            &["backupctl", "nonsense"],
            &["backupctl", "version", "--repository", "gs://bucket"],
            &["backupctl", "version", "--repository", "s3://id:key@bucket"],
            &["backupctl", "version", "--endpoint", "http://example.org"],
            &["backupctl", "version", "-v"],
        ] {
            let error = Cli::try_parse_from(wrong).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{wrong:?}");
        }
        let help = Cli::try_parse_from(["backupctl", "--help"]).unwrap_err();
        assert_eq!(help.exit_code(), 0);
    }

    #[test]
    fn path_style_may_be_said_or_denied() {
        for (flag, meant) in [
            ("--path-style", Some(true)),
            ("--path-style=false", Some(false)),
            ("--quiet", None),
        ] {
            let cli = Cli::try_parse_from(["backupctl", flag, "version"]).unwrap();
            assert_eq!(cli.global.s3.path_style, meant, "{flag}");
        }
    }

    #[test]
    fn a_relative_repository_is_made_absolute() {
        let cli = Cli::try_parse_from(["backupctl", "version", "--repository", "repo"]).unwrap();
        assert!(
            cli.global
                .repository
                .unwrap()
                .folder()
                .unwrap()
                .is_absolute()
        );
    }
}
