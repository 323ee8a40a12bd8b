//! The ledger as the daemon holds it: calls that may be awaited, answered by one thread.
//!
//! SQLite blocks, so it has a thread of its own with a bounded queue, instead of `spawn_blocking`:
//! it takes one writer at a time anyway, what is asked in one order is written in that order, and a
//! disk that hangs holds up this one thread and not the pool that the whole daemon shares. A call
//! that is not answered in time is an error, and the backup goes on.
//!
//! The thread opens the file, and opens it again at the next call if that failed or if the file
//! turned out to be damaged. So a disk that was full or read-only needs no restart of the daemon.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};

use backup_model::{
    Event, Failure, JobName, LogLevel, Pause, Progress, RunDetail, RunId, RunKind, RunLog,
    RunOutcome, RunPage, RunQuery, Running, SnapshotInfo, SnapshotName,
};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task,
    time::timeout,
};

use super::{
    DueRun, Ending, Entered, Keep, LedgerError, Moved, NewRun, Past, Subject, Verified,
    file::{Book, Claim},
    recorder::Account,
    write::{Head, News},
};

/// Says what time it is.
pub type Clock = fn() -> Timestamp;

/// Calls that wait for the thread.
const QUEUE: usize = 128;

/// Ends of runs that are kept in memory while they cannot be written.
const UNWRITTEN_MAX: usize = 256;

/// How long a caller waits for an answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// How the ledger is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerStanding {
    /// Why it did not do what it was last asked; none while all is well.
    pub trouble: Option<Failure>,
    /// The file that was moved aside last, since the daemon began.
    pub moved: Option<Moved>,
    /// How often it was made anew since the daemon began. After each time it is empty, and wants
    /// to be told what the repositories hold.
    pub made: u32,
    /// What an earlier daemon left running.
    pub interrupted: Vec<RunId>,
}

type Call = Box<dyn FnOnce(&mut Desk) + Send>;

/// The run ledger. Clones share it; it is closed when the last one is gone.
#[derive(Clone, Debug)]
pub struct Ledger {
    calls: mpsc::Sender<Call>,
    standing: watch::Receiver<LedgerStanding>,
    clock: Clock,
}

/// The end of a run that could not be written yet.
struct Unwritten {
    head: Head,
    news: News,
    ending: Ending,
}

/// What the thread has before it. The file is closed before the claim on it ends, and whoever
/// waits for that hears of it last.
struct Desk {
    book: Option<Book>,
    unwritten: VecDeque<Unwritten>,
    claim: Claim,
    daemon: String,
    clock: Clock,
    standing: watch::Sender<LedgerStanding>,
}

