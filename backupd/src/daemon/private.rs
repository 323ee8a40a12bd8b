//! A daemon for one program: on a repository that it is pointed at, without configuration, jobs or
//! schedule, on a port that nobody else knows the token for. Its state is gone with it.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use backup_model::{Code, Failure};
use backupd_api::{NewSecret, NewToken, Scope, Scopes, TokenText};
use jiff::SignedDuration;

use super::Settings;
use crate::{
    clock,
    config::{
        AuditConfig, Config, HealthConfig, Listen, RepositoryConfig, RepositoryName, RepositoryUrl,
        S3Config, SecretSources, ServerConfig, UpkeepConfig,
    },
    http::Tokens,
};

/// So long its token counts.
const LIFE: SignedDuration = SignedDuration::from_hours(24 * 7);

/// What a private daemon serves.
#[derive(Clone, Debug)]
pub struct Private {
    /// Where the repository is.
    pub repository: RepositoryUrl,
    /// How it is reached, for a bucket.
    pub s3: Option<S3Config>,
    /// The root public key that it must be signed by.
    pub trust: String,
}

impl Private {
    /// Its settings; they never change. `state` is an empty folder of its own.
    pub fn settings(
        self,
        state: &Path,
        secrets: SecretSources,
        program_folders: Vec<PathBuf>,
    ) -> Result<Settings, Failure> {
        let name: RepositoryName = "private"
            .parse()
            .map_err(|error| Failure::from_error(Code::Bug, &error))?;
        let repository = RepositoryConfig {
            url: self.repository,
            trust: self.trust,
            single_writer: false,
            s3: self.s3,
        };
        let config = Config {
            files: Vec::new(),
            state: state.to_owned(),
            server: ServerConfig {
                name: "private".to_owned(),
                parallel: NonZeroUsize::MIN,
                listen: vec![Listen::Http(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))],
                hosts: Vec::new(),
                group_scopes: Scopes::default(),
                trusted_proxies: Vec::new(),
                restore_folders: Vec::new(),
                tls: None,
            },
            audit: AuditConfig::below(state),
            upkeep: UpkeepConfig {
                retention: None,
                prune: None,
                verify: None,
                probe: None,
                prune_grace: Duration::from_hours(24),
            },
            health: HealthConfig::default(),
            metrics: None,
            channels: BTreeMap::new(),
            repositories: BTreeMap::from([(name, repository)]),
            jobs: BTreeMap::new(),
            warnings: Vec::new(),
        };
        Ok(Settings::fixed(config, secrets, program_folders))
    }
}

/// The one token of a private daemon, which opens everything.
pub fn private_token(state: &Path) -> Result<TokenText, Failure> {
    let token = TokenText::generate().map_err(|error| Failure::from_error(Code::Bug, &error))?;
    let now = clock::now();
    let new = NewToken {
        id: token.id.clone(),
        label: "whoever started this daemon".to_owned(),
        scopes: Scopes(vec![Scope::Admin]),
        expires: now.checked_add(LIFE).unwrap_or(now),
        secret: NewSecret(token.digest()),
    };
    Tokens::open(state)?.add(&new, now)?;
    Ok(token)
}
