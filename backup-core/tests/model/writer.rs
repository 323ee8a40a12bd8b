//! *Backup*, step by step in the order of the text. A writer is a host and a job: its lock lets
//! one run at a time in, and what it keeps on disk (index, journal) outlives a crash.

use crate::configuration::{Configuration, Mutant};
use crate::state::{
    Actor, GENERATIONS, Names, Number, PACKS_A_RUN, Put, Record, Run, State, each, pack, packs_of,
    refs,
};
use crate::step::{Answer, Steps};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum At {
    #[default]
    Idle,
    ListSnapshots,
    ReadForget,
    GetPrevious,
    PreviousDead,
    EndPrevious(Run),
    PutSession,
    LookSession,
    SessionDead,
    ReadDone,
    ReadPlan,
    ReadFinal,
    Store,
    Check,
    PutCommit,
    LookCommit,
    LastLook,
    Abort,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Writer {
    at: At,
    number: Number,
    /// The record of the number before, as it was last seen.
    previous: Option<Record>,
    run: Run,
    generation: u8,
    done: bool,
    /// Planned in the generation that is being read.
    planned: Names,
    /// Planned or removed by prune: not to be used.
    bounds: Names,
    /// Written by this run.
    fresh: Names,
    /// Packs of this writer's snapshots, on its disk.
    index: Names,
    /// Packs of its runs that broke off, on its disk.
    journal: Names,
}

impl Writer {
    pub(crate) fn idle(&self) -> bool {
        self.at == At::Idle
    }

    /// The process ends, in whatever way: only what is on disk stays.
    fn end(&mut self) {
        *self = Self {
            index: self.index,
            journal: self.journal,
            ..Self::default()
        };
    }
}

pub(crate) fn steps(state: &State, w: usize, configuration: &Configuration, steps: &mut Steps) {
    let actor = Actor::Writer(w as u8);
    let one = One {
        state,
        w,
        actor,
        configuration,
    };
    let me = &state.writers[w];
    if me.at != At::Idle && state.left.crashes > 0 {
        steps.take(state, actor, ("crash", ""), |next| {
            next.left.crashes -= 1;
            next.writers[w].end();
        });
    }
    match me.at {
        At::Idle => one.begin(steps),
        At::ListSnapshots | At::ReadForget => one.find_number(steps),
        At::GetPrevious | At::PreviousDead | At::EndPrevious(_) => one.see_previous(steps),
        At::PutSession | At::LookSession | At::SessionDead => one.open_session(steps),
        At::ReadDone | At::ReadPlan | At::ReadFinal => one.read_plans(steps),
        At::Store | At::Check => one.write(steps),
        At::PutCommit | At::LookCommit | At::LastLook => one.commit(steps),
        At::Abort => {
            let end = Put::End(me.number, Record::Aborted(me.run));
            steps.put(state, actor, "put aborted", end, |next, _| {
                next.writers[w].end();
            });
        }
    }
}

struct One<'a> {
    state: &'a State,
    w: usize,
    actor: Actor,
    configuration: &'a Configuration,
}

