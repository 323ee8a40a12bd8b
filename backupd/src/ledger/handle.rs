//! The ledger as the daemon holds it: calls that may be awaited, answered by one thread.
//!
//! SQLite blocks, so it has a thread of its own with a bounded queue, instead of `spawn_blocking`:
//! it takes one writer at a time anyway, what is asked in one order is written in that order, and a
//! disk that hangs holds up this one thread and not the pool that the whole daemon shares. A call
//! that is not answered in time is an error, and the backup goes on.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use backup_model::{
    Failure, JobName, Pause, RunDetail, RunId, RunInfo, RunKind, RunLog, RunOutcome, RunPage,
    RunQuery, SnapshotInfo, SnapshotName,
};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task,
    time::timeout,
};

use super::{
    DueRun, Entered, Keep, LedgerError, Moved, NewRun, Past, Recorder, Subject, Verified,
    account::Account,
    desk::{Call, Desk, Ends},
    file::{Book, Claim},
    write::Head,
};

/// Says what time it is.
pub type Clock = fn() -> Timestamp;

/// Calls that wait for the thread.
const QUEUE: usize = 128;

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

/// The run ledger. Clones share it; it is closed when the last one is gone.
#[derive(Clone, Debug)]
pub struct Ledger {
    pub(super) calls: mpsc::Sender<Call>,
    pub(super) ends: Ends,
    standing: watch::Receiver<LedgerStanding>,
    clock: Clock,
    pub(super) patience: Duration,
}

impl Ledger {
    /// Opens the ledger of a state folder, for the one daemon that may write it. Fails only where
    /// there is another daemon or no state folder: with any other trouble there is a ledger whose
    /// calls fail until the trouble is over, see [`Ledger::standing`].
    pub async fn open(state: &Path, clock: Clock) -> Result<Self, LedgerError> {
        Self::claimed(state, clock, Claim::take).await
    }

    /// The same for a program that is no daemon, and must leave nothing there that one could not
    /// use.
    pub async fn open_beside(state: &Path, clock: Clock) -> Result<Self, LedgerError> {
        Self::claimed(state, clock, Claim::take_beside).await
    }

    async fn claimed(
        state: &Path,
        clock: Clock,
        take: fn(&Path) -> Result<Claim, LedgerError>,
    ) -> Result<Self, LedgerError> {
        let folder = state.to_owned();
        let claim = task::spawn_blocking(move || take(&folder))
            .await
            .map_err(|_| LedgerError::Closed)??;
        let (calls, queue) = mpsc::channel(QUEUE);
        let (said, standing) = watch::channel(LedgerStanding::default());
        let ends = Ends::default();
        let daemon = HEXLOWER.encode(&noise(clock()));
        Desk::new(claim, daemon, clock, ends.clone(), said)
            .serve(queue)
            .map_err(|source| LedgerError::Io {
                path: state.to_owned(),
                source,
            })?;
        let ledger = Self {
            calls,
            ends,
            standing,
            clock,
            patience: PATIENCE,
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

    /// Has the thread read from the open file.
    async fn look<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Book) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.send(move |desk| desk.look(what)).await
    }

    /// Has the thread write to the open file.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Book) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.send(move |desk| desk.write(what)).await
    }

    /// Has the thread do something.
    pub(super) async fn send<T: Send + 'static>(
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
        match timeout(self.patience, asked).await {
            Ok(result) => result,
            Err(_) => Err(LedgerError::Slow(self.patience.as_secs())),
        }
    }

    /// Begins a run. There is a run in any case; the error only says that the ledger does not
    /// know it yet.
    pub async fn begin(&self, new: NewRun) -> (Recorder, Result<(), LedgerError>) {
        let head = self.head(new);
        let account = Account::new(head.clone(), self.clock);
        let recorder = Recorder::new(account, self.clone());
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
        self.look(move |book| book.list(&query)).await
    }

    /// The run whose id this is, or the end of it.
    pub async fn find(&self, text: &str) -> Result<RunId, LedgerError> {
        let text = text.to_owned();
        self.look(move |book| book.find(&text)).await
    }

    /// One run with its story.
    pub async fn show(&self, run: RunId) -> Result<RunDetail, LedgerError> {
        self.look(move |book| book.show(run)).await
    }

    /// The log of a run from this line on.
    pub async fn log(&self, run: RunId, from: u64) -> Result<RunLog, LedgerError> {
        self.look(move |book| book.log(run, from)).await
    }

    /// What is known of the past of one kind of run.
    pub async fn past(&self, kind: RunKind, subject: Subject) -> Result<Past, LedgerError> {
        let now = (self.clock)();
        self.look(move |book| book.past(kind, &subject, now)).await
    }

    /// The last run of a kind that did what it should.
    pub async fn last_success(
        &self,
        kind: RunKind,
        subject: Subject,
    ) -> Result<Option<RunInfo>, LedgerError> {
        let now = (self.clock)();
        self.look(move |book| book.last_success(kind, &subject, now))
            .await
    }

    /// What was done about due times since then.
    pub async fn due_runs(
        &self,
        kind: RunKind,
        subject: Subject,
        since: Timestamp,
    ) -> Result<Vec<DueRun>, LedgerError> {
        let now = (self.clock)();
        self.look(move |book| book.due_runs(kind, &subject, since, now))
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
        self.look(move |book| book.pauses(now)).await
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
        self.look(move |book| book.verified(&repository)).await
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
        let now = (self.clock)();
        self.ask(move |book| book.enter_found(&repository, &found, now))
            .await
    }

    /// Removes what is too old. Says how many runs went.
    pub async fn discard(&self, keep: Keep) -> Result<u64, LedgerError> {
        let now = (self.clock)();
        self.ask(move |book| book.discard(keep, now)).await
    }
}

/// What tells two runs of one moment apart, and keeps them in their order: a count first, then
/// noise. Without randomness the clock must do: two runs that begin in the same nanosecond would be
/// one, and that is no reason not to back up.
fn noise(now: Timestamp) -> [u8; 10] {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mut noise = [0; 10];
    if getrandom::fill(&mut noise).is_err() {
        let moment = now.subsec_nanosecond().wrapping_mul(1_000_003);
        noise[6..].copy_from_slice(&moment.to_be_bytes());
    }
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    noise[..4].copy_from_slice(&count.to_be_bytes());
    noise
}
