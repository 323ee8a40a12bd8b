//! One life of the daemon: it takes the state folder, runs what is due, answers whoever asks,
//! follows its configuration, and ends in order when it is told to.

use std::{future::pending, sync::Arc, time::Duration};

use backup_model::{Code, Failure};
use backupd_api::{Address, Service};
use tokio::{
    sync::{Notify, mpsc},
    task::{self, JoinHandle},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Changes, Reloaded, Settings, Supervisor, aftermath,
    board::Board,
    door,
    health::Desk,
    hosted::Hosted,
    memory::{self, Memories, mind, settle},
    on_record,
    runner::Runner,
    runs::Runs,
    upkeep::timings,
};
use crate::{
    clock,
    config::Config,
    ledger::{Ledger, LedgerStanding},
    metrics::{self, Counters},
    notify::{self, Post},
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
    /// Who started it, and wants to hear how it fares.
    pub supervisor: Supervisor,
}

/// Runs until told to stop. Says where it answers as soon as it does. An error is one with which
/// it cannot go on, or begin.
pub async fn run(
    settings: Settings,
    orders: Orders,
    ready: impl FnOnce(&[Address]),
) -> Result<(), Failure> {
    let settings = Arc::new(settings);
    let state = settings.in_force().config.state.clone();
    let ledger = Ledger::open(&state, clock::now).await;
    let ledger = ledger.map_err(|error| Failure::from_error(error.code(), &error))?;
    let told = ledger.standing().borrow().clone();
    memory::tell(&LedgerStanding::default(), &told);
    let (alarms, bells) = Alarms::start().await.map_err(|error| failed(&error))?;
    let (driver, control, events) = Driver::new(clock::now, bells);
    let life = Life {
        told,
        ..Life::new(settings, ledger, control, orders.stop.clone())
    };
    // Opened before anything begins: a daemon that nobody can ask is not started by mistake.
    let door = door::open(&life.settings, life.service()).await?;
    let metrics = door::open_metrics(&life.settings).await?;

    let parts = TaskTracker::new();
    let alarms = tokio::spawn(alarms.follow(life.control.agenda()));
    parts.spawn(driver.run(orders.stop.clone()));
    life.board.write().await;
    ready(door.addresses());
    orders.supervisor.ready();
    let watched = orders.supervisor.watch(life.control.agenda());
    let stop = orders.stop.clone();
    parts.spawn(async move { stop.run_until_cancelled(watched).await });
    if let Some(listener) = metrics {
        let board = Arc::clone(&life.board);
        let page = move || board.metrics();
        parts.spawn(metrics::serve(listener, page, orders.stop.clone()));
    }
    parts.spawn(door.serve(orders.stop.clone(), orders.leave.clone()));
    life.spawn(&parts);
    parts.close();
    let begun = orders.stop.run_until_cancelled(async {
        on_record::note(&life.settings, "daemon.start").await;
        aftermath::make_up(&life.settings, &life.ledger, &life.stop).await;
        settle(&life.settings, &life.ledger).await;
        life.plan().await
    });
    begun.await.transpose()?;
    tracing::info!(state = %state.display(), "backupd {} is up", env!("CARGO_PKG_VERSION"));
    let ended = life.heed(events, alarms, &orders).await;
    orders.supervisor.stopping();
    life.end(&parts).await;
    ended
}

/// Says what of a new configuration holds from the next start only.
fn later(before: &Config, now: &Config) {
    for (changed, table) in [
        (before.server != now.server, "server"),
        (before.audit != now.audit, "audit"),
        (before.metrics != now.metrics, "metrics"),
    ] {
        if changed {
            tracing::warn!("what it says of [{table}] holds from the next start");
        }
    }
}

/// What lasts as long as the daemon.
struct Life {
    settings: Arc<Settings>,
    ledger: Ledger,
    control: Control,
    board: Arc<Board>,
    runs: Runs,
    runner: Runner,
    stop: CancellationToken,
    /// What was said of the ledger.
    told: LedgerStanding,
}

impl Life {
    fn new(
        settings: Arc<Settings>,
        ledger: Ledger,
        control: Control,
        stop: CancellationToken,
    ) -> Self {
        let runs = Runs::default();
        let board = Arc::new(Board::new(
            Arc::clone(&settings),
            ledger.clone(),
            runs.clone(),
            control.agenda(),
            Post::new(Counters::default(), stop.clone()),
        ));
        let runner = Runner::new(
            Arc::clone(&settings),
            ledger.clone(),
            control.clone(),
            Arc::clone(&board),
            runs.clone(),
            stop.clone(),
        );
        Self {
            settings,
            ledger,
            control,
            board,
            runs,
            runner,
            stop,
            told: LedgerStanding::default(),
        }
    }

    /// What answers whoever asks.
    fn service(&self) -> Arc<dyn Service> {
        Arc::new(Hosted {
            settings: Arc::clone(&self.settings),
            ledger: self.ledger.clone(),
            control: self.control.clone(),
            board: Arc::clone(&self.board),
            runs: self.runs.clone(),
            runner: self.runner.clone(),
            health: Desk::default(),
            stop: self.stop.clone(),
        })
    }

    /// Has the channels that are configured.
    fn arrange(&self) {
        let in_force = self.settings.in_force();
        let post = self.board.post();
        let (config, secrets) = (&in_force.config, &in_force.access.secrets);
        for job in config.jobs.keys() {
            post.counters().job(job);
        }
        post.arrange(
            &config.channels,
            &config.server.name,
            secrets,
            &config.state,
        );
    }

