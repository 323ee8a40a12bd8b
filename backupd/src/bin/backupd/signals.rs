//! SIGTERM and SIGINT stop the daemon in order, SIGHUP reads the configuration again.

use std::io;

use backupd::daemon::Orders;
use tokio::signal::unix::{SignalKind, signal};

/// Begins to listen, until the process ends.
pub(crate) fn listen(orders: &Orders) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let (stop, reload) = (orders.stop.clone(), orders.reload.clone());
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => stop.cancel(),
                _ = terminate.recv() => stop.cancel(),
                _ = hangup.recv() => reload.notify_one(),
            }
        }
    });
    Ok(())
}
