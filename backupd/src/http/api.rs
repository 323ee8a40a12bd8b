//! What the API works with, shared by all its requests.

use std::{fmt, path::PathBuf, sync::Arc};

use backupd_api::{Scopes, Service};
use ipnet::IpNet;
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    access::{AuthFailure, Failures, Tokens},
    limits::Limits,
    tasks::Tasks,
};
use crate::{audit::Audit, config::ServerConfig};

/// What can be set.
#[derive(Clone)]
pub struct Settings {
    /// What those may do who can open the socket and are neither root nor the daemon's user.
    pub group_scopes: Scopes,
    /// Names by which the daemon is called in `Host`, beside `localhost` and addresses.
    pub hosts: Vec<String>,
    /// Whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Where those may have folders restored who have not the scope `admin`.
    pub restore_folders: Vec<PathBuf>,
    /// How much there may be of everything.
    pub limits: Limits,
    /// Where what callers do is put on record.
    pub audit: Option<Audit>,
    /// Hears of failed sign-ins.
    pub auth_failed: Arc<dyn Fn(&AuthFailure) + Send + Sync>,
}

impl Settings {
    /// Those of a configuration.
    pub fn new(
        config: &ServerConfig,
        audit: Option<Audit>,
        auth_failed: impl Fn(&AuthFailure) + Send + Sync + 'static,
    ) -> Self {
        Self {
            group_scopes: config.group_scopes.clone(),
            hosts: config.hosts.clone(),
            trusted_proxies: config.trusted_proxies.clone(),
            restore_folders: config.restore_folders.clone(),
            limits: Limits::default(),
            audit,
            auth_failed: Arc::new(auth_failed),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            group_scopes,
            hosts,
            trusted_proxies,
            restore_folders,
            limits,
            audit,
            auth_failed: _,
        } = self;
        f.debug_struct("Settings")
            .field("group_scopes", group_scopes)
            .field("hosts", hosts)
            .field("trusted_proxies", trusted_proxies)
            .field("restore_folders", restore_folders)
            .field("limits", limits)
            .field("audit", audit)
            .finish_non_exhaustive()
    }
}

/// The API of one daemon.
#[derive(Clone)]
pub struct Api(pub(super) Arc<Inner>);

/// What is shared.
pub(super) struct Inner {
    service: Arc<dyn Service>,
    pub(super) settings: Settings,
    pub(super) tokens: Arc<Tokens>,
    pub(super) failures: Failures,
    pub(super) tasks: Arc<Tasks>,
    /// Ends what is answered while somebody waits.
    pub(super) closing: CancellationToken,
    pub(super) room: Arc<Semaphore>,
    /// Room for listings, which go on when the request has its answer, and those that run.
    pub(super) listings_room: Arc<Semaphore>,
    pub(super) listings: TaskTracker,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Api").field(&self.0.settings).finish()
    }
}

impl Api {
    /// An API on a service.
    pub fn new(service: Arc<dyn Service>, tokens: Arc<Tokens>, settings: Settings) -> Self {
        Self(Arc::new(Inner {
            service,
            room: Arc::new(Semaphore::new(settings.limits.requests)),
            listings_room: Arc::new(Semaphore::new(settings.limits.listings)),
            listings: TaskTracker::new(),
            settings,
            tokens,
            failures: Failures::default(),
            tasks: Arc::default(),
            closing: CancellationToken::new(),
        }))
    }

    /// Begins nothing more, and waits until the tasks that run have ended.
    pub async fn drain(&self) {
        self.0.tasks.drain().await;
    }

    /// Begins nothing more, asks the tasks and listings that run to stop, and waits for their end.
    pub async fn stop(&self) {
        self.0.closing.cancel();
        self.0.tasks.stop().await;
        self.0.listings.close();
        self.0.listings.wait().await;
    }

    pub(super) fn service(&self) -> Arc<dyn Service> {
        Arc::clone(&self.0.service)
    }
}
