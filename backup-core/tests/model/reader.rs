//! *Read*: a pin, then that no unfinished plan names what it pins, then that the number is alive.

use crate::configuration::{Configuration, Mutant};
use crate::state::{Actor, Number, Run, State};
use crate::step::Steps;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum At {
    #[default]
    Idle,
    PutPin,
    ReadDone,
    ReadPlan,
    ReadForget,
    Reading,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Reader {
    at: At,
    number: Number,
    run: Run,
    generation: u8,
    done: bool,
}

impl Reader {
    pub(crate) fn idle(self) -> bool {
        self.at == At::Idle
    }

    /// The run whose snapshot it reads, with all checks passed.
    pub(crate) fn protected(self) -> Option<Run> {
        (self.at == At::Reading).then_some(self.run)
    }
}

pub(crate) fn steps(state: &State, r: u8, configuration: &Configuration, steps: &mut Steps) {
    let one = One {
        state,
        r: usize::from(r),
        actor: Actor::Reader(r),
        configuration,
    };
    let me = one.me();
    if me.at != At::Idle && state.left.crashes > 0 {
        // Its pin stays.
        steps.take(state, one.actor, ("crash", ""), |next| {
            next.left.crashes -= 1;
            next.readers[one.r] = Reader::default();
        });
    }
    match me.at {
        At::Idle => one.begin(steps),
        At::PutPin => steps.take(state, one.actor, ("put pin", "created"), |next| {
            next.pins[one.r] = Some(me.run);
            next.readers[one.r].at = one.after_pin();
        }),
        At::ReadDone | At::ReadPlan => one.check_plans(steps),
        At::ReadForget => one.check_forget(steps),
        At::Reading => one.finish(steps, ("finish, remove the pin", "")),
    }
}

struct One<'a> {
    state: &'a State,
    r: usize,
    actor: Actor,
    configuration: &'a Configuration,
}

impl One<'_> {
    fn me(&self) -> &Reader {
        &self.state.readers[self.r]
    }

    fn take(
        &self,
        steps: &mut Steps,
        told: (&'static str, &'static str),
        then: impl FnOnce(&mut Reader),
    ) {
        steps.take(self.state, self.actor, told, |next| {
            then(&mut next.readers[self.r]);
        });
    }

    fn finish(&self, steps: &mut Steps, told: (&'static str, &'static str)) {
        steps.take(self.state, self.actor, told, |next| {
            next.pins[self.r] = None;
            next.readers[self.r] = Reader::default();
        });
    }

    fn begin(&self, steps: &mut Steps) {
        if self.state.left.reads == 0 || self.state.pins[self.r].is_some() {
            return;
        }
        for (number, run) in self.state.live(self.configuration) {
            let at = if self.configuration.is(Mutant::PinAfterChecks) {
                self.checks()
            } else {
                At::PutPin
            };
            steps.take(self.state, self.actor, ("choose a snapshot", ""), |next| {
                next.left.reads -= 1;
                next.readers[self.r] = Reader {
                    at,
                    number,
                    run,
                    ..Reader::default()
                };
            });
        }
    }

    fn checks(&self) -> At {
        if self.configuration.readers_check_plans {
            At::ReadDone
        } else {
            At::ReadForget
        }
    }

    fn after_pin(&self) -> At {
        if self.configuration.is(Mutant::PinAfterChecks) {
            At::Reading
        } else {
            self.checks()
        }
    }

    fn check_plans(&self, steps: &mut Steps) {
        let me = self.me();
        let prune = self
            .state
            .prune
            .get(usize::from(me.generation))
            .copied()
            .unwrap_or_default();
        if me.at == At::ReadDone {
            self.take(
                steps,
                ("get done", if prune.done { "there" } else { "absent" }),
                |me| {
                    me.done = prune.done;
                    me.at = At::ReadPlan;
                },
            );
            return;
        }
        match prune.plan {
            None => self.take(steps, ("get plan", "absent"), |me| {
                (me.generation, me.done) = (0, false);
                me.at = At::ReadForget;
            }),
            Some(planned) if !me.done && planned & self.state.needs(me.run) != 0 => {
                self.finish(steps, ("get plan", "it names what is read: unprotected"));
            }
            Some(_) => self.take(steps, ("get plan", "it does not matter"), |me| {
                me.generation += 1;
                me.done = false;
                me.at = At::ReadDone;
            }),
        }
    }

    fn check_forget(&self, steps: &mut Steps) {
        let honoured = self.configuration.is(Mutant::ForgottenHonoured);
        if self.state.dead.get(self.me().number).is_some() && !honoured {
            self.finish(steps, ("read forget", "the number is dead"));
            return;
        }
        self.take(steps, ("read forget", "the number is not dead"), |me| {
            let late = self.configuration.is(Mutant::PinAfterChecks);
            me.at = if late { At::PutPin } else { At::Reading };
        });
    }
}
