//! What one run tells of itself, on its way into the ledger.
//!
//! A run says far more than is worth an fsync, and must never wait for the ledger. So it writes
//! into memory, and the ledger's thread fetches what is new: bytes once a second at most, phases
//! and lines as soon as it has time. What could not be written stays here and goes along the next
//! time; all of it is bounded.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use backup_model::{
    Event, Failure, LogLevel, Phase, RunBytes, RunId, RunLogLine, RunPhase, Running,
};
use jiff::Timestamp;

use super::{
    Clock,
    write::{Head, News},
};

/// Phases of one run that are kept; a verification of many snapshots has more.
const PHASES_MAX: u32 = 1_000;

/// Warnings of one run that are kept in full.
const WARNINGS_MAX: u64 = 100;

/// Lines of one run that are kept; and so many more of those that warn or tell of errors.
const LINES_MAX: u64 = 2_000;
const GRAVE_LINES_MAX: u64 = 200;

/// Characters of a line that are kept.
const LINE_CHARS_MAX: usize = 2_000;

const BYTES_EVERY: Duration = Duration::from_secs(1);

/// What a run says, until it is written.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) head: Head,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<String, Object>,
    phases: u32,
    changed_phases: BTreeMap<u32, RunPhase>,
    warnings: u64,
    unwritten_warnings: VecDeque<(u32, Failure)>,
    lines: u64,
    grave_lines: u64,
    unwritten_lines: VecDeque<RunLogLine>,
    dropped: u64,
    /// Somebody has been asked to fetch what is new.
    called: bool,
    last_call: Option<Instant>,
}

#[derive(Debug, Default)]
struct Object {
    number: u32,
    phase: Option<RunPhase>,
    done_bytes: u64,
    new_bytes: u64,
    total_bytes: Option<u64>,
}

impl Account {
    pub(super) fn new(head: Head, clock: Clock) -> Self {
        Self {
            head,
            clock,
            state: Mutex::default(),
        }
    }

    /// A panic of another holder leaves nothing here that could mislead.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an event. Says whether somebody should fetch what is new.
    pub(super) fn hear(&self, event: Event) -> bool {
        let now = (self.clock)();
        let mut state = self.state();
        match event {
            Event::Began {
                phase,
                object,
                total_bytes,
            } => state.begin(phase, object, total_bytes, now),
            Event::Advanced {
                object,
                done_bytes,
                stored_bytes,
            } => {
                let entry = state.objects.entry(object).or_default();
                entry.done_bytes = done_bytes;
                entry.new_bytes = stored_bytes;
                return state.call(false);
            }
            Event::Ended { object } => state.end(&object, now),
            Event::Warned(failure) => state.warn(failure, now),
            Event::Noted { text } => state.line(LogLevel::Info, &text, now),
            // An event that is newer than this program has nothing to say to it.
            _ => return false,
        }
        state.call(true)
    }

    /// Takes a line for the log. Says whether somebody should fetch what is new.
    pub(super) fn line(&self, level: LogLevel, text: &str) -> bool {
        let now = (self.clock)();
        let mut state = self.state();
        state.line(level, text, now);
        state.call(true)
    }

    /// What is new, and once more whatever could not be written before.
    pub(super) fn news(&self) -> News {
        let now = (self.clock)();
        let mut state = self.state();
        state.called = false;
        state.last_call = Some(Instant::now());
        let phases = state.changed_phases.iter();
        News {
            heard: now,
            bytes: state.bytes(),
            phases: phases.map(|(&n, phase)| (n, phase.clone())).collect(),
            warnings: state.warnings,
            first_warnings: state.unwritten_warnings.iter().cloned().collect(),
            lines: state.unwritten_lines.iter().cloned().collect(),
            dropped: state.dropped,
        }
    }

    /// These are on disk.
    pub(super) fn written(&self, news: &News) {
        let mut state = self.state();
        for (number, phase) in &news.phases {
            if state.changed_phases.get(number) == Some(phase) {
                state.changed_phases.remove(number);
            }
        }
        state.unwritten_warnings.drain(..news.first_warnings.len());
        state.unwritten_lines.drain(..news.lines.len());
    }

    /// Nobody could be asked to fetch what is new: the next event asks again.
    pub(super) fn not_called(&self) {
        self.state().called = false;
    }

    /// How far it is.
    pub(super) fn running(&self) -> Running {
        Running {
            run: self.run(),
            percent: self.state().bytes().percent(),
        }
    }

    pub(super) const fn run(&self) -> RunId {
        self.head.run
    }
}

impl State {
    fn begin(&mut self, phase: Phase, object: String, total_bytes: Option<u64>, now: Timestamp) {
        let number = self.phases;
        self.phases += 1;
        let began = RunPhase {
            phase,
            object: object.clone(),
            begun: now,
            ended: None,
        };
        if number < PHASES_MAX {
            self.changed_phases.insert(number, began.clone());
        }
        let entry = self.objects.entry(object).or_default();
        // A second phase of one object goes over it again: what counts is how far that is.
        entry.number = number;
        entry.phase = Some(began);
        entry.total_bytes = total_bytes.or(entry.total_bytes);
    }

    fn end(&mut self, object: &str, now: Timestamp) {
        let Some(entry) = self.objects.get_mut(object) else {
            return;
        };
        if let Some(mut phase) = entry.phase.take() {
            phase.ended = Some(now);
            if entry.number < PHASES_MAX {
                self.changed_phases.insert(entry.number, phase);
            }
        }
    }

    fn warn(&mut self, failure: Failure, now: Timestamp) {
        let mut text = format!("{} {failure}", failure.code);
        for cause in &failure.causes {
            text.push_str(": ");
            text.push_str(cause);
        }
        self.line(LogLevel::Warn, &text, now);
        if self.warnings < WARNINGS_MAX {
            let number = u32::try_from(self.warnings).unwrap_or(u32::MAX);
            self.unwritten_warnings.push_back((number, failure));
        }
        self.warnings += 1;
    }

    fn line(&mut self, level: LogLevel, text: &str, at: Timestamp) {
        let grave = matches!(level, LogLevel::Warn | LogLevel::Error);
        if self.lines >= LINES_MAX {
            if !grave || self.grave_lines >= GRAVE_LINES_MAX {
                self.dropped += 1;
                return;
            }
            self.grave_lines += 1;
        }
        self.unwritten_lines.push_back(RunLogLine {
            number: self.lines,
            at,
            level,
            text: text.chars().take(LINE_CHARS_MAX).collect(),
        });
        self.lines += 1;
    }

    /// Whether somebody is to be asked now.
    fn call(&mut self, at_once: bool) -> bool {
        let due = at_once
            || self
                .last_call
                .is_none_or(|last| last.elapsed() >= BYTES_EVERY);
        if self.called || !due {
            return false;
        }
        self.called = true;
        true
    }

    fn bytes(&self) -> RunBytes {
        let objects = self.objects.values();
        let sized = !self.objects.is_empty() && objects.clone().all(|o| o.total_bytes.is_some());
        RunBytes {
            read_bytes: objects.clone().map(|o| o.done_bytes).sum(),
            new_bytes: objects.clone().map(|o| o.new_bytes).sum(),
            stored_bytes: 0,
            total_bytes: sized.then(|| objects.filter_map(|o| o.total_bytes).sum()),
        }
    }
}
