//! The configuration: one TOML file, `conf.d/*.toml` beside it, and what they mean.
//!
//! Text becomes raw tables, raw tables become a checked [`Config`], and every problem on the way
//! is collected: a reader hears of all of them at once, each with its file, line and remedy.
//! A `Config` that exists is right as far as that can be known without using it.
//!
//! Secrets are not part of it: it holds references, which are resolved when they are needed.
//! Nothing here asks the environment; programs hand in what they found there.

mod check;
mod checked;
mod find;
mod health;
mod load;
mod name;
mod notify;
mod preset;
mod problem;
mod raw;
mod secret;
mod server;
mod table;
mod url;

#[cfg(test)]
mod tests;

pub use checked::{
    AuditConfig, CommandSource, Config, Connection, CredentialRefs, FilesSource, JobConfig,
    PostgresSource, RepositoryConfig, S3Config, SourceConfig, SourceKind, UpkeepConfig,
    VerifyConfig,
};
pub use find::Places;
pub use health::{HealthConfig, WatchedUrl, WatchedUrlError};
pub use load::{LoadError, load};
pub use name::{ChannelName, RepositoryName, SourceName};
pub use notify::{ChannelConfig, MailConfig};
pub use problem::{Problem, Problems};
pub use secret::{SecretError, SecretRef, SecretSources};
pub use server::{Listen, ServerConfig, TlsConfig};
pub use url::{Bucket, RepositoryUrl, UrlError};
