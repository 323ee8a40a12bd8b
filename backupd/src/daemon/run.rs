//! One life of the daemon: it takes the state folder, runs what is due, answers whoever asks,
//! follows its configuration, and ends in order when it is told to.

use std::{future::pending, sync::Arc, time::Duration};

use backup_model::{Code, Failure};
use backupd_api::Address;
use tokio::{sync::Notify, task, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Changes, Reloaded, Settings,
    board::Board,
    door,
    hosted::Hosted,
    memory::{self, mind, remembered, settle},
    runner::Runner,
    runs::Runs,
    upkeep::timings,
};
use crate::{
    clock,
    ledger::{Ledger, LedgerStanding},
    schedule::{AlarmError, Alarms, Control, Driver, Event, Task, Timed},
};

/// Runs that were told to stop have so long to end. What they have stored, the next run takes up.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// What a daemon is told while it runs.
#[derive(Clone, Debug, Default)]
pub struct Orders {
    /// Stop: what runs is stopped, too.
    pub stop: CancellationToken,
    /// Begin nothing more, and stop when what was asked for has ended.
    pub leave: CancellationToken,
    /// Read the configuration again.
    pub reload: Arc<Notify>,
}

/// Runs until told to stop. Says where it answers as soon as it does. An error is one with which
/// it cannot go on, or begin.
pub async fn run(
    settings: Settings,
    orders: Orders,
    ready: impl FnOnce(&[Address]),
) -> Result<(), Failure> {
    let Orders {
        stop,
        leave,
        reload,
    } = orders;
    let settings = Arc::new(settings);
    let state = settings.in_force().config.state.clone();
    let ledger = Ledger::open(&state, clock::now).await;
    let ledger = ledger.map_err(|error| Failure::from_error(error.code(), &error))?;
    memory::tell(&LedgerStanding::default(), &ledger.standing().borrow());
    let (alarms, bells) = Alarms::start().await.map_err(|error| failed(&error))?;
    let (driver, control, mut events) = Driver::new(clock::now, bells);
    let mut alarms = tokio::spawn(alarms.follow(control.agenda()));
    let runs = Runs::default();
    let board = Arc::new(Board::new(
        Arc::clone(&settings),
        ledger.clone(),
        runs.clone(),
        control.agenda(),
    ));
    let runner = Runner::new(
        Arc::clone(&settings),
        ledger.clone(),
        control.clone(),
        Arc::clone(&board),
        runs.clone(),
        stop.clone(),
    );
    let hosted = Hosted {
        settings: Arc::clone(&settings),
        ledger: ledger.clone(),
        control: control.clone(),
        board: Arc::clone(&board),
        runs,
        runner: runner.clone(),
        stop: stop.clone(),
    };
    // Opened before anything begins: a daemon that nobody can ask is not started by mistake.
    let door = door::open(&settings, Arc::new(hosted)).await?;
    let parts = TaskTracker::new();
    parts.spawn(driver.run(stop.clone()));
    settle(&settings, &ledger).await;
    plan(&settings, &ledger, &control).await?;
    let (keeper, looker) = (Arc::clone(&board), Arc::clone(&board));
    let (told, told_too) = (stop.clone(), stop.clone());
    parts.spawn(async move { keeper.keep(&told).await });
    parts.spawn(async move { looker.look(&told_too).await });
    parts.spawn(mind(Arc::clone(&settings), ledger.clone(), stop.clone()));
    ready(door.addresses());
    parts.spawn(door.serve(stop.clone(), leave));
    parts.close();
    let mut changes = watch(&settings);
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
            () = reload.notified() => {
                follow(&settings, &ledger, &control, &board, &mut changes).await?;
            }
            () = changed(&mut changes) => {
                follow(&settings, &ledger, &control, &board, &mut changes).await?;
            }
            done = &mut alarms => break Err(alarms_ended(done)),
        }
    };
    tracing::info!("stopping");
    stop.cancel();
    let in_time = runner.ended_within(STOP_LIMIT).await;
    let in_time = timeout(STOP_LIMIT, parts.wait()).await.is_ok() && in_time;
    if !in_time {
        tracing::warn!("not everything ended within {} s", STOP_LIMIT.as_secs());
    }
    // Whoever still holds it has not ended: then what is written is written.
    drop((runner, board));
    if in_time {
        ledger.close().await;
    }
    ended
}

/// Reads the configuration again, and plans by it if it is another.
async fn follow(
    settings: &Arc<Settings>,
    ledger: &Ledger,
    control: &Control,
    board: &Board,
    changes: &mut Option<Changes>,
) -> Result<(), Failure> {
    let server = settings.in_force().config.server.clone();
    let reading = Arc::clone(settings);
    let reloaded = task::spawn_blocking(move || reading.reload()).await;
    match reloaded.map_err(|error| Failure::from_error(Code::Bug, &error))? {
        Reloaded::Same => {}
        Reloaded::Changed => {
            tracing::info!("another configuration is in force");
            if settings.in_force().config.server != server {
                tracing::warn!("what it says of [server] holds from the next start");
            }
            plan(settings, ledger, control).await?;
            board.planned();
            *changes = watch(settings);
        }
        Reloaded::Refused(failure) => {
            let code = failure.code.as_str();
            tracing::error!(
                code,
                "the configuration stays as it was: {}",
                failure.message
            );
            // Each with its file, line and column.
            for problem in &failure.causes {
                tracing::error!(code, "{problem}");
            }
        }
    }
    board.changed();
    Ok(())
}

/// Plans the jobs that have a schedule, and what there is to do besides. Nobody has to wait a week
/// to hear whether a store can be trusted.
async fn plan(settings: &Settings, ledger: &Ledger, control: &Control) -> Result<(), Failure> {
    let in_force = settings.in_force();
    let jobs = in_force.config.jobs.iter();
    let backups =
        jobs.filter_map(|(name, job)| Some((Task::Backup(name.clone()), job.timing.clone()?)));
    let mut tasks = Vec::new();
    for (task, timing) in backups.chain(timings(&in_force.config)) {
        let mut remembered = remembered(ledger, &task, clock::now()).await;
        if matches!(task, Task::Probe(_) | Task::Verify(_)) {
            remembered = remembered.or_due_before(clock::now(), &timing.schedule);
        }
        tasks.push(Timed {
            task,
            timing,
            remembered,
        });
    }
    let planned = control.replace(tasks).await;
    planned.map_err(|error| Failure::from_error(Code::Bug, &error))
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