impl One<'_> {
    fn me(&self) -> &Writer {
        &self.state.writers[self.w]
    }

    fn take(
        &self,
        steps: &mut Steps,
        told: (&'static str, &'static str),
        then: impl FnOnce(&mut Writer),
    ) {
        steps.take(self.state, self.actor, told, |next| {
            then(&mut next.writers[self.w]);
        });
    }

    fn begin(&self, steps: &mut Steps) {
        if self.state.left.runs == 0 {
            return;
        }
        let job = self.configuration.jobs[self.w];
        steps.take(
            self.state,
            self.actor,
            ("lock, list sessions", ""),
            |next| {
                next.left.runs -= 1;
                next.writers[self.w].number = Number { job, seq: 0 };
                next.writers[self.w].at_least(job, |at| self.state.sessions.get(at).is_some());
                next.writers[self.w].at = At::ListSnapshots;
            },
        );
    }

    /// Sessions, then snapshots, then forget: one more than the highest in them.
    fn find_number(&self, steps: &mut Steps) {
        let (state, w, job) = (self.state, self.w, self.me().number.job);
        if self.me().at == At::ListSnapshots {
            self.take(steps, ("list snapshots", ""), |me| {
                me.at_least(job, |at| state.ends.get(at).is_some());
                me.at = At::ReadForget;
            });
            return;
        }
        steps.take(
            state,
            self.actor,
            ("read forget", "the number is found"),
            |next| {
                let me = &mut next.writers[w];
                me.at_least(job, |at| state.dead.get(at).is_some());
                me.number.seq += 1;
                me.at = At::GetPrevious;
                if me.number.previous().is_none() {
                    self.announce(next);
                }
            },
        );
    }

    /// The end of the number before: its record, *then* forget. Without an end it gets one.
    fn see_previous(&self, steps: &mut Steps) {
        let (state, w, me) = (self.state, self.w, self.me());
        let Some(previous) = me.number.previous() else {
            return;
        };
        match me.at {
            At::GetPrevious => self.take(steps, ("get the previous record", ""), |me| {
                me.previous = state.ends.get(previous);
                me.at = At::PreviousDead;
            }),
            At::PreviousDead => {
                let end = state.dead.get(previous).or(me.previous);
                let open = state.sessions.get(previous);
                if end.is_some() || self.configuration.is(Mutant::PreviousNotRequired) {
                    steps.take(state, self.actor, ("read forget", "it has ended"), |next| {
                        next.writers[w].previous = end;
                        self.announce(next);
                    });
                } else if let Some(run) = open {
                    self.take(steps, ("read forget", "it has no end"), |me| {
                        me.at = At::EndPrevious(run);
                    });
                } else {
                    // Its session went because it is dead, which forget did not say yet.
                    self.take(steps, ("read forget", "look again"), |me| {
                        me.at = At::GetPrevious;
                    });
                }
            }
            At::EndPrevious(run) => {
                let own = usize::from(state.runs[usize::from(run)].writer) == w;
                let (action, end) = if own {
                    ("end its own dead run", Record::Aborted(run))
                } else {
                    ("fence a run past its limit", Record::Fence(self.actor))
                };
                steps.put(
                    state,
                    self.actor,
                    action,
                    Put::End(previous, end),
                    |next, _| {
                        next.writers[w].at = At::GetPrevious;
                    },
                );
            }
            _ => {}
        }
    }

    /// The number is known: the run has a nonce from here on.
    fn announce(&self, next: &mut State) {
        let me = &mut next.writers[self.w];
        me.run = next.begun;
        next.begun += 1;
        let run = &mut next.runs[usize::from(me.run)];
        (run.writer, run.at, run.prev) = (self.w as u8, me.number, me.previous);
        me.previous = None;
        me.at = match self.configuration.mutant {
            Some(Mutant::PlansBeforeSession) => At::ReadDone,
            Some(Mutant::NoSession) => At::SessionDead,
            _ => At::PutSession,
        };
    }

    fn open_session(&self, steps: &mut Steps) {
        let (state, w, me) = (self.state, self.w, self.me());
        match me.at {
            At::PutSession => {
                let put = Put::Session(me.number, me.run);
                steps.put(state, self.actor, "put session", put, |next, answer| {
                    let created = answer == Answer::Created;
                    next.writers[w].at = if created {
                        At::SessionDead
                    } else {
                        At::LookSession
                    };
                });
            }
            At::LookSession => match state.sessions.get(me.number) {
                Some(run) if run == me.run => {
                    self.take(steps, ("look at the session", "ours"), |me| {
                        me.at = At::SessionDead;
                    });
                }
                Some(_) => self.take(steps, ("look at the session", "busy"), Writer::end),
                None => {
                    self.take(steps, ("look at the session", "none"), |me| {
                        me.at = At::PutSession;
                    });
                    self.take(steps, ("look at the session", "give up"), Writer::end);
                }
            },
            _ if state.dead.get(me.number).is_some() => {
                self.take(steps, ("read forget", "the number is dead"), Writer::end);
            }
            _ => self.take(steps, ("read forget", "the number is not dead"), |me| {
                me.at = match self.configuration.mutant {
                    Some(Mutant::PlansBeforeSession | Mutant::PlansIgnored) => At::Store,
                    Some(Mutant::DoneAfterFinal) => At::ReadPlan,
                    _ => At::ReadDone,
                };
            }),
        }
    }

    /// Successive generations; of each `done` first, then `plan` and `final`.
    fn read_plans(&self, steps: &mut Steps) {
        let me = self.me();
        let generation = self
            .state
            .prune
            .get(usize::from(me.generation))
            .copied()
            .unwrap_or_default();
        let reversed = self.configuration.is(Mutant::DoneAfterFinal);
        match me.at {
            At::ReadDone => self.take(steps, ("get done", seen(generation.done)), |me| {
                me.done = generation.done;
                me.at = At::ReadPlan;
                if reversed {
                    me.next_generation(At::ReadPlan);
                }
            }),
            At::ReadPlan => self.take(steps, ("get plan", seen(generation.plan.is_some())), |me| {
                match generation.plan {
                    Some(planned) => {
                        me.planned = planned;
                        me.at = At::ReadFinal;
                    }
                    None => me.plans_read(self.configuration),
                }
            }),
            _ => self.take(
                steps,
                ("get final", seen(generation.last.is_some())),
                |me| {
                    if !self.configuration.is(Mutant::FinalsIgnored) {
                        me.bounds |= generation.last.unwrap_or(0);
                    }
                    if reversed {
                        me.at = At::ReadDone;
                    } else {
                        me.next_generation(At::ReadDone);
                    }
                },
            ),
        }
    }

    /// What is known is taken from where it is, if it is there and no plan names it; the rest is
    /// stored, checked, and put together by refs.
    fn write(&self, steps: &mut Steps) {
        let (state, w, me) = (self.state, self.w, self.me());
        if me.at == At::Check {
            if me.fresh & !state.names == 0 {
                self.take(steps, ("check what was written", "all there"), |me| {
                    me.at = At::PutCommit;
                });
            } else {
                self.take(steps, ("check what was written", "missing"), |me| {
                    me.at = At::Abort;
                });
            }
            return;
        }
        for packs in self.choices() {
            let fresh = packs & (pack(me.run, 0) | pack(me.run, 1));
            let refs = self.refs_of(packs);
            let told = ("store the stream and refs", reuse(packs, fresh));
            let stored = |next: &mut State| {
                next.names |= packs & fresh | refs;
                next.runs[usize::from(me.run)].names = packs | refs;
                let me = &mut next.writers[w];
                me.journal |= fresh;
                me.fresh = fresh | refs;
                me.planned = 0;
                me.bounds = 0;
                me.at = At::Check;
            };
            steps.take(state, self.actor, told, stored);
            if let Some(retried) = each(fresh | refs).next().filter(|_| state.left.delays > 0) {
                let told = ("store the stream and refs", "a put was sent twice");
                steps.take(state, self.actor, told, |next| {
                    stored(next);
                    next.delay(Put::Name(retried));
                });
            }
        }
        self.give_up(steps, ("read the source", "it failed"));
    }

    fn give_up(&self, steps: &mut Steps, told: (&'static str, &'static str)) {
        if self.state.left.aborts > 0 {
            steps.take(self.state, self.actor, told, |next| {
                next.left.aborts -= 1;
                next.writers[self.w].at = At::Abort;
            });
        }
    }

    /// Each part is left out, taken from a pack that is known, or stored afresh, perhaps because
    /// the pack that has it is retired.
    fn choices(&self) -> Vec<Names> {
        let (state, me) = (self.state, self.me());
        let known = (me.index | me.journal) & state.names;
        let usable = if self.configuration.is(Mutant::UnchangedIgnoresPlans) {
            known & !me.bounds | me.index & state.names
        } else {
            known & !me.bounds
        };
        let mut chosen = vec![0];
        for part in 0..self.configuration.parts {
            let mut longer = Vec::new();
            for packs in chosen {
                let may_skip = self.configuration.parts > 1;
                longer.extend(may_skip.then_some(packs));
                longer.extend(each(usable & packs_of(part)).map(|known| packs | known));
                longer.push(packs | pack(me.run, part));
            }
            chosen = longer;
        }
        chosen.retain(|packs| *packs != 0);
        chosen
    }

    fn refs_of(&self, packs: Names) -> Names {
        let me = self.me();
        if self.configuration.is(Mutant::RefsWithoutNonce) {
            let same = |run: &Run| {
                let names = self.state.needs(*run);
                names != 0 && names & (packs_of(0) | packs_of(1)) == packs
            };
            if let Some(run) = (0..me.run).find(same) {
                return refs(run);
            }
        }
        refs(me.run)
    }

    fn commit(&self, steps: &mut Steps) {
        let (state, w, me) = (self.state, self.w, self.me());
        let ours = Record::Commit(me.run);
        match me.at {
            At::PutCommit => {
                steps.put(
                    state,
                    self.actor,
                    "put commit",
                    Put::End(me.number, ours),
                    |next, answer| {
                        if answer == Answer::Created {
                            self.committed(next);
                        } else {
                            next.writers[w].at = At::LookCommit;
                        }
                    },
                );
                self.give_up(steps, ("cancelled", ""));
            }
            At::LookCommit => match state.ends.get(me.number) {
                Some(end) if end == ours => {
                    steps.take(state, self.actor, ("look at the end", "ours"), |next| {
                        self.committed(next);
                    });
                }
                Some(_) => self.take(steps, ("look at the end", "another's"), Writer::end),
                None => self.take(steps, ("look at the end", "none"), |me| {
                    me.at = At::PutCommit;
                }),
            },
            _ => match state.dead.get(me.number) {
                Some(end) if end != ours => {
                    self.take(steps, ("read forget", "the number is dead"), Writer::end);
                }
                _ => steps.take(state, self.actor, ("read forget", "success"), |next| {
                    next.succeeded(w);
                }),
            },
        }
    }

    fn committed(&self, next: &mut State) {
        if self.configuration.is(Mutant::NoLastLook) {
            next.succeeded(self.w);
        } else {
            next.writers[self.w].at = At::LastLook;
        }
    }
}

