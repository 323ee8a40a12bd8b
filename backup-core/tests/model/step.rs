//! One step of one actor, and everything that may come next.

use std::fmt;

use crate::configuration::Configuration;
use crate::state::{Actor, Put, State};
use crate::{forgetter, pruner, reader, store, writer};

/// Who does what, and what comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) actor: Actor,
    pub(crate) action: &'static str,
    pub(crate) outcome: &'static str,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let actor = match self.actor {
            Actor::Writer(n) => format!("writer {n}"),
            Actor::Forgetter => "forgetter".to_owned(),
            Actor::Pruner(n) => format!("pruner {n}"),
            Actor::Reader(n) => format!("reader {n}"),
            Actor::Store => "store".to_owned(),
        };
        write!(f, "{actor:<10} {:<26} {}", self.action, self.outcome)
    }
}

/// The answer to a put that was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Created,
    Exists,
    /// None came.
    Unknown,
}

/// Collects the steps that are possible in one state.
#[derive(Debug, Default)]
pub(crate) struct Steps(pub(crate) Vec<(Step, State)>);

impl Steps {
    pub(crate) fn all(state: &State, configuration: &Configuration) -> Self {
        let mut steps = Self::default();
        for writer in 0..configuration.jobs.len() {
            writer::steps(state, writer, configuration, &mut steps);
        }
        forgetter::steps(state, configuration, &mut steps);
        for pruner in 0..configuration.pruners {
            pruner::steps(state, pruner, configuration, &mut steps);
        }
        for reader in 0..configuration.readers {
            reader::steps(state, reader, configuration, &mut steps);
        }
        store::steps(state, &mut steps);
        steps
    }

    pub(crate) fn take(
        &mut self,
        state: &State,
        actor: Actor,
        (action, outcome): (&'static str, &'static str),
        then: impl FnOnce(&mut State),
    ) {
        let mut next = *state;
        then(&mut next);
        self.0.push((
            Step {
                actor,
                action,
                outcome,
            },
            next,
        ));
    }

    /// A put is answered; or it is not, and then it may arrive at any time, or never.
    pub(crate) fn put(
        &mut self,
        state: &State,
        actor: Actor,
        action: &'static str,
        put: Put,
        then: impl Fn(&mut State, Answer),
    ) {
        let mut next = *state;
        let answer = if next.create(put) {
            Answer::Created
        } else {
            Answer::Exists
        };
        let outcome = if answer == Answer::Created {
            "created"
        } else {
            "exists"
        };
        then(&mut next, answer);
        self.0.push((
            Step {
                actor,
                action,
                outcome,
            },
            next,
        ));
        if state.left.delays > 0 {
            self.take(state, actor, (action, "unknown"), |next| {
                next.delay(put);
                then(next, Answer::Unknown);
            });
        }
    }
}
