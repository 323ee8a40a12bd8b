//! *Forget*: one create decides, between two who forget and between holding and forgetting.

use crate::configuration::Configuration;
use crate::state::{Actor, Change, Number, Put, Record, State};
use crate::step::{Answer, Steps};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Forgetter {
    #[default]
    Idle,
    /// `forget/<n>` with this change.
    Put(u8, Change),
    Look(u8, Change),
    Delete(Number),
}

pub(crate) fn steps(state: &State, configuration: &Configuration, steps: &mut Steps) {
    let actor = Actor::Forgetter;
    if state.forgetter != Forgetter::Idle && state.left.crashes > 0 {
        steps.take(state, actor, ("crash", ""), |next| {
            next.left.crashes -= 1;
            next.forgetter = Forgetter::Idle;
        });
    }
    match state.forgetter {
        Forgetter::Idle if state.left.changes == 0 => {}
        Forgetter::Idle => {
            for (told, change) in changes(state, configuration) {
                steps.take(state, actor, ("read forget and records", told), |next| {
                    next.left.changes -= 1;
                    next.forgetter = Forgetter::Put(state.forget + 1, change);
                });
            }
        }
        Forgetter::Put(number, change) => {
            steps.put(
                state,
                actor,
                "put forget",
                Put::Forget(number, change),
                |next, answer| {
                    next.forgetter = match answer {
                        Answer::Created => written(change),
                        Answer::Exists | Answer::Unknown => Forgetter::Look(number, change),
                    };
                },
            );
        }
        Forgetter::Look(number, change) => {
            let (told, then) = if state.forget < number {
                ("none", Forgetter::Put(number, change))
            } else if state.holds(change) {
                ("ours", written(change))
            } else {
                ("another's: start over", Forgetter::Idle)
            };
            steps.take(state, actor, ("look at forget", told), |next| {
                next.forgetter = then;
            });
        }
        Forgetter::Delete(at) => {
            steps.take(state, actor, ("delete the dead record", "sent"), |next| {
                if next.ends.get(at).is_some() {
                    next.late_ends.add(at);
                }
                next.forgetter = Forgetter::Idle;
            });
        }
    }
}

fn written(change: Change) -> Forgetter {
    match change {
        Change::Dead(at, _) => Forgetter::Delete(at),
        Change::Hold(_) | Change::Release(_) => Forgetter::Idle,
    }
}

/// Ended numbers may die, unless they are held; snapshots may be held, unless they are dead.
fn changes(state: &State, configuration: &Configuration) -> Vec<(&'static str, Change)> {
    let mut changes = Vec::new();
    for at in Number::all() {
        let Some(end) = state.ends.get(at).filter(|_| state.dead.get(at).is_none()) else {
            continue;
        };
        if state.held.has(at) {
            changes.push(("release one", Change::Release(at)));
        } else {
            changes.push(("forget one", Change::Dead(at, end)));
            if configuration.holds && matches!(end, Record::Commit(_)) {
                changes.push(("hold one", Change::Hold(at)));
            }
        }
    }
    changes
}
