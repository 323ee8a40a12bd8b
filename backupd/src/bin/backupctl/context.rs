//! What every command is given: the flags that all share, the output, the wish to stop.

use std::sync::Arc;

use backup_model::{Failure, Progress};
use backupd::config::{self, Config, LoadError, Places};

use crate::{cli::Global, environment, output::Output, progress, signals::Stop};

/// The surroundings of a command.
#[derive(Debug)]
pub(crate) struct Context {
    /// Where data and words go.
    pub(crate) output: Arc<Output>,
    /// The flags that every command has.
    pub(crate) global: Global,
    /// Whether to stop.
    pub(crate) stop: Stop,
}

#[expect(dead_code, reason = "for the commands that work with repositories")]
impl Context {
    /// Where an operation tells its progress.
    pub(crate) fn progress(&self) -> Arc<dyn Progress> {
        progress::progress(&self.output)
    }

    /// Asks for a yes; anything else is a failure.
    pub(crate) async fn confirm(&self, question: &str) -> Result<(), Failure> {
        self.output.confirm(question, &self.stop).await
    }
}

impl Context {
    /// Where the configuration and state may be.
    pub(crate) fn places(&self) -> Places {
        environment::places(self.global.config.clone())
    }

    /// The configuration. What is wrong with it is shown in full before this returns.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        config::load(&self.places()).map_err(|error| {
            let shown = match &error {
                LoadError::Invalid(problems) => self.output.problems(problems),
                _ => false,
            };
            let failure = Failure::from(error);
            if shown {
                return Failure::new(failure.code, failure.message);
            }
            failure
        })
    }
}
