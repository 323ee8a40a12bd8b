//! What the store does by itself: requests that were on their way arrive, in any order and at any
//! time, whether or not whoever sent them still lives.

use crate::state::{Actor, Number, Put, State, each};
use crate::step::Steps;

pub(crate) fn steps(state: &State, steps: &mut Steps) {
    for put in state.delayed() {
        let action = match put {
            Put::Name(_) => "late put of a pack",
            Put::Session(..) => "late put of a session",
            Put::End(..) => "late put of an end",
            Put::Forget(..) => "late put of a forget",
            Put::Plan(..) => "late put of a plan",
            Put::Final(..) => "late put of a final",
            Put::Done(..) => "late put of a done",
        };
        let mut next = *state;
        next.arrived(put);
        let outcome = if next.create(put) {
            "created"
        } else {
            "exists"
        };
        steps.take(&next, Actor::Store, (action, outcome), |_| ());
    }
    for name in each(state.late_names) {
        steps.take(
            state,
            Actor::Store,
            ("delete of a pack or refs", ""),
            |next| {
                next.names &= !name;
                next.late_names &= !name;
            },
        );
    }
    for at in Number::all() {
        if state.late_ends.has(at) {
            steps.take(
                state,
                Actor::Store,
                ("delete of a dead record", ""),
                |next| {
                    next.ends.set(at, None);
                    next.late_ends.remove(at);
                },
            );
        }
        if state.late_sessions.has(at) {
            steps.take(
                state,
                Actor::Store,
                ("delete of a dead session", ""),
                |next| {
                    next.sessions.set(at, None);
                    next.late_sessions.remove(at);
                },
            );
        }
    }
    for (reader, pin) in state.pins.iter().enumerate() {
        if pin.is_some() && state.readers[reader].idle() {
            steps.take(state, Actor::Store, ("a left pin runs out", ""), |next| {
                next.pins[reader] = None;
            });
        }
    }
}
