//! *Prune*, step by step in the order of the text. Nothing of it is on the pruner's disk: any
//! pruner takes up what another left.

use crate::configuration::{Configuration, Mutant};
use crate::state::{Actor, GENERATIONS, Names, Number, NumberSet, Put, Record, State};
use crate::step::{Answer, Steps};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum At {
    #[default]
    Idle,
    PutPlan,
    LookPlan,
    ListSessions,
    Wait,
    ReadForget,
    ReadPins,
    PutFinal,
    LookFinal,
    Delete,
    PutDone,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Pruner {
    at: At,
    generation: u8,
    candidates: Names,
    /// Sessions that have not been seen ended.
    open: NumberSet,
    /// Commits that the second look found.
    seen: NumberSet,
    named: Names,
    last: Names,
}

impl Pruner {
    pub(crate) fn idle(&self) -> bool {
        self.at == At::Idle
    }
}

pub(crate) fn steps(state: &State, p: u8, configuration: &Configuration, steps: &mut Steps) {
    let one = One {
        state,
        p: usize::from(p),
        actor: Actor::Pruner(p),
        configuration,
    };
    let me = one.me();
    if me.at != At::Idle && state.left.crashes > 0 {
        steps.take(state, one.actor, ("crash", ""), |next| {
            next.left.crashes -= 1;
            next.pruners[one.p] = Pruner::default();
        });
    }
    match me.at {
        At::Idle => one.begin(steps),
        At::PutPlan | At::LookPlan => one.plan(steps),
        At::ListSessions => one.list_sessions(steps),
        At::Wait => one.wait(steps),
        At::ReadForget | At::ReadPins => one.look_again(steps),
        At::PutFinal | At::LookFinal => one.settle(steps),
        At::Delete | At::PutDone => one.delete(steps),
    }
}

struct One<'a> {
    state: &'a State,
    p: usize,
    actor: Actor,
    configuration: &'a Configuration,
}