impl Writer {
    /// The highest number seen so far.
    fn at_least(&mut self, job: u8, there: impl Fn(Number) -> bool) {
        let found = Number::all().filter(|at| at.job == job && there(*at));
        self.number.seq = found.map(|at| at.seq).fold(self.number.seq, u8::max);
    }

    fn next_generation(&mut self, at: At) {
        if !self.done {
            self.bounds |= self.planned;
        }
        (self.done, self.planned) = (false, 0);
        self.generation += 1;
        self.at = at;
    }

    fn plans_read(&mut self, configuration: &Configuration) {
        self.done = false;
        self.generation = 0;
        self.at = if configuration.is(Mutant::PlansBeforeSession) {
            At::PutSession
        } else {
            At::Store
        };
    }
}

impl State {
    /// Success is reported, and what was learnt is kept.
    fn succeeded(&mut self, w: usize) {
        let me = &mut self.writers[w];
        let run = &mut self.runs[usize::from(me.run)];
        run.reported = true;
        me.index |= run.names & (packs_of(0) | packs_of(1));
        me.journal = 0;
        me.end();
    }
}

fn seen(there: bool) -> &'static str {
    if there { "there" } else { "absent" }
}

fn reuse(packs: Names, fresh: Names) -> &'static str {
    match (packs & fresh != 0, packs & !fresh != 0) {
        (true, false) => "in fresh packs",
        (false, true) => "all in known packs",
        _ => "in fresh and known packs",
    }
}

const _: () = assert!(PACKS_A_RUN == 2 && GENERATIONS < 8);
