//! Which task is due now: told the time, it says what is to begin and what is not.
//!
//! Of each task it keeps until when its due times were decided (`decided`), and at most one run
//! that waits to begin. Whatever happened in between, nobody there, a suspended machine, a clock
//! set forward, a pause, the due times since then come to one run: there is no queue that could
//! fill. A due time is decided once, so that a clock set back repeats none; set back by more
//! than [`WRONG_CLOCK`] it was wrong before, and waiting for it to pass again would be silence.
//!
//! It may be asked as often as one likes, and at any time: what is not due does not come.

mod state;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;

use super::{Task, Timed};
use state::State;

/// A clock that goes back by more than this had been wrong.
pub(super) const WRONG_CLOCK: Duration = Duration::from_hours(24);
/// What begins so much after its due time is still on time.
pub(super) const GRACE: Duration = Duration::from_mins(1);

/// A run that is to begin now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// What.
    pub task: Task,
    /// The due time that it is for; of several, the latest.
    pub time: Timestamp,
    /// Why now.
    pub reason: Reason,
    /// The how many-th attempt for this due time it is, from 1.
    pub attempt: u32,
}

/// Why a run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is time.
    Scheduled,
    /// It was time, and nobody was there.
    CatchUp,
    /// The last attempt failed.
    Retry,
}

/// A due time without a run of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Whose.
    pub task: Task,
    /// The due time; of several, the latest.
    pub time: Timestamp,
    /// Why.
    pub why: Skip,
}

/// Why a due time has no run of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// The task was running.
    Running,
    /// It was missed, and `catch_up` is `skip`.
    Missed,
    /// The next due time came before its run had begun; the run is for that one.
    Overtaken,
}

/// What a plan says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Begin.
    Due(Due),
    /// Note down.
    Skipped(Skipped),
}

/// How a run ended, as far as a schedule cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With a snapshot.
    Succeeded,
    /// Without one; another attempt may go better.
    Failed,
    /// Without one, and not to be tried again: somebody stopped it, or it cannot go better.
    Stopped,
}

/// Until when a task is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paused {
    /// Until then.
    Until(Timestamp),
    /// Until somebody ends it.
    Indefinitely,
}

/// How things stand with a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// When its next run begins; none while it is paused.
    pub next: Option<Timestamp>,
    /// When the plan wants to be asked about it again.
    pub look: Option<Timestamp>,
    /// Whether it runs.
    pub running: bool,
    /// Whether it is paused.
    pub paused: Option<Paused>,
}

/// All tasks that have a schedule.
#[derive(Debug, Default)]
pub struct Plan {
    tasks: BTreeMap<Task, State>,
    /// What runs, planned or not: a task may run without a schedule, or after it has lost its own.
    running: BTreeSet<Task>,
}

impl Plan {
    /// Takes these tasks, and no others. What is known of a task stays, unless its schedule is
    /// another: then its due times count from now. What is due at this moment is said first.
    pub fn replace(&mut self, tasks: Vec<Timed>, now: Timestamp) -> Vec<Event> {
        let events = self.advance(now);
        let mut old = std::mem::take(&mut self.tasks);
        for timed in tasks {
            let state = match old.remove(&timed.task) {
                Some(state) => state.with(timed.timing, now),
                None => State::new(timed.timing, timed.remembered, now),
            };
            self.tasks.insert(timed.task, state);
        }
        events
    }

    /// What is due, now that it is `now`. What it says to begin counts as running.
    pub fn advance(&mut self, now: Timestamp) -> Vec<Event> {
        let mut events = Vec::new();
        for (task, state) in &mut self.tasks {
            let running = self.running.contains(task);
            let before = events.len();
            state.advance(task, running, now, &mut events);
            if events[before..]
                .iter()
                .any(|it| matches!(it, Event::Due(_)))
            {
                self.running.insert(task.clone());
            }
        }
        events
    }

    /// A run is to begin that no schedule asked for. Says whether it may: not beside another.
    pub fn begin(&mut self, task: &Task) -> bool {
        self.running.insert(task.clone())
    }

    /// A run ended, whoever asked for it. One that a schedule asked for may be tried again.
    pub fn ended(&mut self, task: &Task, ended: Ended, now: Timestamp) {
        self.running.remove(task);
        if let Some(state) = self.tasks.get_mut(task) {
            state.ended(ended, now);
        }
    }

    /// Nothing begins until then. Says whether there is such a task.
    pub fn pause(&mut self, task: &Task, until: Paused) -> bool {
        let state = self.tasks.get_mut(task);
        state.map(|state| state.paused = Some(until)).is_some()
    }

    /// Ends a pause. Says whether there was one.
    pub fn resume(&mut self, task: &Task) -> bool {
        let state = self.tasks.get_mut(task);
        state.is_some_and(|state| state.paused.take().is_some())
    }

    /// How things stand with each task.
    pub fn standing(&self) -> BTreeMap<Task, Standing> {
        let tasks = self.tasks.iter();
        let standing = tasks.map(|(task, state)| {
            let running = self.running.contains(task);
            (task.clone(), state.standing(task, running))
        });
        standing.collect()
    }
}
