//! What the API works with, shared by all its requests.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use backupd_api::{Scopes, Service};
use tokio::sync::Semaphore;

use super::{
    access::{AuthFailure, Failures, Tokens},
    tasks::Tasks,
};

/// What can be set.
#[derive(Clone)]
pub struct Settings {
    /// What those may do who can open the socket and are neither root nor the daemon's user.
    pub group_scopes: Scopes,
    /// Names by which the daemon is called in `Host`, beside `localhost`.
    pub hosts: Vec<String>,
    /// Requests that are answered at one time.
    pub most_requests: usize,
    /// Hears of failed sign-ins.
    pub auth_failed: Arc<dyn Fn(&AuthFailure) + Send + Sync>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            group_scopes,
            hosts,
            most_requests,
            auth_failed: _,
        } = self;
        f.debug_struct("Settings")
            .field("group_scopes", group_scopes)
            .field("hosts", hosts)
            .field("most_requests", most_requests)
            .finish_non_exhaustive()
    }
}

/// The API of one daemon.
#[derive(Clone)]
pub struct Api(pub(super) Arc<Inner>);

/// What is shared.
pub(super) struct Inner {
    service: RwLock<Arc<dyn Service>>,
    pub(super) settings: Settings,
    pub(super) tokens: Arc<Tokens>,
    pub(super) failures: Failures,
    pub(super) tasks: Arc<Tasks>,
    pub(super) room: Arc<Semaphore>,
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
            service: RwLock::new(service),
            room: Arc::new(Semaphore::new(settings.most_requests)),
            settings,
            tokens,
            failures: Failures::default(),
            tasks: Arc::default(),
        }))
    }

    /// Answers by another service from now on: a new configuration. What runs goes on with the
    /// one that it was begun with.
    pub fn replace(&self, service: Arc<dyn Service>) {
        let mut current = self
            .0
            .service
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = service;
    }

    /// Begins nothing more, asks the tasks that run to stop, and waits for their end.
    pub async fn stop(&self) {
        self.0.tasks.stop().await;
    }

    pub(super) fn service(&self) -> Arc<dyn Service> {
        let current = self
            .0
            .service
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }
}
