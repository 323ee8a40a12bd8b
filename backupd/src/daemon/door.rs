//! Where the daemon can be asked: sockets and addresses, and who may ask there.

use std::sync::Arc;

use backup_model::{AuditOutcome, Code, Failure};
use backupd_api::{Address, Service};
use backupd_audit::Act;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Settings;
use crate::{
    audit::Audit,
    http::{self, Api, AuthFailure, Listeners, Server, Tokens},
    metrics,
};

/// An open door, behind which nobody answers yet.
#[derive(Debug)]
pub(super) struct Door {
    api: Api,
    listeners: Listeners,
}

/// Opens it.
pub(super) async fn open(settings: &Settings, service: Arc<dyn Service>) -> Result<Door, Failure> {
    let in_force = settings.in_force();
    let (config, secrets) = (&in_force.config, &in_force.access.secrets);
    let tokens = Arc::new(Tokens::open(&config.state)?);
    let listeners = http::listen(&config.server, &config.state, secrets).await?;
    let audit = in_force.access.audit.clone();
    let hears = audit.clone();
    let api = http::Settings::new(&config.server, audit, move |failure| {
        tracing::warn!("{failure}");
        refused(hears.as_ref(), failure);
    });
    Ok(Door {
        api: Api::new(service, tokens, api),
        listeners,
    })
}

/// Puts a failed sign-in on record. Nobody waits for it: whoever failed shall not learn how long a
/// disk takes.
fn refused(audit: Option<&Audit>, failure: &AuthFailure) {
    let Some(audit) = audit.cloned() else {
        return;
    };
    let token = failure.id.as_deref().unwrap_or("-");
    let act = Act {
        outcome: AuditOutcome::Refused,
        source: Some(failure.source.clone()),
        ..Act::new("nobody", "sign-in", token)
    };
    tokio::spawn(async move {
        if let Err(failure) = audit.record(act).await {
            tracing::error!("a failed sign-in is not on record: {}", failure.message);
        }
    });
}

/// Opens the address at which metrics are read, where one is configured.
pub(super) async fn open_metrics(settings: &Settings) -> Result<Option<TcpListener>, Failure> {
    let Some(address) = settings.in_force().config.metrics else {
        return Ok(None);
    };
    let opened = metrics::open(address).await;
    let listener = opened.map_err(|error| Failure {
        causes: vec![error.to_string()],
        ..Failure::new(Code::Listen, format!("cannot listen at {address}"))
    })?;
    let address = listener.local_addr().unwrap_or(address);
    tracing::info!(%address, "metrics are here");
    Ok(Some(listener))
}

impl Door {
    /// Where it is.
    pub(super) fn addresses(&self) -> &[Address] {
        self.listeners.addresses()
    }

    /// Answers until told to stop; then what was begun by request is told to stop, too. Told to
    /// leave, it lets that come to its end first, and then everything stops.
    pub(super) async fn serve(self, stop: CancellationToken, leave: CancellationToken) {
        let server = Server::new(&self.api);
        let leaving = async {
            leave.cancelled().await;
            self.api.drain().await;
        };
        let stopping = async {
            tokio::select! {
                () = stop.cancelled() => {}
                () = leaving => stop.cancel(),
            }
            self.api.stop().await;
        };
        tokio::join!(server.serve(self.listeners, stop.clone()), stopping);
    }
}
