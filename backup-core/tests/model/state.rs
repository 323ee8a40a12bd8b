//! What the model knows at one moment: the object store, the requests that are still on their way
//! to it, and what each actor remembers. Plain data; who does what is in the actors' files.
//!
//! A run is its nonce, and a name of a pack or refs is a bit. A digest of a record is the record.
//! A recipe is left out: its name is as fresh as that of a pack, and goes where the refs go.

use crate::configuration::Configuration;
use crate::{forgetter, pruner, reader, writer};

pub(crate) const JOBS: usize = 2;
pub(crate) const WRITERS: usize = 2;
pub(crate) const PRUNERS: usize = 2;
pub(crate) const READERS: usize = 2;
/// One more than any configuration uses, for the run that follows a quiet state.
pub(crate) const RUNS: usize = 5;
/// Each run takes at most one number.
pub(crate) const NUMBERS: usize = RUNS;
pub(crate) const GENERATIONS: usize = 3;
pub(crate) const PACKS_A_RUN: usize = 2;
const DELAYED: usize = 2;

/// The nonce of a run.
pub(crate) type Run = u8;

/// Names of packs and refs: three bits for each run.
pub(crate) type Names = u16;

/// The fresh pack that a run makes for one part of its source.
pub(crate) fn pack(run: Run, part: usize) -> Names {
    1 << (usize::from(run) * 3 + part)
}

/// All packs, whoever made them, that hold this part of the source.
pub(crate) fn packs_of(part: usize) -> Names {
    (0..RUNS).fold(0, |all, run| all | pack(run as Run, part))
}

/// The refs that a run writes, named by its nonce.
pub(crate) fn refs(run: Run) -> Names {
    1 << (usize::from(run) * 3 + PACKS_A_RUN)
}

/// Each name by itself.
pub(crate) fn each(names: Names) -> impl Iterator<Item = Names> {
    (0..Names::BITS)
        .map(|bit| 1 << bit)
        .filter(move |name| names & name != 0)
}

/// A backup's job and its number, which counts from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Number {
    pub(crate) job: u8,
    pub(crate) seq: u8,
}

impl Number {
    /// Of all jobs, in order.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..JOBS as u8).flat_map(|job| (1..=NUMBERS as u8).map(move |seq| Self { job, seq }))
    }

    pub(crate) fn previous(self) -> Option<Self> {
        (self.seq > 1).then(|| Self {
            seq: self.seq - 1,
            ..self
        })
    }
}

/// Something for each number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Numbers<T>([[T; NUMBERS]; JOBS]);

impl<T: Copy> Numbers<T> {
    pub(crate) fn get(&self, at: Number) -> T {
        self.0[usize::from(at.job)][usize::from(at.seq) - 1]
    }

    pub(crate) fn set(&mut self, at: Number, value: T) {
        self.0[usize::from(at.job)][usize::from(at.seq) - 1] = value;
    }
}

impl Numbers<Option<Record>> {
    /// What the newest forget says of a number, or else its record.
    pub(crate) fn get_or(&self, at: Number, ends: Self) -> Option<Record> {
        if at.seq == 0 {
            None
        } else {
            self.get(at).or(ends.get(at))
        }
    }
}

/// A set of numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct NumberSet(u16);

impl NumberSet {
    fn bit(at: Number) -> u16 {
        1 << (usize::from(at.job) * NUMBERS + usize::from(at.seq) - 1)
    }

    pub(crate) fn has(self, at: Number) -> bool {
        self.0 & Self::bit(at) != 0
    }

    pub(crate) fn add(&mut self, at: Number) {
        self.0 |= Self::bit(at);
    }

    pub(crate) fn remove(&mut self, at: Number) {
        self.0 &= !Self::bit(at);
    }

    pub(crate) fn first(self) -> Option<Number> {
        Number::all().find(|at| self.has(*at))
    }
}

/// The end of a number, as written to its snapshot key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Record {
    Commit(Run),
    /// By the run itself, or by a later run of its writer.
    Aborted(Run),
    Fence(Actor),
}

/// What a forget record adds to the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Change {
    /// With the digest of the record that goes.
    Dead(Number, Record),
    Hold(Number),
    Release(Number),
}

/// A create-if-absent put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Put {
    Name(Names),
    Session(Number, Run),
    End(Number, Record),
    /// Of this number; all that it holds but the change is in its predecessor.
    Forget(u8, Change),
    Plan(u8, Names),
    Final(u8, Names),
    Done(u8),
}

/// The records of one generation of prune.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Generation {
    pub(crate) plan: Option<Names>,
    pub(crate) last: Option<Names>,
    pub(crate) done: bool,
}

/// Who takes a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Actor {
    Writer(u8),
    Forgetter,
    Pruner(u8),
    Reader(u8),
    /// A request that was on its way arrives, or a left pin runs out.
    Store,
}

