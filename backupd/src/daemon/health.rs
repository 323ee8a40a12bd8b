//! What was measured of the house, kept for a while: whoever asks again and again hears the same,
//! and no database is asked for it. How the jobs and the daemon stand is told as it is now.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use backup_model::{ChannelState, Failure, HealthItem, HealthReport, StatusReport};
use jiff::Timestamp;
use tokio::{sync::Mutex, task};

use super::InForce;
use crate::{
    clock,
    health::{self, Asked, Guessed},
};

/// How long a measurement is told.
const KEEP: Duration = Duration::from_secs(30);

/// Where health is asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Desk {
    guessed: Guessed,
    kept: Arc<Mutex<Option<Kept>>>,
}

#[derive(Debug)]
struct Kept {
    /// By which configuration it was measured.
    by: Arc<InForce>,
    since: Instant,
    at: Timestamp,
    items: Vec<HealthItem>,
}

impl Desk {
    /// How everything stands.
    pub(super) async fn report(
        &self,
        in_force: &Arc<InForce>,
        status: Result<&StatusReport, &Failure>,
        channels: &[ChannelState],
    ) -> HealthReport {
        let (access, desk) = (&in_force.access, self.clone());
        let by = Arc::clone(in_force);
        // It goes on when whoever asked is gone: else asking and leaving would ask everybody anew.
        let measured = task::spawn(async move { desk.measured(by).await }).await;
        let (at, mut items) = measured.unwrap_or_else(|error| {
            let fix = "This is a mistake in this program. Please report it.";
            let lost = HealthItem::unknown("health", "daemon", error, fix);
            (clock::now(), vec![lost])
        });
        items.extend(health::channels(channels, clock::now()));
        let asked = Asked::Daemon;
        let mut report = health::report(access, status, &asked, items, clock::now());
        report.at = at;
        report
    }

    /// What was measured; by one at a time, and all who wait hear of it.
    async fn measured(&self, by: Arc<InForce>) -> (Timestamp, Vec<HealthItem>) {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = kept.as_ref()
            && Arc::ptr_eq(&kept.by, &by)
            && kept.since.elapsed() < KEEP
        {
            return (kept.at, kept.items.clone());
        }
        let at = clock::now();
        let items = health::look(&by.access, &self.guessed, at).await;
        *kept = Some(Kept {
            by,
            since: Instant::now(),
            at,
            items: items.clone(),
        });
        (at, items)
    }
}
