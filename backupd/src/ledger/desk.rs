//! The ledger's thread: it has the file, does what it is asked in the order of asking, and says how
//! the ledger is.
//!
//! It opens the file, and opens it again at the next call if that failed, or if the file turned out
//! to be damaged or was removed. So a disk that was full or read-only needs no restart.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use backup_model::{Failure, RunId};
use tokio::sync::{mpsc, watch};

use super::{
    Clock, Ending, LedgerError, LedgerStanding,
    file::{Book, Claim},
    write::{Head, News},
};

/// Ends of runs that are kept in memory while they cannot be written.
const ENDS_MAX: usize = 256;

/// What the thread is asked to do.
pub(super) type Call = Box<dyn FnOnce(&mut Desk) + Send>;

/// What the thread has before it. The file is closed before the claim on it ends, and whoever
/// waits for that hears of it last.
pub(super) struct Desk {
    book: Option<Book>,
    claim: Claim,
    daemon: String,
    clock: Clock,
    ends: Ends,
    standing: watch::Sender<LedgerStanding>,
}

/// Ends of runs that are not written yet. An end must not be lost, or its run would go on running
/// in the ledger for as long as the daemon lives: whoever ends one leaves it here, and it is
/// written as soon as anything can be.
#[derive(Clone, Debug, Default)]
pub(super) struct Ends(Arc<Mutex<VecDeque<End>>>);

/// The end of a run, with all that was not written of it.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub(super) head: Head,
    pub(super) news: News,
    pub(super) ending: Ending,
}

impl Ends {
    fn list(&self) -> MutexGuard<'_, VecDeque<End>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, end: End) {
        let mut list = self.list();
        if list.len() == ENDS_MAX {
            list.pop_front();
        }
        list.push_back(end);
    }

    /// The first one, if any is left; cloned, since writing it takes time.
    fn first(&self) -> Option<End> {
        self.list().front().cloned()
    }

    fn remove(&self, run: RunId) {
        self.list().retain(|end| end.head.run != run);
    }
}

impl Desk {
    pub(super) fn new(
        claim: Claim,
        daemon: String,
        clock: Clock,
        ends: Ends,
        standing: watch::Sender<LedgerStanding>,
    ) -> Self {
        Self {
            book: None,
            claim,
            daemon,
            clock,
            ends,
            standing,
        }
    }

    /// Starts the thread. It ends when nobody is left to ask.
    pub(super) fn serve(mut self, mut calls: mpsc::Receiver<Call>) -> io::Result<()> {
        let serve = move || {
            while let Some(call) = calls.blocking_recv() {
                call(&mut self);
            }
        };
        let thread = thread::Builder::new().name("ledger".to_owned());
        thread.spawn(serve).map(drop)
    }

    /// Writes. That it worked says that the ledger is well.
    pub(super) fn write<T>(
        &mut self,
        what: impl FnOnce(&mut Book) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let done = self.look(what)?;
        self.say(|standing| standing.trouble = None);
        // Its own trouble stands in the standing; what was asked for is done.
        self.write_ends().ok();
        Ok(done)
    }

    /// Reads. That it worked says nothing about writing.
    pub(super) fn look<T>(
        &mut self,
        what: impl FnOnce(&mut Book) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let done = self.book().and_then(what);
        if let Err(error) = &done
            && !error.is_answer()
        {
            if error.condemns_the_file() {
                self.book = None;
            }
            let trouble = Failure::from_error(error.code(), error);
            self.say(|standing| standing.trouble = Some(trouble));
        }
        done
    }

    /// Writes the ends that are left.
    pub(super) fn write_ends(&mut self) -> Result<(), LedgerError> {
        while let Some(end) = self.ends.first() {
            self.look(|book| book.record(&end.head, &end.news, Some(&end.ending)))?;
            self.ends.remove(end.head.run);
            self.say(|standing| standing.trouble = None);
        }
        Ok(())
    }

    fn book(&mut self) -> Result<&mut Book, LedgerError> {
        // Somebody may have removed it. The old one is closed first: it takes its WAL along.
        let open = self.book.take().filter(|book| self.claim.is_of(book));
        let mut book = match open {
            Some(book) => return Ok(self.book.insert(book)),
            None => self.open()?,
        };
        let interrupted = book.interrupt_others()?;
        self.say(|standing| standing.interrupted.extend(interrupted));
        Ok(self.book.insert(book))
    }

    fn open(&mut self) -> Result<Book, LedgerError> {
        let opened = self.claim.open(&self.daemon, (self.clock)())?;
        self.say(|standing| {
            standing.made += u32::from(opened.made);
            if opened.moved.is_some() {
                standing.moved = opened.moved;
            }
        });
        Ok(opened.book)
    }

    /// Wakes those who listen only if there is something new.
    fn say(&self, change: impl FnOnce(&mut LedgerStanding)) {
        self.standing.send_if_modified(|standing| {
            let before = standing.clone();
            change(standing);
            *standing != before
        });
    }
}
