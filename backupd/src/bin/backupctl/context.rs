//! What every command is given: the flags that all share, the output, the wish to stop.

use std::{collections::BTreeMap, sync::Arc};

use backup_model::{Failure, Progress};
use backupd::{
    config::{self, Config, LoadError, Places},
    service::{Access, Direct, Place},
};
use backupd_api::Task;

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

    /// What the service may touch: the repository on the command line, or the configuration.
    pub(crate) fn access(&self) -> Result<Access, Failure> {
        let secrets = environment::secret_sources();
        let folders = environment::program_folders();
        let Some(url) = self.global.repository.clone() else {
            return Ok(Access::of_config(self.config()?, secrets, folders));
        };
        Ok(Access {
            places: vec![Place {
                name: url.path().display().to_string(),
                url,
                trust: self.global.trust.clone(),
            }],
            jobs: BTreeMap::new(),
            state: self.places().default_state(),
            secrets,
            program_folders: folders,
        })
    }

    /// The service that does the work, in this process.
    pub(crate) fn service(&self) -> Result<Direct, Failure> {
        Ok(Direct::new(self.access()?))
    }

    /// What goes along with long work.
    pub(crate) fn task(&self) -> Task {
        Task {
            progress: self.progress(),
            cancel: self.stop.token().clone(),
        }
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