impl One<'_> {
    fn me(&self) -> &Pruner {
        &self.state.pruners[self.p]
    }

    fn take(
        &self,
        steps: &mut Steps,
        told: (&'static str, &'static str),
        then: impl FnOnce(&mut Pruner),
    ) {
        steps.take(self.state, self.actor, told, |next| {
            then(&mut next.pruners[self.p]);
        });
    }

    /// A new plan only when the newest is done, else that one is taken up.
    fn begin(&self, steps: &mut Steps) {
        if self.state.left.prunes == 0 {
            return;
        }
        let prune = &self.state.prune;
        let newest = (0..GENERATIONS).rev().find(|at| prune[*at].plan.is_some());
        let mut me = Pruner::default();
        let told = match newest {
            Some(at) if !prune[at].done => {
                me.generation = at as u8;
                me.candidates = prune[at].plan.unwrap_or(0);
                me.last = prune[at].last.unwrap_or(0);
                me.at = if prune[at].last.is_some() {
                    At::Delete
                } else {
                    At::ListSessions
                };
                (
                    "take up the newest plan",
                    if me.at == At::Delete {
                        "final"
                    } else {
                        "no final"
                    },
                )
            }
            _ => {
                me.generation = newest.map_or(0, |at| at as u8 + 1);
                me.candidates = self.state.names & !self.named_at_first();
                if me.candidates == 0 || usize::from(me.generation) == GENERATIONS {
                    return;
                }
                let early = self.configuration.is(Mutant::SessionsBeforePlan);
                me.at = if early { At::ListSessions } else { At::PutPlan };
                ("look for candidates", "some")
            }
        };
        steps.take(self.state, self.actor, told, |next| {
            next.left.prunes -= 1;
            next.pruners[self.p] = me;
        });
    }

    /// One moment is enough here: the second look is what counts.
    fn named_at_first(&self) -> Names {
        let live = self.state.live(self.configuration).map(|(_, run)| run);
        let pinned = self.state.pins.iter().flatten().copied();
        live.chain(pinned)
            .fold(0, |all, run| all | self.state.needs(run))
    }

    fn plan(&self, steps: &mut Steps) {
        let me = self.me();
        let then = if self.configuration.is(Mutant::SessionsBeforePlan) {
            At::Wait
        } else {
            At::ListSessions
        };
        if me.at == At::PutPlan {
            let put = Put::Plan(me.generation, me.candidates);
            steps.put(self.state, self.actor, "put plan", put, |next, answer| {
                let created = answer == Answer::Created;
                next.pruners[self.p].at = if created { then } else { At::LookPlan };
            });
            return;
        }
        match self.state.prune[usize::from(me.generation)].plan {
            Some(candidates) => self.take(steps, ("look at the plan", "adopted"), |me| {
                me.candidates = candidates;
                me.at = then;
            }),
            None => self.take(steps, ("look at the plan", "none"), |me| {
                me.at = At::PutPlan;
            }),
        }
    }

    fn list_sessions(&self, steps: &mut Steps) {
        self.take(steps, ("list sessions", ""), |me| {
            for at in Number::all().filter(|at| self.state.sessions.get(*at).is_some()) {
                me.open.add(at);
            }
            me.at = match self.configuration.mutant {
                Some(Mutant::SessionsBeforePlan) => At::PutPlan,
                _ => At::Wait,
            };
        });
    }

    /// Whatever was open then must have an end or be dead; past its limit it gets a fence.
    fn wait(&self, steps: &mut Steps) {
        let me = self.me();
        let mut open = me.open;
        for at in Number::all().filter(|at| me.open.has(*at)) {
            if self.state.ended(at) {
                open.remove(at);
            }
        }
        match open.first() {
            Some(_) if self.configuration.is(Mutant::NoWaiting) => {
                self.take(
                    steps,
                    ("list snapshots, get refs", "none waited for"),
                    |me| self.list_snapshots(me),
                );
            }
            Some(at) if self.configuration.is(Mutant::TimeOutWithoutFence) => {
                self.take(steps, ("a run is past its limit", ""), |me| {
                    me.open = open;
                    me.open.remove(at);
                });
            }
            Some(at) => {
                let fence = Put::End(at, Record::Fence(self.actor));
                let action = "fence a run past its limit";
                steps.put(self.state, self.actor, action, fence, |_, _| ());
            }
            None => self.take(
                steps,
                ("list snapshots, get refs", "all have ended"),
                |me| self.list_snapshots(me),
            ),
        }
    }

    fn list_snapshots(&self, me: &mut Pruner) {
        me.open = NumberSet::default();
        if self.configuration.is(Mutant::NoSecondLook) {
            me.last = me.candidates;
            me.at = At::PutFinal;
            return;
        }
        for at in Number::all() {
            if matches!(self.state.ends.get(at), Some(Record::Commit(_))) {
                me.seen.add(at);
            }
        }
        let pins_first = self.configuration.is(Mutant::PinsBeforeForget);
        me.at = if pins_first {
            At::ReadPins
        } else {
            At::ReadForget
        };
    }

    /// Snapshots with their refs were first; then forget, pins last.
    fn look_again(&self, steps: &mut Steps) {
        let state = self.state;
        let pins_first = self.configuration.is(Mutant::PinsBeforeForget);
        match self.me().at {
            At::ReadForget => self.take(steps, ("read forget", ""), |me| {
                // A record that was seen and is not dead is still there.
                for (at, run) in state.live(self.configuration) {
                    if me.seen.has(at) {
                        me.named |= state.needs(run);
                    }
                }
                me.seen = NumberSet::default();
                me.at = At::ReadPins;
                if pins_first {
                    me.looked();
                }
            }),
            _ => self.take(steps, ("list pins", ""), |me| {
                for run in state.pins.iter().flatten() {
                    me.named |= state.needs(*run);
                }
                me.at = At::ReadForget;
                if !pins_first {
                    me.looked();
                }
            }),
        }
    }

    /// One `final` for a generation, whoever made it.
    fn settle(&self, steps: &mut Steps) {
        let me = self.me();
        if me.at == At::PutFinal {
            let put = Put::Final(me.generation, me.last);
            steps.put(self.state, self.actor, "put final", put, |next, answer| {
                let created = answer == Answer::Created;
                next.pruners[self.p].at = if created { At::Delete } else { At::LookFinal };
            });
            return;
        }
        match self.state.prune[usize::from(me.generation)].last {
            Some(last) => self.take(steps, ("look at the final", "adopted"), |me| {
                me.last = last;
                me.at = At::Delete;
            }),
            None => self.take(steps, ("look at the final", "none"), |me| {
                me.at = At::PutFinal;
            }),
        }
    }

    /// Deletes are sent, and may take effect one by one at any time from now on.
    fn delete(&self, steps: &mut Steps) {
        let me = self.me();
        if me.at == At::PutDone {
            steps.put(
                self.state,
                self.actor,
                "put done",
                Put::Done(me.generation),
                |next, _| {
                    next.pruners[self.p] = Pruner::default();
                },
            );
            return;
        }
        steps.take(
            self.state,
            self.actor,
            ("delete what final names", "sent"),
            |next| {
                next.late_names |= me.last & next.names;
                for at in Number::all().filter(|at| self.state.dead.get(*at).is_some()) {
                    if next.ends.get(at).is_some() {
                        next.late_ends.add(at);
                    }
                    if next.sessions.get(at).is_some() {
                        next.late_sessions.add(at);
                    }
                }
                let generation = me.generation;
                next.pruners[self.p] = Pruner {
                    at: At::PutDone,
                    generation,
                    ..Pruner::default()
                };
            },
        );
    }
}

impl Pruner {
    fn looked(&mut self) {
        self.last = self.candidates & !self.named;
        self.candidates = 0;
        self.named = 0;
        self.at = At::PutFinal;
    }
}
