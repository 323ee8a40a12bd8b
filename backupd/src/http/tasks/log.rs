//! What a task has said so far: numbered lines, kept so that whoever comes late or comes back
//! reads from any line on.
//!
//! A line that says how far an object is replaces the one before it of the same object: numbers
//! go on, room does not. So a log of days stays small, and nobody who reads along is held up.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use backup_model::{Code, Event, Failure};
use backupd_api::{Numbered, Outcome, TaskLine};
use bytes::Bytes;
use tokio::sync::watch;

/// What the lines of one task may take.
const LARGEST: usize = 32 << 20;

/// The log of a task.
#[derive(Debug)]
pub(in crate::http) struct Log {
    lines: Mutex<Lines>,
    /// The number of the next line, and whether the last one was written.
    grown: watch::Sender<(u64, bool)>,
}

#[derive(Debug, Default)]
struct Lines {
    next: u64,
    bytes: usize,
    kept: BTreeMap<u64, Bytes>,
    /// The line that says how far an object is.
    advanced: HashMap<String, u64>,
    ended: bool,
}

/// A log that has no room for another line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Log {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            lines: Mutex::default(),
            grown: watch::Sender::new((0, false)),
        })
    }

    /// Adds a line. Nothing comes after the end, which always has room.
    pub(super) fn add(&self, line: TaskLine) -> Result<(), Full> {
        let mut lines = self.lines();
        let end = matches!(line, TaskLine::End(_));
        if lines.ended || (lines.bytes > LARGEST && !end) {
            return Err(Full);
        }
        let n = lines.next;
        let replaced = match &line {
            TaskLine::Progress(Event::Advanced { object, .. }) => {
                lines.advanced.insert(object.clone(), n)
            }
            TaskLine::Progress(Event::Ended { object }) => lines.advanced.remove(object),
            _ => None,
        };
        if let Some(line) = replaced.and_then(|n| lines.kept.remove(&n)) {
            lines.bytes -= line.len();
        }
        let text = text(n, line);
        lines.bytes += text.len();
        lines.kept.insert(n, text);
        lines.next += 1;
        lines.ended = end;
        self.grown.send_replace((lines.next, end));
        Ok(())
    }

    /// The first line from this number on, and its number.
    fn first(&self, from: u64) -> Option<(u64, Bytes)> {
        let lines = self.lines();
        let (n, line) = lines.kept.range(from..).next()?;
        Some((*n, line.clone()))
    }

    /// What its lines take.
    pub(super) fn bytes(&self) -> usize {
        self.lines().bytes
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a log, from a line on, as it grows.
#[derive(Debug)]
pub(in crate::http) struct Reader {
    log: Arc<Log>,
    next: u64,
    grown: watch::Receiver<(u64, bool)>,
}

impl Reader {
    pub(in crate::http) fn new(log: Arc<Log>, from: u64) -> Self {
        let grown = log.grown.subscribe();
        Self {
            log,
            next: from,
            grown,
        }
    }

    /// The next line; none after the last one.
    pub(in crate::http) async fn next(&mut self) -> Option<Bytes> {
        loop {
            // Seen before it is looked for, so that a line that comes meanwhile is seen again.
            let (_, ended) = *self.grown.borrow_and_update();
            if let Some((n, line)) = self.log.first(self.next) {
                self.next = n + 1;
                return Some(line);
            }
            if ended {
                return None;
            }
            self.grown.changed().await.ok()?;
        }
    }
}

fn text(n: u64, line: TaskLine) -> Bytes {
    let line = Numbered { n, line };
    let mut text = serde_json::to_vec(&line).unwrap_or_else(|error| {
        let failure = Failure::from_error(Code::Bug, &error);
        let line = TaskLine::Progress(Event::Warned(failure));
        serde_json::to_vec(&Numbered { n, line }).unwrap_or_default()
    });
    text.push(b'\n');
    text.into()
}

/// The end of a task as a line.
pub(super) fn end(result: Result<(), Failure>) -> TaskLine {
    TaskLine::End(Outcome::from(result))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advanced(done_bytes: u64) -> TaskLine {
        TaskLine::Progress(Event::Advanced {
            object: "app".to_owned(),
            done_bytes,
            stored_bytes: 0,
        })
    }

    async fn rest(mut reader: Reader) -> Vec<Numbered> {
        let mut lines = Vec::new();
        while let Some(line) = reader.next().await {
            lines.push(serde_json::from_slice(&line).unwrap());
        }
        lines
    }

    #[tokio::test]
    async fn progress_replaces_progress_and_numbers_go_on() {
        let log = Log::new();
        for n in 0..1000 {
            log.add(advanced(n)).unwrap();
        }
        assert!(log.bytes() < 200);
        let early = Reader::new(Arc::clone(&log), 0);
        let late = Reader::new(Arc::clone(&log), 1000);
        log.add(end(Ok(()))).unwrap();
        assert_eq!(log.add(advanced(1)), Err(Full));
        let early = rest(early).await;
        assert_eq!((early[0].n, &early[0].line), (999, &advanced(999)));
        assert_eq!(early.len(), 2);
        assert_eq!(rest(late).await, early[1..]);
        assert_eq!(rest(Reader::new(log, 5000)).await, []);
    }

    #[tokio::test]
    async fn a_full_log_still_ends() {
        let log = Log::new();
        let failure = Failure::new(Code::Source, "x".repeat(1 << 20));
        let mut added = 0;
        while log
            .add(TaskLine::Progress(Event::Warned(failure.clone())))
            .is_ok()
        {
            added += 1;
            assert!(added < 64);
        }
        log.add(end(Err(failure))).unwrap();
        assert_eq!(rest(Reader::new(log, 0)).await.len(), added + 1);
    }
}
