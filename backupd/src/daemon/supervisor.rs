//! What a service manager is told: that the daemon is ready, reloads, stops, and is alive.
//!
//! The watchdog hears of the schedule only: it is fed when the schedule has looked at its plan, so
//! a daemon whose schedule stands still is started anew, however well all else answers.

use sd_notify::NotifyState;
use tokio::sync::watch;

use crate::schedule::Agenda;

/// Who started the daemon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Supervisor {
    /// Nobody who listens.
    #[default]
    None,
    /// A service manager that may have left `$NOTIFY_SOCKET`.
    Systemd,
}

impl Supervisor {
    /// It can be asked, and what it was told to read again is in force, or refused.
    pub(super) fn ready(self) {
        self.tell(&[
            NotifyState::Ready,
            NotifyState::Status("runs by its schedule"),
        ]);
    }

    /// It reads its configuration again.
    pub(super) fn reloading(self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.tell(&[NotifyState::Reloading, now]),
            Err(error) => tracing::warn!(%error, "the service manager does not hear of a reload"),
        }
    }

    /// It ends, in order.
    pub(super) fn stopping(self) {
        self.tell(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
    }

    /// Feeds the watchdog at each heartbeat of the schedule.
    pub(super) async fn watch(self, mut agenda: watch::Receiver<Agenda>) {
        while agenda.changed().await.is_ok() {
            self.tell(&[NotifyState::Watchdog]);
        }
    }

    fn tell(self, state: &[NotifyState<'_>]) {
        if self == Self::None {
            return;
        }
        // Without a socket it does nothing.
        if let Err(error) = sd_notify::notify(state) {
            tracing::warn!(%error, "the service manager does not hear of it");
        }
    }
}
