//! Restores that run on the server, or have run: what each has said so far. The daemon does them;
//! a window that was closed hears the same from the beginning.

use std::collections::BTreeMap;

use backup_model::{Code, Event, Failure, Phase, RestoreReport};
use backupd_api::{Kind, Numbered, TaskInfo, TaskLine, TaskReport, TaskState};
use jiff::{SignedDuration, Timestamp};

/// So many measurements of a rate are kept, at most one a second.
const RATES: usize = 600;
/// So long after a connection broke it is made again.
const AGAIN: SignedDuration = SignedDuration::from_secs(1);
/// So many warnings are shown at most; the rest is counted.
const WARNINGS: usize = 500;

/// One object of a restore: a stream on its way to its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What is being done.
    pub phase: Phase,
    /// To what.
    pub object: String,
    /// How many bytes it is, if that is known.
    pub total_bytes: Option<u64>,
    /// How many are done.
    pub done_bytes: u64,
    /// When it began.
    pub begun: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

/// What is known of a restore.
#[derive(Clone, Debug)]
pub struct Followed {
    /// The task.
    pub info: TaskInfo,
    /// What is done, in the order in which it began.
    pub parts: Vec<Part>,
    /// What went wrong without stopping it, with the time it was heard.
    pub warnings: Vec<(Timestamp, Failure)>,
    /// How many warnings there were.
    pub warned: u64,
    /// All bytes done, by the time they were heard of.
    pub done: Vec<(Timestamp, u64)>,
    /// What it came to.
    pub report: Option<RestoreReport>,
    /// How it ended, and when that was heard.
    pub end: Option<(Result<(), Failure>, Timestamp)>,
    /// Why nothing more is heard of it.
    pub lost: Option<Failure>,
    /// The next line that it will say.
    next: u64,
    /// Whether somebody listens.
    heard: bool,
    /// Not before this time again.
    pause: Option<Timestamp>,
}

impl Followed {
    fn new(info: TaskInfo) -> Self {
        Self {
            info,
            parts: Vec::new(),
            warnings: Vec::new(),
            warned: 0,
            done: Vec::new(),
            report: None,
            end: None,
            lost: None,
            next: 0,
            heard: false,
            pause: None,
        }
    }

    /// Bytes done of all bytes, where they are known.
    pub fn bytes(&self) -> (u64, Option<u64>) {
        let done = self.parts.iter().map(|part| part.done_bytes).sum();
        let total = self.parts.iter().map(|part| part.total_bytes);
        (done, total.sum::<Option<u64>>().filter(|all| *all > 0))
    }

    /// Bytes in a second, over the last ten seconds that were heard of.
    pub fn rate(&self) -> Option<u64> {
        let (last, done) = *self.done.last()?;
        let since = last - SignedDuration::from_secs(10);
        let (first, before) = *self.done.iter().find(|(at, _)| *at >= since)?;
        let millis = u64::try_from(last.duration_since(first).as_millis()).ok()?;
        let bytes = done.saturating_sub(before);
        (millis > 0).then(|| bytes.saturating_mul(1000) / millis)
    }

    fn hear(&mut self, line: Numbered, now: Timestamp) {
        if line.n < self.next {
            return;
        }
        self.next = line.n + 1;
        match line.line {
            TaskLine::Progress(event) => self.progress(event, now),
            TaskLine::Report(TaskReport::Restore(report)) => self.report = Some(report),
            TaskLine::Report(_) => {}
            TaskLine::End(outcome) => {
                self.end = Some((outcome.into(), now));
                for part in &mut self.parts {
                    part.ended.get_or_insert(now);
                }
            }
        }
    }

    fn progress(&mut self, event: Event, now: Timestamp) {
        match event {
            Event::Began {
                phase,
                object,
                total_bytes,
            } => self.parts.push(Part {
                phase,
                object,
                total_bytes,
                done_bytes: 0,
                begun: now,
                ended: None,
            }),
            Event::Advanced {
                object, done_bytes, ..
            } => {
                if let Some(part) = self.open(&object) {
                    part.done_bytes = done_bytes;
                    self.measure(now);
                }
            }
            Event::Ended { object } => {
                if let Some(part) = self.open(&object) {
                    part.ended = Some(now);
                }
            }
            Event::Warned(failure) => {
                self.warned += 1;
                if self.warnings.len() < WARNINGS {
                    self.warnings.push((now, failure));
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, object: &str) -> Option<&mut Part> {
        let mut parts = self.parts.iter_mut().rev();
        parts.find(|part| part.object == object && part.ended.is_none())
    }

    fn measure(&mut self, now: Timestamp) {
        let (all, _) = self.bytes();
        match self.done.last_mut() {
            Some((at, done)) if now.duration_since(*at) < SignedDuration::from_secs(1) => {
                *done = all;
            }
            _ => self.done.push((now, all)),
        }
        let over = self.done.len().saturating_sub(RATES);
        self.done.drain(..over);
    }
}

/// All restores that were heard of, by the ids of their tasks.
#[derive(Clone, Debug, Default)]
pub struct Restores(BTreeMap<String, Followed>);

impl Restores {
    /// One of them.
    pub fn get(&self, id: &str) -> Option<&Followed> {
        self.0.get(id)
    }

    /// All of them, the newest first.
    pub fn all(&self) -> Vec<&Followed> {
        let mut all: Vec<_> = self.0.values().collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.info.began));
        all
    }

    /// Takes tasks that there are.
    pub(super) fn know(&mut self, tasks: &[TaskInfo]) {
        let restores = tasks.iter().filter(|task| task.kind == Kind::Restore);
        for info in restores {
            let known = self.0.entry(info.id.clone());
            let known = known.or_insert_with(|| Followed::new(info.clone()));
            known.info = info.clone();
        }
    }

    /// Takes what one has said.
    pub(super) fn hear(&mut self, id: &str, lines: Vec<Numbered>, now: Timestamp) {
        if let Some(one) = self.0.get_mut(id) {
            for line in lines {
                one.hear(line, now);
            }
        }
    }

    /// Nobody listens to one any more, and why: a connection that broke is made again, a daemon
    /// that knows nothing of it will never tell.
    pub(super) fn unheard(&mut self, id: &str, failure: Failure, now: Timestamp) {
        if let Some(one) = self.0.get_mut(id) {
            one.heard = false;
            one.pause = now.checked_add(AGAIN).ok();
            one.lost = Some(failure).filter(|failure| failure.code != Code::Daemon);
        }
    }

    /// The daemon is gone: nobody listens any more.
    pub(super) fn all_unheard(&mut self) {
        self.0.values_mut().for_each(|one| one.heard = false);
    }

    /// Those that somebody should listen to now, and from which line on; they are taken as heard.
    pub(super) fn follow_now(&mut self, now: Timestamp) -> Vec<(String, u64)> {
        let unheard = |one: &&mut Followed| {
            let waits = one.pause.is_some_and(|pause| now < pause);
            !one.heard && !waits && one.lost.is_none() && one.end.is_none()
        };
        let all = self.0.values_mut().filter(unheard);
        let follow = all.map(|one| {
            one.heard = true;
            (one.info.id.clone(), one.next)
        });
        follow.collect()
    }

    /// Whether any still runs.
    pub fn running(&self) -> impl Iterator<Item = &Followed> {
        let runs = |one: &&Followed| {
            one.end.is_none() && one.lost.is_none() && one.info.state == TaskState::Running
        };
        self.0.values().filter(runs)
    }
}

#[cfg(test)]
mod tests;
