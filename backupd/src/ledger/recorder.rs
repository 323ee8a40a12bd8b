//! What a run is given to tell of itself: progress, lines, its end.

use std::sync::Arc;

use backup_model::{Event, LogLevel, Progress, RunId, Running};

use super::{
    Ending, Ledger, LedgerError,
    account::Account,
    desk::{Call, Desk, End},
};

/// Takes what a run says into the ledger. Clones are the same run.
#[derive(Clone, Debug)]
pub struct Recorder {
    account: Arc<Account>,
    ledger: Ledger,
}

impl Recorder {
    pub(super) fn new(account: Account, ledger: Ledger) -> Self {
        Self {
            account: Arc::new(account),
            ledger,
        }
    }

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

    /// Ends the run, with all that it said. After an error it is written later, once that can be
    /// done; nobody needs to try again.
    pub async fn end(&self, ending: Ending) -> Result<(), LedgerError> {
        let mut news = self.account.news();
        news.bytes = ending.bytes.unwrap_or(news.bytes);
        let head = self.account.head.clone();
        self.ledger.ends.add(End { head, news, ending });
        self.ledger.send(Desk::write_ends).await
    }

    /// Asks the thread to fetch what is new; if it has too much to do, the next event asks again.
    fn call(&self) {
        let account = Arc::clone(&self.account);
        let call: Call = Box::new(move |desk| {
            let news = account.news();
            let recorded = desk.write(|book| book.record(&account.head, &news, None));
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
