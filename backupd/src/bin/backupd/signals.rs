//! SIGTERM and SIGINT stop the daemon in order, SIGHUP reads the configuration again.

use std::{io, sync::Arc};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::Notify,
};
use tokio_util::sync::CancellationToken;

/// What signals ask for.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    stop: CancellationToken,
    reload: Arc<Notify>,
}

impl Signals {
    /// Begins to listen, until the process ends.
    pub(crate) fn listen() -> io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let signals = Self::default();
        let (stop, reload) = (signals.stop(), signals.reload());
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => stop.cancel(),
                    _ = terminate.recv() => stop.cancel(),
                    _ = hangup.recv() => reload.notify_one(),
                }
            }
        });
        Ok(signals)
    }

    pub(crate) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    pub(crate) fn reload(&self) -> Arc<Notify> {
        Arc::clone(&self.reload)
    }
}
