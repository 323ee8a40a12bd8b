//! `backupctl config …`.

use std::path::PathBuf;

use backup_model::{Code, Failure};
use backupd::config::{self, LoadError, Problem};
use serde::Serialize;

use crate::{context::Context, exit::Exit, show};

/// What to do with the configuration.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    /// Say everything that is wrong with the configuration, or that it is right.
    Check,
}

#[derive(Serialize)]
struct Check {
    ok: bool,
    files: Vec<PathBuf>,
    jobs: usize,
    repositories: usize,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::Check => check(context),
    }
}

fn check(context: &Context) -> Result<Exit, Failure> {
    if !context.output.is_json() {
        let config = context.config()?;
        for warning in &config.warnings {
            context.output.doubt(warning);
        }
        context.output.text(&format!(
            "ok: {}, {}",
            show::count(config.jobs.len(), "job", "jobs"),
            show::count(config.repositories.len(), "repository", "repositories"),
        ));
        return Ok(Exit::DONE);
    }
    let (exit, check) = match config::load(&context.places()) {
        Ok(config) => {
            let check = Check {
                ok: true,
                files: config.files,
                jobs: config.jobs.len(),
                repositories: config.repositories.len(),
                problems: Vec::new(),
                warnings: config.warnings,
            };
            (Exit::DONE, check)
        }
        Err(LoadError::Invalid(problems)) => {
            let check = Check {
                ok: false,
                files: Vec::new(),
                jobs: 0,
                repositories: 0,
                problems: problems.0,
                warnings: Vec::new(),
            };
            (Exit::of(Code::Config), check)
        }
        Err(error) => return Err(error.into()),
    };
    context.output.line("config-check", &check);
    Ok(exit)
}
