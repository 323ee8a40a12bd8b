//! A plan with one task, on a clock that is moved by hand.

use backup_model::JobName;
use jiff::{Timestamp, tz::TimeZone};

use crate::schedule::{
    CatchUp, Due, Ended, Event, Plan, Reason, Remembered, Retry, Schedule, Skip, Skipped, Standing,
    Task, Timed, Timing,
};

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn schedule(text: &str, zone: &str) -> Schedule {
    Schedule::parse(text, TimeZone::get(zone).unwrap()).unwrap()
}

pub(super) fn task() -> Task {
    Task::Backup("webui".parse::<JobName>().unwrap())
}

pub(super) fn timing(text: &str) -> Timing {
    Timing {
        schedule: schedule(text, "Europe/Berlin"),
        jitter: None,
        catch_up: CatchUp::Once,
        retry: Retry::default(),
    }
}

pub(super) fn timed(text: &str) -> Timed {
    Timed {
        task: task(),
        timing: timing(text),
        remembered: Remembered::default(),
    }
}

pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) plan: Plan,
    pub(super) timed: Timed,
    said: Vec<Event>,
}

impl World {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            now,
            plan: Plan::default(),
            timed: timed("@daily"),
            said: Vec::new(),
        }
    }

    /// With this schedule in Berlin, from this time on.
    pub(super) fn with(text: &str, now: &str) -> Self {
        let mut world = Self::new(at(now));
        world.timing(text, "Europe/Berlin");
        world.plan_it();
        world
    }

    pub(super) fn timing(&mut self, text: &str, zone: &str) -> &mut Timing {
        self.timed.timing.schedule = schedule(text, zone);
        &mut self.timed.timing
    }

    pub(super) fn plan_it(&mut self) {
        let events = self.plan.replace(vec![self.timed.clone()], self.now);
        self.said.extend(events);
    }

    pub(super) fn to(&mut self, now: Timestamp) {
        self.now = now;
        self.said.extend(self.plan.advance(now));
    }

    pub(super) fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.said)
    }

    pub(super) fn end(&mut self, ended: Ended) {
        self.plan.ended(&task(), ended, self.now);
    }

    pub(super) fn standing(&self) -> Standing {
        self.plan.standing()[&task()]
    }

    /// When the plan wants to be asked again.
    pub(super) fn next(&self) -> Timestamp {
        self.standing().look.unwrap()
    }

    /// Asks at this time, and expects this.
    #[track_caller]
    pub(super) fn says(&mut self, now: &str, wanted: &[Event]) {
        self.to(at(now));
        assert_eq!(self.take(), wanted, "at {now}");
    }
}

pub(super) fn due(due: &str, reason: Reason, attempt: u32) -> Event {
    Event::Due(Due {
        task: task(),
        time: at(due),
        reason,
        attempt,
    })
}

pub(super) fn skipped(due: &str, why: Skip) -> Event {
    Event::Skipped(Skipped {
        task: task(),
        time: at(due),
        why,
    })
}
