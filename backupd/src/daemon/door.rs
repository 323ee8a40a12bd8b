//! Where the daemon can be asked: its socket, and who may ask there.

use std::sync::Arc;

use backup_model::Failure;
use backupd_api::{Scopes, Service};
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

use super::Settings;
use crate::http::{self, Api, Server, Tokens};

/// Requests that are answered at one time. Whoever follows a task takes one for as long.
const MOST_REQUESTS: usize = 128;

/// An open door, behind which nobody answers yet.
#[derive(Debug)]
pub(super) struct Door {
    api: Api,
    listener: UnixListener,
}

/// Opens it.
pub(super) async fn open(settings: &Settings, service: Arc<dyn Service>) -> Result<Door, Failure> {
    let in_force = settings.in_force();
    let tokens = Arc::new(Tokens::open(&in_force.config.state)?);
    let listener = http::listen(&in_force.config.socket()).await?;
    let api = http::Settings {
        group_scopes: Scopes::default(),
        hosts: Vec::new(),
        most_requests: MOST_REQUESTS,
        auth_failed: Arc::new(|failure| tracing::warn!("{failure}")),
    };
    Ok(Door {
        api: Api::new(service, tokens, api),
        listener,
    })
}

impl Door {
    /// Answers until told to stop; then what was begun by request is told to stop, too.
    pub(super) async fn serve(self, stop: CancellationToken) {
        let server = Server::new(&self.api);
        let stopping = async {
            stop.cancelled().await;
            self.api.stop().await;
        };
        tokio::join!(server.serve(self.listener, stop.clone()), stopping);
    }
}