impl Ledger {
    /// Opens the ledger of a state folder, for the one daemon that may write it. Fails only where
    /// there is another daemon or no state folder: with any other trouble there is a ledger whose
    /// calls fail until the trouble is over, see [`Ledger::standing`].
    pub async fn open(state: &Path, clock: Clock) -> Result<Self, LedgerError> {
        let folder = state.to_owned();
        let claim = task::spawn_blocking(move || Claim::take(&folder))
            .await
            .map_err(|_| LedgerError::Closed)??;
        let (calls, mut queue) = mpsc::channel::<Call>(QUEUE);
        let (said, standing) = watch::channel(LedgerStanding::default());
        let mut desk = Desk {
            book: None,
            unwritten: VecDeque::new(),
            claim,
            daemon: HEXLOWER.encode(&noise(clock())),
            clock,
            standing: said,
        };
        thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || {
                while let Some(call) = queue.blocking_recv() {
                    call(&mut desk);
                }
            })
            .map_err(|source| LedgerError::Io {
                path: state.to_owned(),
                source,
            })?;
        let ledger = Self {
            calls,
            standing,
            clock,
        };
        // What is wrong with it stands in its standing.
        ledger.ask(|_| Ok(())).await.ok();
        Ok(ledger)
    }

    /// How it is; whoever holds this hears of every change.
    pub fn standing(&self) -> watch::Receiver<LedgerStanding> {
        self.standing.clone()
    }

    /// Closes it, and waits until all that was asked for is written and the file is let go of.
    /// Clones and recorders must be gone, else it is not closed, and the wait ends by itself.
    pub async fn close(self) {
        let mut standing = self.standing.clone();
        drop(self);
        // It never holds: what is waited for is that nobody is left to say anything.
        timeout(PATIENCE, standing.wait_for(|_| false)).await.ok();
    }

    /// Has the thread do something with the open file.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Book) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.send(move |desk| desk.with(what)).await
    }

    /// Has the thread do something.
    async fn send<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Desk) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (answer, answered) = oneshot::channel();
        let call: Call = Box::new(move |desk| {
            // Whoever asked may be gone, and the work is done all the same.
            answer.send(what(desk)).ok();
        });
        let asked = async {
            let queued = self.calls.send(call).await;
            queued.map_err(|_| LedgerError::Closed)?;
            answered.await.map_err(|_| LedgerError::Closed)?
        };
        match timeout(PATIENCE, asked).await {
            Ok(result) => result,
            Err(_) => Err(LedgerError::Slow(PATIENCE.as_secs())),
        }
    }

    /// Begins a run. There is a run in any case; the error only says that the ledger does not
    /// know it yet.
    pub async fn begin(&self, new: NewRun) -> (Recorder, Result<(), LedgerError>) {
        let head = self.head(new);
        let account = Arc::new(Account::new(head.clone(), self.clock));
        let recorder = Recorder {
            account,
            ledger: self.clone(),
        };
        (recorder, self.ask(move |book| book.begin(&head)).await)
    }

    /// Puts on record that there was no run at a due time.
    pub async fn enter(&self, new: NewRun, outcome: RunOutcome) -> Result<(), LedgerError> {
        let head = self.head(new);
        self.ask(move |book| book.enter_ended(&head, outcome)).await
    }

    fn head(&self, new: NewRun) -> Head {
        let begun = (self.clock)();
        Head {
            run: RunId::new(begun, noise(begun)),
            begun,
            new,
        }
    }

    /// Runs, the newest first.
    pub async fn list(&self, query: RunQuery) -> Result<RunPage, LedgerError> {
        self.ask(move |book| book.list(&query)).await
    }

    /// The run whose id this is, or the end of it.
    pub async fn find(&self, text: &str) -> Result<RunId, LedgerError> {
        let text = text.to_owned();
        self.ask(move |book| book.find(&text)).await
    }

    /// One run with its story.
    pub async fn show(&self, run: RunId) -> Result<RunDetail, LedgerError> {
        self.ask(move |book| book.show(run)).await
    }

    /// The log of a run from this line on.
    pub async fn log(&self, run: RunId, from: u64) -> Result<RunLog, LedgerError> {
        self.ask(move |book| book.log(run, from)).await
    }

    /// What is known of the past of one kind of run.
    pub async fn past(&self, kind: RunKind, subject: Subject) -> Result<Past, LedgerError> {
        self.ask(move |book| book.past(kind, &subject)).await
    }

    /// What was done about due times since then.
    pub async fn due_runs(
        &self,
        kind: RunKind,
        subject: Subject,
        since: Timestamp,
    ) -> Result<Vec<DueRun>, LedgerError> {
        self.ask(move |book| book.due_runs(kind, &subject, since))
            .await
    }

    /// Pauses a job, in the place of a pause that it has.
    pub async fn pause(&self, job: JobName, pause: Pause) -> Result<(), LedgerError> {
        self.ask(move |book| book.pause(&job, &pause)).await
    }

    /// Ends a pause. Says whether there was one.
    pub async fn resume(&self, job: JobName) -> Result<bool, LedgerError> {
        self.ask(move |book| book.resume(&job)).await
    }

    /// The pauses that count now.
    pub async fn pauses(&self) -> Result<BTreeMap<JobName, Pause>, LedgerError> {
        let now = (self.clock)();
        self.ask(move |book| book.pauses(now)).await
    }

    /// Remembers verifications of snapshots of a repository.
    pub async fn remember(
        &self,
        repository: &str,
        verified: Vec<Verified>,
    ) -> Result<(), LedgerError> {
        let repository = repository.to_owned();
        self.ask(move |book| book.remember(&repository, &verified))
            .await
    }

    /// What is remembered of a repository's verifications.
    pub async fn verified(&self, repository: &str) -> Result<Vec<Verified>, LedgerError> {
        let repository = repository.to_owned();
        self.ask(move |book| book.verified(&repository)).await
    }

    /// Forgets the verifications of snapshots that are not there any more.
    pub async fn keep_verified(
        &self,
        repository: &str,
        present: BTreeSet<SnapshotName>,
    ) -> Result<(), LedgerError> {
        let repository = repository.to_owned();
        self.ask(move |book| book.keep_verified(&repository, &present))
            .await
    }

    /// Enters the runs that a repository's list has and the ledger does not.
    pub async fn enter_found(
        &self,
        repository: &str,
        found: Vec<SnapshotInfo>,
    ) -> Result<Entered, LedgerError> {
        let repository = repository.to_owned();
        self.ask(move |book| book.enter_found(&repository, &found))
            .await
    }

    /// Removes what is too old. Says how many runs went.
    pub async fn discard(&self, keep: Keep) -> Result<u64, LedgerError> {
        let now = (self.clock)();
        self.ask(move |book| book.discard(keep, now)).await
    }
}

