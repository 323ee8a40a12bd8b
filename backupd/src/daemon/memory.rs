//! Minding the run ledger: says what is wrong with it, fills it again from the repositories when
//! it was made anew, and lets old runs go.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use backup_core::ops;
use backup_model::{Failure, JobName, Pause, Selection};
use jiff::Timestamp;
use tokio::time::{self, timeout};

use super::settings::Settings;
use crate::{
    ledger::{Entered, Keep, Ledger, LedgerStanding, Past, Subject},
    schedule::{Paused, Remembered, Task},
};

/// A repository has so long to say what it holds, before the schedule begins without it.
const SETTLE_LIMIT: Duration = Duration::from_mins(1);

const DISCARD_EVERY: Duration = Duration::from_hours(24);

/// Minds it for ever; `before` is what was said of it.
pub(super) async fn mind(settings: Arc<Settings>, ledger: Ledger, mut before: LedgerStanding) {
    let mut standing = ledger.standing();
    // What has changed since it was said is seen at once.
    standing.mark_changed();
    let mut old = time::interval(DISCARD_EVERY);
    loop {
        tokio::select! {
            changed = standing.changed() => if changed.is_err() { return },
            _ = old.tick() => {
                // It says its trouble itself.
                ledger.discard(Keep::default()).await.ok();
                if let Some(audit) = &settings.in_force().access.audit
                    && let Err(failure) = audit.discard().await
                {
                    let (code, causes) = (failure.code.as_str(), failure.causes.join(": "));
                    tracing::error!(code, causes, "old entries stay: {}", failure.message);
                }
            }
        }
        let now = standing.borrow_and_update().clone();
        tell(&before, &now);
        if now.made > before.made {
            settle(&settings, &ledger).await;
        }
        before = now;
    }
}

/// Says what is new about the ledger.
pub(super) fn tell(before: &LedgerStanding, now: &LedgerStanding) {
    if let Some(moved) = now.moved.as_ref().filter(|_| now.moved != before.moved) {
        let (to, why) = (moved.to.display(), &moved.why);
        tracing::warn!(%to, why, "the run ledger could not be believed, and was moved aside");
    }
    match (&before.trouble, &now.trouble) {
        (None, Some(trouble)) => {
            let code = trouble.code.as_str();
            tracing::error!(code, "the run ledger cannot be used: {}", trouble.message);
        }
        (Some(_), None) => tracing::info!("the run ledger can be used again"),
        _ => {}
    }
    for run in now
        .interrupted
        .iter()
        .filter(|run| !before.interrupted.contains(run))
    {
        tracing::warn!(%run, "this run was under way when the daemon ended");
    }
}

/// Enters what the repositories know of runs and the ledger does not: a run that was killed after
/// its commit is not to be made again. A repository that is not there now is no reason to wait.
pub(super) async fn settle(settings: &Settings, ledger: &Ledger) {
    let in_force = settings.in_force();
    for place in &in_force.access.places {
        let found = async {
            let repository = in_force.access.open(place).await?;
            let listed = ops::list(&repository, &Selection::All).await;
            let listed = listed.map_err(|error| error.to_failure())?;
            let found = listed.into_iter().filter_map(Result::ok).collect();
            let entered = ledger.enter_found(&place.name, found).await;
            entered.map_err(|error| Failure::from_error(error.code(), &error))
        };
        let repository = &place.name;
        match timeout(SETTLE_LIMIT, found).await {
            Ok(Ok(entered)) if entered == Entered::default() => {}
            Ok(Ok(entered)) => {
                let (external, settled) = (entered.external, entered.settled);
                tracing::info!(%repository, external, settled, "runs were found in the repository");
            }
            Ok(Err(failure)) => {
                let code = failure.code.as_str();
                tracing::warn!(%repository, code, "what ran there is not known: {}", failure.message);
            }
            Err(_) => {
                tracing::warn!(%repository, "what ran there is not known: it does not answer");
            }
        }
    }
}

/// What the ledger knows of tasks, for the schedule. One that does not answer is asked once, and
/// not for each task: the schedule begins without its memory then, rather than late.
pub(super) struct Memories<'a> {
    ledger: Option<&'a Ledger>,
    pauses: BTreeMap<JobName, Pause>,
}

impl<'a> Memories<'a> {
    pub(super) async fn open(ledger: &'a Ledger) -> Self {
        match ledger.pauses().await {
            Ok(pauses) => Self {
                ledger: Some(ledger),
                pauses,
            },
            Err(error) => {
                tracing::warn!(%error, "what ran before is not known");
                Self {
                    ledger: None,
                    pauses: BTreeMap::new(),
                }
            }
        }
    }

    /// What a task's past means to its schedule.
    pub(super) async fn of(&self, task: &Task, now: Timestamp) -> Remembered {
        let Some(ledger) = self.ledger else {
            return Remembered::default();
        };
        let subject = match (task.job(), task.repository()) {
            (Some(job), _) => Subject::Job(job.clone()),
            (None, repository) => Subject::Repository(repository.unwrap_or_default().to_owned()),
        };
        let past = ledger.past(task.kind(), subject).await;
        let past = past.unwrap_or_else(|error| {
            tracing::warn!(%task, %error, "what ran before is not known");
            Past::default()
        });
        let paused = match task {
            Task::Backup(job) => self.pauses.get(job).filter(|pause| pause.holds(now)),
            // A pause keeps a job from running; what it has stored is looked after all the same.
            _ => None,
        };
        Remembered {
            last_due: past.last_due,
            last_success: past.last_success,
            failed_tries: past.failed_tries,
            failed_at: past.failed_at,
            paused: paused.map(|pause| pause.until.map_or(Paused::Indefinitely, Paused::Until)),
        }
    }
}
