//! One life of the daemon: it takes the state folder, runs what is due, follows its configuration,
//! and ends in order when it is told to.

use std::{future::pending, sync::Arc, time::Duration};

use backup_core::ops;
use backup_model::{Code, Failure, Selection};
use tokio::{sync::Notify, task, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    Changes, Reloaded, Settings,
    runner::{Runner, remembered},
    upkeep::timings,
};
use crate::{
    clock,
    ledger::{Entered, Ledger},
    schedule::{AlarmError, Alarms, Control, Driver, Event, Task, Timed},
};

/// Runs that were told to stop have so long to end. What they have stored, the next run takes up.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// A repository has so long to say what it holds, before the schedule begins without it.
const SETTLE_LIMIT: Duration = Duration::from_mins(1);

/// Runs until told to stop. An error is one with which it cannot go on, or begin.
pub async fn run(
    settings: Settings,
    stop: CancellationToken,
    reload: Arc<Notify>,
) -> Result<(), Failure> {
    let settings = Arc::new(settings);
    let state = settings.in_force().config.state.clone();
    let ledger = Ledger::open(&state, clock::now).await;
    let ledger = ledger.map_err(|error| Failure::from_error(error.code(), &error))?;
    tell(&ledger);
    let (alarms, bells) = Alarms::start().await.map_err(|error| failed(&error))?;
    let (driver, control, mut events) = Driver::new(clock::now, bells);
    let driver = tokio::spawn(driver.run(stop.clone()));
    let mut alarms = tokio::spawn(alarms.follow(control.agenda()));
    settle(&settings, &ledger).await;
    plan(&settings, &ledger, &control).await?;
    let mut changes = watch(&settings);
    let mut runner = Runner::new(
        Arc::clone(&settings),
        ledger.clone(),
        control.clone(),
        stop.clone(),
    );
    tracing::info!(state = %state.display(), "backupd {} is up", env!("CARGO_PKG_VERSION"));
    let ended = loop {
        tokio::select! {
            // Looked at first: all else ends because of it.
            biased;
            () = stop.cancelled() => break Ok(()),
            event = events.recv() => match event {
                Some(Event::Due(due)) => runner.begin(due),
                Some(Event::Skipped(skipped)) => runner.note(skipped).await,
                None => break Err(Failure::new(Code::Bug, "the schedule has ended by itself")),
            },
            () = reload.notified() => follow(&settings, &ledger, &control, &mut changes).await?,
            () = changed(&mut changes) => {
                follow(&settings, &ledger, &control, &mut changes).await?;
            }
            done = &mut alarms => break Err(alarms_ended(done)),
        }
    };
    tracing::info!("stopping");
    stop.cancel();
    if !runner.ended_within(STOP_LIMIT).await {
        tracing::warn!("not everything ended within {} s", STOP_LIMIT.as_secs());
    }
    driver.await.ok();
    ended
}

/// Reads the configuration again, and plans by it if it is another.
async fn follow(
    settings: &Arc<Settings>,
    ledger: &Ledger,
    control: &Control,
    changes: &mut Option<Changes>,
) -> Result<(), Failure> {
    let reading = Arc::clone(settings);
    let reloaded = task::spawn_blocking(move || reading.reload()).await;
    match reloaded.map_err(|error| Failure::from_error(Code::Bug, &error))? {
        Reloaded::Same => {}
        Reloaded::Changed => {
            tracing::info!("another configuration is in force");
            plan(settings, ledger, control).await?;
            *changes = watch(settings);
        }
        Reloaded::Refused(failure) => {
            let causes = failure.causes.join("\n");
            let code = failure.code.as_str();
            tracing::error!(
                code,
                causes,
                "the configuration stays as it was: {}",
                failure.message
            );
        }
    }
    Ok(())
}

/// Plans the jobs that have a schedule, and what keeps things in order.
async fn plan(settings: &Settings, ledger: &Ledger, control: &Control) -> Result<(), Failure> {
    let in_force = settings.in_force();
    let mut tasks = Vec::new();
    for (name, job) in &in_force.config.jobs {
        let Some(timing) = job.timing.clone() else {
            continue;
        };
        tasks.push(Timed {
            task: Task::Backup(name.clone()),
            timing,
            remembered: remembered(ledger, &Task::Backup(name.clone()), clock::now()).await,
        });
    }
    for (task, timing) in timings(&in_force.config) {
        tasks.push(Timed {
            remembered: remembered(ledger, &task, clock::now()).await,
            task,
            timing,
        });
    }
    let planned = control.replace(tasks).await;
    planned.map_err(|error| Failure::from_error(Code::Bug, &error))
}

/// Enters what the repositories know of runs and the ledger does not: a run that was killed after
/// its commit is not to be made again. A repository that is not there now is no reason to wait.
async fn settle(settings: &Settings, ledger: &Ledger) {
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

/// Says what was found when the ledger was opened.
fn tell(ledger: &Ledger) {
    let standing = ledger.standing().borrow().clone();
    if let Some(moved) = &standing.moved {
        let (to, why) = (moved.to.display(), &moved.why);
        tracing::warn!(%to, why, "the run ledger could not be believed, and was moved aside");
    }
    if let Some(trouble) = &standing.trouble {
        let code = trouble.code.as_str();
        tracing::error!(code, "the run ledger cannot be used: {}", trouble.message);
    }
    for run in &standing.interrupted {
        tracing::warn!(%run, "this run was under way when the daemon ended");
    }
}

/// Without it, SIGHUP says when to look.
fn watch(settings: &Settings) -> Option<Changes> {
    let watched = Changes::watch(&settings.in_force().config.files);
    watched
        .inspect_err(|error| tracing::warn!(%error, "changes of the configuration are not seen"))
        .ok()
}

async fn changed(changes: &mut Option<Changes>) {
    match changes {
        Some(changes) => changes.next().await,
        None => pending().await,
    }
}

fn alarms_ended(done: Result<Result<(), AlarmError>, task::JoinError>) -> Failure {
    match done {
        Ok(Ok(())) => Failure::new(Code::Bug, "the scheduler has ended by itself"),
        Ok(Err(error)) => failed(&error),
        Err(error) => Failure::from_error(Code::Bug, &error),
    }
}

fn failed(error: &AlarmError) -> Failure {
    Failure::from_error(Code::Bug, error)
}