    /// Begins what goes on beside all else until the end.
    fn spawn(&self, parts: &TaskTracker) {
        self.arrange();
        let state = self.settings.in_force().config.state.clone();
        let telling = notify::follow(self.board.report(), self.board.post().clone(), state);
        let stop = self.stop.clone();
        parts.spawn(async move { stop.run_until_cancelled(telling).await });
        let (keeper, stop) = (Arc::clone(&self.board), self.stop.clone());
        parts.spawn(async move { keeper.keep(&stop).await });
        let (looker, stop) = (Arc::clone(&self.board), self.stop.clone());
        parts.spawn(async move { looker.look(&stop).await });
        let (settings, ledger, told) = (
            Arc::clone(&self.settings),
            self.ledger.clone(),
            self.told.clone(),
        );
        let stop = self.stop.clone();
        parts.spawn(async move { stop.run_until_cancelled(mind(settings, ledger, told)).await });
    }

    /// Begins what is due and follows the configuration, until told to stop.
    async fn heed(
        &self,
        mut events: mpsc::Receiver<Event>,
        alarms: JoinHandle<Result<(), AlarmError>>,
        orders: &Orders,
    ) -> Result<(), Failure> {
        let mut alarms = Some(alarms);
        // The files may have changed since they were read.
        let mut changes = None;
        self.look_at_files(&mut changes).await?;
        loop {
            tokio::select! {
                // Looked at first: all else ends because of it.
                biased;
                () = self.stop.cancelled() => return Ok(()),
                event = events.recv() => match event {
                    Some(Event::Due(due)) => self.runner.begin(due),
                    Some(Event::Skipped(skipped)) => self.runner.note(&skipped),
                    None => {
                        let text = "the schedule has ended by itself";
                        return Err(Failure::new(Code::Bug, text));
                    }
                },
                () = orders.reload.notified() => {
                    orders.supervisor.reloading();
                    self.look_at_files(&mut changes).await?;
                    orders.supervisor.ready();
                }
                () = changed(&mut changes) => self.look_at_files(&mut changes).await?,
                done = ended(&mut alarms) => {
                    // The schedule has a bell of its own, and backups must not depend on this one.
                    let failure = alarms_ended(done);
                    let causes = failure.causes.join(": ");
                    tracing::error!(causes, "alarms come late from now on: {}", failure.message);
                    alarms = None;
                }
            }
        }
    }

    /// Stops everything, and waits for it within limits.
    async fn end(self, parts: &TaskTracker) {
        tracing::info!("stopping");
        self.stop.cancel();
        let all = async {
            tokio::join!(self.runner.all_ended(), parts.wait());
            on_record::note(&self.settings, "daemon.stop").await;
            let ledger = self.ledger.clone();
            // It is closed when nobody holds it any more.
            drop(self);
            ledger.close().await;
        };
        if timeout(STOP_LIMIT, all).await.is_err() {
            tracing::warn!("not everything ended within {} s", STOP_LIMIT.as_secs());
        }
    }

    /// Follows the configuration, unless told to stop meanwhile.
    async fn look_at_files(&self, changes: &mut Option<Changes>) -> Result<(), Failure> {
        let followed = self.stop.run_until_cancelled(self.follow(changes)).await;
        followed.unwrap_or(Ok(()))
    }

    /// Reads the configuration again, and plans by it if it is another. What changes from now on
    /// is watched before anything is read, so that nothing falls between.
    async fn follow(&self, changes: &mut Option<Changes>) -> Result<(), Failure> {
        *changes = watch(&self.settings);
        let before = self.settings.in_force();
        let reading = Arc::clone(&self.settings);
        let reloaded = task::spawn_blocking(move || reading.reload()).await;
        match reloaded.map_err(|error| Failure::from_error(Code::Bug, &error))? {
            Reloaded::Same => {}
            Reloaded::Changed => {
                tracing::info!("another configuration is in force");
                on_record::note(&self.settings, "configuration").await;
                later(&before.config, &self.settings.in_force().config);
                // It may be in other files.
                *changes = watch(&self.settings);
                self.arrange();
                self.plan().await?;
                self.board.planned();
            }
            Reloaded::Refused(failure) => {
                refused(&failure);
                on_record::refused(&self.settings, &failure).await;
            }
        }
        self.board.changed();
        Ok(())
    }

    /// Plans the jobs that have a schedule, and what there is to do besides. Nobody has to wait a
    /// week to hear whether a store can be trusted.
    async fn plan(&self) -> Result<(), Failure> {
        let in_force = self.settings.in_force();
        let jobs = in_force.config.jobs.iter();
        let backups =
            jobs.filter_map(|(name, job)| Some((Task::Backup(name.clone()), job.timing.clone()?)));
        let now = clock::now();
        let memory = Memories::open(&self.ledger).await;
        let mut tasks = Vec::new();
        for (task, timing) in backups.chain(timings(&in_force.config)) {
            let mut remembered = memory.of(&task, now).await;
            if matches!(task, Task::Probe(_) | Task::Verify(_)) {
                remembered = remembered.or_due_before(now, &timing.schedule);
            }
            tasks.push(Timed {
                task,
                timing,
                remembered,
            });
        }
        let planned = self.control.replace(tasks).await;
        planned.map_err(|error| Failure::from_error(Code::Bug, &error))
    }
}

fn refused(failure: &Failure) {
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

async fn ended<T>(task: &mut Option<JoinHandle<T>>) -> Result<T, task::JoinError> {
    match task {
        Some(task) => task.await,
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
