//! A hook: what the configuration says of it, and one run of it.

use std::{ffi::OsString, process::Command, time::Duration};

use backup_core::child::{OnceError, once};
use backup_model::{Code, Event, Failure, JobName, Progress, RunId, RunOutcome};
use tokio::task;
use tokio_util::sync::CancellationToken;

/// What a hook's failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The run fails. Before a backup: it is not made.
    Fail,
    /// The run ends with a warning.
    Warn,
}

/// A program to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// An absolute path, or a name without `/` that is looked for in `PATH`.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// How long it may take.
    pub timeout: Duration,
    /// What its failure means.
    pub on_failure: OnFailure,
}

/// The programs around a job's backups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hooks {
    /// Before it, in this order.
    pub before: Vec<Hook>,
    /// After a success, with warnings or without.
    pub after: Vec<Hook>,
    /// After a failure, of the backup or of a hook. A run that somebody stopped has not failed.
    pub failed: Vec<Hook>,
    /// At the end, whatever happened.
    pub finally: Vec<Hook>,
}

/// What a hook may know of the run.
#[derive(Clone, Debug)]
pub struct HookContext {
    /// The job.
    pub job: JobName,
    /// The run, where a ledger knows it.
    pub run: Option<RunId>,
    /// The search path for programs.
    pub path: Option<OsString>,
}

/// No program is quoted with more than its last lines.
const LINES: usize = 200;

impl Hook {
    /// Runs it. What it says is told when it has ended.
    pub(super) async fn run(
        &self,
        context: &HookContext,
        outcome: RunOutcome,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        let command = self.command(context, outcome);
        let (program, limit, cancel) = (self.program.clone(), self.timeout, cancel.clone());
        let ran = task::spawn_blocking(move || once(&program, command, limit, &cancel)).await;
        let ran = ran.map_err(|error| Failure::from_error(Code::Bug, &error))?;
        let say = |line: &str| {
            let text = format!("{}: {line}", self.program);
            progress.event(Event::Noted { text });
        };
        let left_out = ran.said.lines().count().saturating_sub(LINES);
        if left_out > 0 {
            say(&format!("({left_out} lines before these are left out)"));
        }
        ran.said.lines().skip(left_out).for_each(say);
        ran.done.map_err(|error| {
            let code = match error {
                OnceError::Cancelled { .. } => Code::Interrupted,
                _ => Code::Hook,
            };
            Failure::from_error(code, &error)
        })
    }

    fn command(&self, context: &HookContext, outcome: RunOutcome) -> Command {
        let run = context.run.map(|run| run.to_string());
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .env("BACKUPD_JOB", context.job.as_str())
            .env("BACKUPD_RUN", run.unwrap_or_default())
            .env("BACKUPD_OUTCOME", outcome.as_str())
            .current_dir("/");
        if let Some(path) = &context.path {
            command.env("PATH", path);
        }
        command
    }
}