impl Desk {
    fn with<T>(
        &mut self,
        what: impl FnOnce(&mut Book) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let done = self.book().and_then(what);
        match &done {
            Err(error) if error.is_answer() => {}
            Err(error) => {
                if error.condemns_the_file() {
                    self.book = None;
                }
                let trouble = Failure::from_error(error.code(), error);
                self.say(|standing| standing.trouble = Some(trouble));
            }
            Ok(_) => {
                self.say(|standing| standing.trouble = None);
                self.catch_up();
            }
        }
        done
    }

    /// Ends a run. If that cannot be written now, it will be once something can: else the run
    /// would go on running in the ledger for as long as the daemon lives.
    fn finish(&mut self, head: &Head, news: News, ending: Ending) -> Result<(), LedgerError> {
        let done = self.with(|book| book.record(head, &news, Some(&ending)));
        if done.is_err() {
            if self.unwritten.len() == UNWRITTEN_MAX {
                self.unwritten.pop_front();
            }
            self.unwritten.push_back(Unwritten {
                head: head.clone(),
                news,
                ending,
            });
        }
        done
    }

    fn catch_up(&mut self) {
        while let (Some(one), Some(book)) = (self.unwritten.front(), &mut self.book) {
            let Unwritten { head, news, ending } = one;
            if book.record(head, news, Some(ending)).is_err() {
                return;
            }
            self.unwritten.pop_front();
        }
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

/// Takes what a run says into the ledger. Clones are the same run.
#[derive(Clone, Debug)]
pub struct Recorder {
    account: Arc<Account>,
    ledger: Ledger,
}

impl Recorder {
    /// Which run.
    pub fn run(&self) -> RunId {
        self.account.run()
    }

    /// How far it is.
    pub fn running(&self) -> Running {
        self.account.running()
    }

    /// Writes a line into its log.
    pub fn line(&self, level: LogLevel, text: &str) {
        if self.account.line(level, text) {
            self.call();
        }
    }

    /// Ends the run, with all that it said.
    pub async fn end(&self, ending: Ending) -> Result<(), LedgerError> {
        let account = Arc::clone(&self.account);
        let finish = move |desk: &mut Desk| {
            let mut news = account.news();
            news.bytes = ending.bytes.unwrap_or(news.bytes);
            desk.finish(&account.head, news, ending)
        };
        self.ledger.send(finish).await
    }

    /// Asks the thread to fetch what is new; if it has too much to do, the next event asks again.
    fn call(&self) {
        let account = Arc::clone(&self.account);
        let call: Call = Box::new(move |desk| {
            let news = account.news();
            let recorded = desk.with(|book| book.record(&account.head, &news, None));
            // Else it goes along the next time, and the ledger's standing says why.
            if recorded.is_ok() {
                account.written(&news);
            }
        });
        if self.ledger.calls.try_send(call).is_err() {
            self.account.not_called();
        }
    }
}

impl Progress for Recorder {
    fn event(&self, event: Event) {
        if self.account.hear(event) {
            self.call();
        }
    }
}

/// What tells two runs of one moment apart. Without randomness the clock must do: two runs that
/// begin in the same nanosecond would be one, and that is no reason not to back up.
fn noise(now: Timestamp) -> [u8; 10] {
    let mut noise = [0; 10];
    if getrandom::fill(&mut noise).is_err() {
        noise[2..].copy_from_slice(
            &now.subsec_nanosecond()
                .wrapping_mul(1_000_003)
                .to_be_bytes()
                .repeat(2),
        );
    }
    noise
}
