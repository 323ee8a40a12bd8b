//! What every command is given: the flags that all share, the output, the wish to stop.

use std::{collections::BTreeMap, sync::Arc};

use backup_keys::read_private;
use backup_model::{Code, Failure, Progress};
use backupd::{
    audit::Audit,
    config::{self, Config, LoadError, Places, RepositoryUrl, S3Config, SecretSources},
    environment,
    service::{Access, Direct, Place, Watched},
};
use backupd_api::{Address, HttpService, Service, Target, Task};
use backupd_audit::Act;
use secrecy::ExposeSecret as _;

use crate::{
    cli::{Global, S3Flags},
    output::Output,
    progress,
    signals::Stop,
};

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
            let mut access = Access::of_config(self.config()?, secrets, folders);
            access.audit = access.audit.map(|audit| self.told(audit));
            return Ok(access);
        };
        Ok(Access {
            places: vec![Place {
                name: url.shown(),
                s3: self.s3(&url, &secrets)?,
                url,
                trust: self.global.trust.clone(),
                single_writer: false,
                state: self.places().default_state(),
            }],
            jobs: BTreeMap::new(),
            audit: None,
            state: self.places().default_state(),
            secrets,
            program_folders: folders,
            watched: Watched::default(),
        })
    }

    /// The log, of whose trouble this program tells.
    fn told(&self, audit: Audit) -> Audit {
        let output = Arc::clone(&self.output);
        audit.telling(move |failure| output.warning(failure))
    }

    /// How the repository on the command line is reached.
    pub(crate) fn s3(
        &self,
        url: &RepositoryUrl,
        secrets: &SecretSources,
    ) -> Result<Option<S3Config>, Failure> {
        s3_by(&self.global.s3, url, secrets)
    }

    /// The service that does the work: the daemon, where one answers, else this process.
    pub(crate) async fn service(&self) -> Result<Box<dyn Service>, Failure> {
        match self.daemon().await? {
            Some(daemon) => Ok(Box::new(daemon)),
            None => Ok(Box::new(self.direct()?)),
        }
    }

    /// The daemon to ask: the one on the command line, or the one that answers at the
    /// configuration's socket; none where nobody listens there, and this process does the work
    /// itself. A daemon that is there and does not answer as it should is a failure: two would do
    /// the same work without knowing of each other.
    pub(crate) async fn daemon(&self) -> Result<Option<HttpService>, Failure> {
        if let Some(address) = self.global.daemon.daemon_address.clone() {
            return HttpService::reach(self.target(address)?).await.map(Some);
        }
        if self.global.direct || self.global.repository.is_some() {
            return Ok(None);
        }
        let config = self.config()?;
        let Some(socket) = config.server.socket() else {
            return Ok(None);
        };
        HttpService::find(self.target(Address::unix(socket))?).await
    }

    fn target(&self, address: Address) -> Result<Target, Failure> {
        let flags = &self.global.daemon;
        let token = flags.token_file.as_deref().map(read_private).transpose();
        let token = token.map_err(|error| Failure::from_error(Code::SignIn, &error))?;
        Ok(Target {
            address,
            token: token.map(|text| text.expose_secret().trim().into()),
            pin: flags.pin,
        })
    }

    /// The service that does the work in this process, whoever else is there.
    pub(crate) fn direct(&self) -> Result<Direct, Failure> {
        Ok(Direct::new(self.access()?).recorded(who()))
    }

    /// Does something in this process with its beginning and its end on record, where there is a
    /// configuration.
    pub(crate) async fn on_record<T>(
        &self,
        action: &str,
        object: &str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        // A configuration that cannot be used is told of by the work itself.
        let config = match &self.global.repository {
            None => config::load(&self.places()).ok(),
            Some(_) => None,
        };
        let Some(config) = config else {
            return work.await;
        };
        let act = Act {
            client: Some(concat!("backupctl ", env!("CARGO_PKG_VERSION")).to_owned()),
            ..Act::new(who(), action, object)
        };
        let audit = self.told(Audit::new(&config.audit, &config.state));
        audit.around(act, work).await
    }

    /// What goes along with long work.
    pub(crate) fn task(&self) -> Task {
        Task {
            progress: self.progress(),
            cancel: self.stop.token().clone(),
            asked_by: None,
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

/// Who runs this program, for the record.
pub(crate) fn who() -> String {
    format!("uid {}", rustix::process::getuid().as_raw())
}

/// How a repository without a configuration is reached: by flags, and by the variables in which
/// all programs for S3 look for access keys.
pub(crate) fn s3_by(
    flags: &S3Flags,
    url: &RepositoryUrl,
    secrets: &SecretSources,
) -> Result<Option<S3Config>, Failure> {
    if matches!(url, RepositoryUrl::Folder(_)) {
        if flags.endpoint.is_some() {
            let text = "--endpoint is for --repository s3://…";
            return Err(Failure::new(Code::Usage, text));
        }
        return Ok(None);
    }
    let S3Flags {
        endpoint,
        region,
        path_style,
    } = flags.clone();
    let config = S3Config::by_environment(endpoint, region, path_style, secrets);
    Ok(Some(config))
}
