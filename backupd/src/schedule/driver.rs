//! The plan, alive: asked at every ring of a bell, told what began and ended, heard by a runner.
//!
//! A runner that is slow to hear what is due holds up bells, never commands: it may be waiting
//! for one of its own to be taken. What was not heard when the driver stops was not begun, and
//! is found again at the next start.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{self, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use super::{Ended, Event, Paused, Plan, Standing, Task, Timed};

/// Whoever rings the bell may fail to, and backups must not depend on it: so often the driver looks
/// at the plan by itself.
const LOOK_EVERY: Duration = Duration::from_secs(20);

/// What is planned, as of some moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agenda {
    /// When the plan was last asked: the scheduler's heartbeat.
    pub at: Timestamp,
    /// How things stand with each task.
    pub tasks: BTreeMap<Task, Standing>,
}

/// The schedule's driver has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the schedule is not running any more")]
pub struct Gone;

enum Command {
    Replace(Vec<Timed>, oneshot::Sender<()>),
    Begin(Task, oneshot::Sender<bool>),
    Ended(Task, Ended, oneshot::Sender<()>),
    Pause(Task, Paused, oneshot::Sender<bool>),
    Resume(Task, oneshot::Sender<bool>),
}

/// Tells the driver what happens. Once all of them are gone, it ends.
#[derive(Clone, Debug)]
pub struct Control {
    commands: mpsc::Sender<Command>,
    agenda: watch::Receiver<Agenda>,
}

/// Says what is due, until it is stopped.
pub struct Driver {
    plan: Plan,
    clock: Box<dyn Fn() -> Timestamp + Send>,
    commands: mpsc::Receiver<Command>,
    bells: mpsc::Receiver<()>,
    events: mpsc::Sender<Event>,
    agenda: watch::Sender<Agenda>,
}

impl Driver {
    /// A driver without tasks. It looks at the clock when a bell rings or something happens;
    /// what it has to say comes out of the receiver.
    pub fn new(
        clock: impl Fn() -> Timestamp + Send + 'static,
        bells: mpsc::Receiver<()>,
    ) -> (Self, Control, mpsc::Receiver<Event>) {
        const QUEUE: usize = 16;
        let (to_driver, commands) = mpsc::channel(QUEUE);
        let (events, heard) = mpsc::channel(QUEUE);
        let (agenda, shown) = watch::channel(Agenda::default());
        let driver = Self {
            plan: Plan::default(),
            clock: Box::new(clock),
            commands,
            bells,
            events,
            agenda,
        };
        let control = Control {
            commands: to_driver,
            agenda: shown,
        };
        (driver, control, heard)
    }

    /// Works until told to stop, or until nobody is there any more who listens or speaks.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut unheard = VecDeque::new();
        let mut own_bell = time::interval(LOOK_EVERY);
        own_bell.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let command = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                permit = self.events.reserve(), if !unheard.is_empty() => {
                    let Ok(permit) = permit else { return };
                    if let Some(event) = unheard.pop_front() {
                        permit.send(event);
                    }
                    continue;
                }
                command = self.commands.recv() => {
                    let Some(command) = command else { return };
                    Some(command)
                }
                Some(()) = self.bells.recv(), if unheard.is_empty() => None,
                _ = own_bell.tick(), if unheard.is_empty() => None,
            };
            if let Some(command) = command {
                unheard.extend(self.obey(command));
            }
            unheard.extend(self.plan.advance((self.clock)()));
            self.publish();
        }
    }

    /// Does as told. Whoever asked may be gone before the answer: then nobody needs it.
    fn obey(&mut self, command: Command) -> Vec<Event> {
        let now = (self.clock)();
        let told = match command {
            Command::Replace(tasks, done) => {
                let mut events = self.plan.replace(tasks, now);
                events.extend(self.plan.advance(now));
                self.publish();
                done.send(()).ok();
                return events;
            }
            Command::Ended(task, ended, done) => {
                self.plan.ended(&task, ended, now);
                self.publish();
                done.send(()).ok();
                return Vec::new();
            }
            Command::Begin(task, answer) => (self.plan.begin(&task), answer),
            Command::Pause(task, until, answer) => (self.plan.pause(&task, until), answer),
            Command::Resume(task, answer) => (self.plan.resume(&task), answer),
        };
        self.publish();
        told.1.send(told.0).ok();
        Vec::new()
    }

    fn publish(&self) {
        self.agenda.send_replace(Agenda {
            at: (self.clock)(),
            tasks: self.plan.standing(),
        });
    }
}

impl Control {
    /// Takes these tasks instead of all there were. What is known of those that stay is kept.
    pub async fn replace(&self, tasks: Vec<Timed>) -> Result<(), Gone> {
        self.ask(|done| Command::Replace(tasks, done)).await
    }

    /// Asks to begin a run that no schedule asked for; `false` if the task runs already.
    pub async fn begin(&self, task: Task) -> Result<bool, Gone> {
        self.ask(|answer| Command::Begin(task, answer)).await
    }

    /// Says that a run ended, be it one that was due or one that was asked for.
    pub async fn ended(&self, task: Task, ended: Ended) -> Result<(), Gone> {
        self.ask(|done| Command::Ended(task, ended, done)).await
    }

    /// Pauses a task; `false` if there is no such task.
    pub async fn pause(&self, task: Task, until: Paused) -> Result<bool, Gone> {
        self.ask(|answer| Command::Pause(task, until, answer)).await
    }

    /// Ends a pause; `false` if there was none.
    pub async fn resume(&self, task: Task) -> Result<bool, Gone> {
        self.ask(|answer| Command::Resume(task, answer)).await
    }

    /// What is planned, now and as it changes.
    pub fn agenda(&self) -> watch::Receiver<Agenda> {
        self.agenda.clone()
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Gone> {
        let (answer, answered) = oneshot::channel();
        let told = self.commands.send(command(answer)).await;
        told.map_err(|_| Gone)?;
        answered.await.map_err(|_| Gone)
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}
