//! tokio-cron-scheduler, as what wakes the driver: one entry for each task, at the time at which
//! the plan wants to be asked about it, and one that rings regularly.
//!
//! It is given times and not patterns, because of a pattern it knows the offset of its zone on
//! the day it was added only: after the clocks change it would be an hour off. It compares with
//! the wall clock twice a second, so that an alarm goes off soon after a suspend or a jump. The
//! regular one notices what no alarm was set for, and is the heartbeat of the schedule.
//!
//! An alarm is a hint: one too many, too late or lost changes nothing of what is due.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError, job::JobId};

use super::{Agenda, Task};

/// Every ten seconds, in the crate's own words.
const HEARTBEAT: &str = "*/10 * * * * *";

/// The scheduler would not start, or not take an alarm.
#[derive(Debug, thiserror::Error)]
#[error("the scheduler cannot {doing}")]
pub struct AlarmError {
    doing: &'static str,
    #[source]
    source: JobSchedulerError,
}

/// Rings a bell when something may be due.
pub struct Alarms {
    scheduler: JobScheduler,
    bell: mpsc::Sender<()>,
    set: BTreeMap<Task, (Timestamp, JobId)>,
}

impl Alarms {
    /// Starts the scheduler, with the regular alarm. Of a bell that waits to be heard, one is enough.
    pub async fn start() -> Result<(Self, mpsc::Receiver<()>), AlarmError> {
        let (bell, bells) = mpsc::channel(1);
        let failed = failed("start");
        let scheduler = JobScheduler::new().await.map_err(failed)?;
        let rings = bell.clone();
        let heartbeat = Job::new(HEARTBEAT, move |_, _| ring(&rings)).map_err(failed)?;
        scheduler.add(heartbeat).await.map_err(failed)?;
        scheduler.start().await.map_err(failed)?;
        let set = BTreeMap::new();
        Ok((
            Self {
                scheduler,
                bell,
                set,
            },
            bells,
        ))
    }

    /// Sets the alarms that an agenda wants, until the driver is gone.
    pub async fn follow(mut self, mut agenda: watch::Receiver<Agenda>) -> Result<(), AlarmError> {
        while agenda.changed().await.is_ok() {
            let now = agenda.borrow_and_update().clone();
            self.set(&now).await?;
        }
        self.scheduler.shutdown().await.map_err(failed("stop"))
    }

    async fn set(&mut self, agenda: &Agenda) -> Result<(), AlarmError> {
        let wanted = |task: &Task| agenda.tasks.get(task).and_then(|standing| standing.look);
        let old = std::mem::take(&mut self.set);
        let (kept, outdated) = old
            .into_iter()
            .partition(|(task, (at, _))| wanted(task) == Some(*at));
        self.set = kept;
        for (_, (_, id)) in outdated {
            self.scheduler
                .remove(&id)
                .await
                .map_err(failed("forget an alarm"))?;
        }
        for (task, standing) in &agenda.tasks {
            let Some(at) = standing.look.filter(|_| !self.set.contains_key(task)) else {
                continue;
            };
            let bell = self.bell.clone();
            let alarm = Job::new_one_shot(wait(agenda.at, at), move |_, _| ring(&bell));
            let alarm = alarm.map_err(failed("make an alarm"))?;
            let id = self
                .scheduler
                .add(alarm)
                .await
                .map_err(failed("take an alarm"))?;
            self.set.insert(task.clone(), (at, id));
        }
        Ok(())
    }
}

/// The scheduler counts in whole seconds, and from its own look at the clock: rather a second
/// late than one too early, when nothing is due yet.
fn wait(now: Timestamp, at: Timestamp) -> Duration {
    let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default();
    wait.saturating_add(Duration::from_secs(1))
}

/// A full bell rings already, and one that nobody hears needs not to.
fn ring(bell: &mpsc::Sender<()>) {
    bell.try_send(()).ok();
}

fn failed(doing: &'static str) -> impl Fn(JobSchedulerError) -> AlarmError + Copy {
    move |source| AlarmError { doing, source }
}

impl std::fmt::Debug for Alarms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Alarms")
            .field("set", &self.set)
            .finish_non_exhaustive()
    }
}
