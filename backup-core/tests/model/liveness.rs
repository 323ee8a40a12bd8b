//! From a state in which nobody does anything, whatever was left behind, a fresh run succeeds and
//! a fresh prune comes to its end, each without being disturbed.

use crate::configuration::Configuration;
use crate::state::{Actor, Left, State};
use crate::step::Steps;
use crate::{pruner, writer};

/// Longer than the longest way of either.
const STEPS_MAX: usize = 100;

pub(crate) fn check(quiet: &State, configuration: &Configuration) {
    let mut state = *quiet;
    state.left = Left {
        runs: 1,
        prunes: 1,
        ..Left::default()
    };
    let before = reported(&state);
    alone(&mut state, |state, steps| {
        writer::steps(state, 0, configuration, steps);
    });
    assert_eq!(
        reported(&state),
        before + 1,
        "a fresh run does not succeed after {quiet:?}"
    );
    alone(&mut state, |state, steps| {
        pruner::steps(state, 0, configuration, steps);
    });
    let pruned = state
        .prune
        .iter()
        .all(|generation| generation.plan.is_none() || generation.done);
    assert!(pruned, "a fresh prune does not finish after {quiet:?}");
    assert_eq!(state.broken(configuration), None, "after {quiet:?}");
}

/// One actor takes the first of its steps until there is none.
fn alone(state: &mut State, possible: impl Fn(&State, &mut Steps)) {
    for _ in 0..STEPS_MAX {
        let mut steps = Steps::default();
        possible(state, &mut steps);
        match steps.0.first() {
            Some((step, next)) => {
                debug_assert!(step.actor != Actor::Store, "it acts alone");
                *state = *next;
            }
            None => return,
        }
    }
}

fn reported(state: &State) -> usize {
    state.runs.iter().filter(|run| run.reported).count()
}
