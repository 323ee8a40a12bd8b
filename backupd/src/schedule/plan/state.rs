//! One task of a plan.

use jiff::Timestamp;

use super::{Due, Ended, Event, GRACE, Paused, Reason, Skip, Skipped, Standing, WRONG_CLOCK};
use crate::schedule::{CatchUp, Remembered, Task, Timing, times::later};

#[derive(Debug)]
pub(super) struct State {
    timing: Timing,
    /// Due times up to here are decided.
    decided: Timestamp,
    /// The run that is to begin when its time comes.
    waiting: Option<Waiting>,
    /// The run that was said to be due and has not ended.
    begun: Option<Due>,
    pub(super) paused: Option<Paused>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    due: Timestamp,
    at: Timestamp,
    reason: Reason,
    attempt: u32,
}

impl State {
    /// A task that is new here. One of which nothing is remembered has missed nothing.
    pub(super) fn new(timing: Timing, remembered: Remembered, now: Timestamp) -> Self {
        let mut state = Self {
            timing,
            decided: remembered
                .last_due
                .max(remembered.last_success)
                .unwrap_or(now),
            waiting: None,
            begun: None,
            paused: remembered.paused,
        };
        let ended = remembered.failed_at.unwrap_or(now);
        if let (Some(due), 1..) = (remembered.last_due, remembered.failed_tries) {
            state.try_again(due, remembered.failed_tries, ended);
        }
        state
    }

    /// The same task with another timing.
    pub(super) fn with(mut self, timing: Timing, now: Timestamp) -> Self {
        if timing.schedule != self.timing.schedule {
            self.decided = now;
        }
        self.timing = timing;
        self
    }

    pub(super) fn advance(
        &mut self,
        task: &Task,
        running: bool,
        now: Timestamp,
        events: &mut Vec<Event>,
    ) {
        if later(now, WRONG_CLOCK) < self.decided {
            self.decided = now;
            self.waiting = None;
        }
        if self.is_paused(now) {
            return;
        }
        self.paused = None;
        if let Some(due) = self.timing.schedule.last_between(self.decided, now) {
            self.decided = due;
            let skipped = self.decide(task, due, running, now);
            events.extend(skipped.map(Event::Skipped));
        }
        let ready = self.waiting.filter(|waiting| waiting.at <= now && !running);
        if let Some(Waiting {
            due,
            reason,
            attempt,
            ..
        }) = ready
        {
            self.waiting = None;
            let task = task.clone();
            let due = Due {
                task,
                time: due,
                reason,
                attempt,
            };
            self.begun = Some(due.clone());
            events.push(Event::Due(due));
        }
    }

    /// What becomes of a due time that has come; returns the one that gets no run.
    fn decide(
        &mut self,
        task: &Task,
        due: Timestamp,
        running: bool,
        now: Timestamp,
    ) -> Option<Skipped> {
        let skipped = |time, why| {
            let task = task.clone();
            Some(Skipped { task, time, why })
        };
        if running {
            return skipped(due, Skip::Running);
        }
        let begins = later(due, self.timing.delay(task, due));
        let on_time = now <= later(begins, GRACE);
        let (at, reason) = match self.timing.catch_up {
            _ if on_time => (begins, Reason::Scheduled),
            CatchUp::Once => (now, Reason::CatchUp),
            CatchUp::Skip => return skipped(due, Skip::Missed),
        };
        let overtaken = self.waiting.replace(Waiting {
            due,
            // Due times that follow each other faster than they begin must not put it off for ever.
            at: self.waiting.map_or(at, |waiting| waiting.at.min(at)),
            reason,
            attempt: 1,
        });
        let overtaken = overtaken.filter(|waiting| waiting.attempt == 1)?;
        skipped(overtaken.due, Skip::Overtaken)
    }

    pub(super) fn ended(&mut self, ended: Ended, now: Timestamp) {
        let Some(run) = self.begun.take() else {
            // Somebody's own run: what failed before need not be tried again if this went well.
            if ended == Ended::Succeeded {
                self.waiting = self.waiting.filter(|it| it.reason != Reason::Retry);
            }
            return;
        };
        if ended == Ended::Failed && self.waiting.is_none() {
            self.try_again(run.time, run.attempt, now);
        }
    }

    fn try_again(&mut self, due: Timestamp, tries: u32, ended: Timestamp) {
        let wait = self.timing.retry.wait_after(tries);
        self.waiting = wait.map(|wait| Waiting {
            due,
            at: later(ended, wait),
            reason: Reason::Retry,
            attempt: tries.saturating_add(1),
        });
    }

    fn is_paused(&self, now: Timestamp) -> bool {
        match self.paused {
            None => false,
            Some(Paused::Indefinitely) => true,
            Some(Paused::Until(end)) => now < end,
        }
    }

    pub(super) fn standing(&self, task: &Task, running: bool) -> Standing {
        let due = self.timing.schedule.next_after(self.decided);
        let begins = due.map(|due| later(due, self.timing.delay(task, due)));
        let waits = self.waiting.map(|waiting| waiting.at);
        let soonest = |a: Option<Timestamp>, b: Option<Timestamp>| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let (next, look) = match self.paused {
            Some(Paused::Indefinitely) => (None, None),
            Some(Paused::Until(end)) => (None, Some(end)),
            None if running => (begins, due),
            None => (soonest(waits, begins), soonest(waits, due)),
        };
        Standing {
            next,
            look,
            running,
            paused: self.paused,
        }
    }
}