/// What a run has signed: fixed once its refs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Signed {
    pub(crate) writer: u8,
    pub(crate) at: Number,
    pub(crate) prev: Option<Record>,
    /// Its packs and its refs.
    pub(crate) names: Names,
    /// Success was reported to whoever asked for the backup.
    pub(crate) reported: bool,
}

/// How much may still happen; a model is finite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Left {
    pub(crate) runs: u8,
    pub(crate) changes: u8,
    pub(crate) prunes: u8,
    pub(crate) reads: u8,
    pub(crate) crashes: u8,
    /// Runs that fail or are cancelled, and say so.
    pub(crate) aborts: u8,
    /// Puts whose answer is lost, and which may arrive at any time.
    pub(crate) delays: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct State {
    // What is stored.
    pub(crate) names: Names,
    pub(crate) sessions: Numbers<Option<Run>>,
    pub(crate) ends: Numbers<Option<Record>>,
    pub(crate) forget: u8,
    pub(crate) dead: Numbers<Option<Record>>,
    pub(crate) held: NumberSet,
    pub(crate) pins: [Option<Run>; READERS],
    pub(crate) prune: [Generation; GENERATIONS],

    // What may arrive late, even when its sender is dead.
    delayed: [Option<Put>; DELAYED],
    pub(crate) late_names: Names,
    pub(crate) late_sessions: NumberSet,
    pub(crate) late_ends: NumberSet,

    pub(crate) runs: [Signed; RUNS],
    pub(crate) begun: u8,
    pub(crate) writers: [writer::Writer; WRITERS],
    pub(crate) forgetter: forgetter::Forgetter,
    pub(crate) pruners: [pruner::Pruner; PRUNERS],
    pub(crate) readers: [reader::Reader; READERS],
    pub(crate) left: Left,
}

impl State {
    pub(crate) fn first(configuration: &Configuration) -> Self {
        Self {
            left: configuration.left,
            ..Self::default()
        }
    }

    /// The store takes a put: is the object new?
    pub(crate) fn create(&mut self, put: Put) -> bool {
        match put {
            Put::Name(name) => {
                let new = self.names & name == 0;
                self.names |= name;
                new
            }
            Put::Session(at, run) => {
                let new = self.sessions.get(at).is_none();
                if new {
                    self.sessions.set(at, Some(run));
                }
                new
            }
            Put::End(at, record) => {
                let new = self.ends.get(at).is_none();
                if new {
                    self.ends.set(at, Some(record));
                }
                new
            }
            Put::Forget(number, change) => {
                let new = self.forget + 1 == number;
                if new {
                    self.forget = number;
                    self.change(change);
                }
                new
            }
            Put::Plan(at, names) => fill(&mut self.prune[usize::from(at)].plan, names),
            Put::Final(at, names) => fill(&mut self.prune[usize::from(at)].last, names),
            Put::Done(at) => !std::mem::replace(&mut self.prune[usize::from(at)].done, true),
        }
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Dead(at, record) => self.dead.set(at, Some(record)),
            Change::Hold(at) => self.held.add(at),
            Change::Release(at) => self.held.remove(at),
        }
    }

    /// The change is in force: how one tells whether a forget record is one's own.
    pub(crate) fn holds(&self, change: Change) -> bool {
        match change {
            Change::Dead(at, record) => self.dead.get(at) == Some(record),
            Change::Hold(at) => self.held.has(at),
            Change::Release(at) => !self.held.has(at),
        }
    }

    /// The put goes on its way, and its sender will not hear of it.
    pub(crate) fn delay(&mut self, put: Put) {
        self.left.delays -= 1;
        let free = self.delayed.iter_mut().find(|slot| slot.is_none());
        *free.expect("no configuration delays more") = Some(put);
        self.delayed.sort_unstable();
    }

    pub(crate) fn delayed(&self) -> impl Iterator<Item = Put> {
        self.delayed.iter().flatten().copied()
    }

    pub(crate) fn arrived(&mut self, put: Put) {
        let slot = self.delayed.iter_mut().find(|slot| **slot == Some(put));
        *slot.expect("it was on its way") = None;
        self.delayed.sort_unstable();
    }

    /// What the commit of this run needs.
    pub(crate) fn needs(&self, run: Run) -> Names {
        self.runs[usize::from(run)].names
    }

    /// Nobody is doing anything.
    pub(crate) fn is_quiet(&self) -> bool {
        self.writers.iter().all(writer::Writer::idle)
            && self.forgetter == forgetter::Forgetter::Idle
            && self.pruners.iter().all(pruner::Pruner::idle)
            && self.readers.iter().all(|reader| reader.idle())
    }

    pub(crate) fn ended(&self, at: Number) -> bool {
        self.ends.get(at).is_some() || self.dead.get(at).is_some()
    }
}

fn fill(slot: &mut Option<Names>, names: Names) -> bool {
    let new = slot.is_none();
    slot.get_or_insert(names);
    new
}
