//! Reaching the daemon, hearing how everything stands, and reaching it again when it is gone.

use std::{sync::Arc, time::Duration};

use backup_model::{Code, Failure};
use backupd_api::{HttpService, Service as _, Target};
use futures::StreamExt as _;
use tokio::{sync::mpsc::Receiver, time};

use super::{Request, Say, answer, deed, follow, key::Keyring};
use crate::state::{Event, KeySource};

/// How long to wait before each further try; the last goes on.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// What stays while connections come and go.
struct Desk<W> {
    say: Arc<Say<W>>,
    keyring: Keyring,
}

/// Keeps the connection until the window is gone.
pub(super) async fn keep<W>(target: Target, mut asked: Receiver<Request>, say: Say<W>)
where
    W: Fn() + Send + Sync + 'static,
{
    let desk = Desk {
        say: Arc::new(say),
        keyring: Keyring::default(),
    };
    let mut failed = 0;
    loop {
        let ended = match HttpService::reach(target.clone()).await {
            Ok(service) => desk.serve(&service, &mut asked, &mut failed).await,
            Err(failure) => Some(failure),
        };
        let Some(failure) = ended else {
            return;
        };
        desk.say.say(Event::Lost(failure));
        let pause = time::sleep(PAUSES[failed.min(PAUSES.len() - 1)]);
        failed += 1;
        if desk.refuse(pause, &mut asked).await.is_none() {
            return;
        }
    }
}

impl<W> Desk<W>
where
    W: Fn() + Send + Sync + 'static,
{
    /// Serves the window while the daemon says how everything stands; gives why it does not any
    /// more, or nothing when the window is gone.
    async fn serve(
        &self,
        service: &HttpService,
        asked: &mut Receiver<Request>,
        failed: &mut usize,
    ) -> Option<Failure> {
        let mut statuses = match service.follow_status().await {
            Ok(statuses) => statuses,
            Err(failure) => return Some(failure),
        };
        loop {
            tokio::select! {
                status = statuses.next() => match status {
                    Some(Ok(report)) => {
                        *failed = 0;
                        self.say.say(Event::Status(report));
                    }
                    Some(Err(failure)) => return Some(failure),
                    None => return Some(Failure::new(Code::Daemon, "the daemon has ended")),
                },
                request = asked.recv() => self.begin(service, request?),
            }
        }
    }

    /// Begins what is asked; nothing here waits for it.
    fn begin(&self, service: &HttpService, request: Request) {
        let (say, keyring) = (Arc::clone(&self.say), self.keyring.clone());
        let service = service.clone();
        match request {
            Request::Ask(question) => {
                tokio::spawn(async move {
                    let answer = answer::answer(&service, &keyring, &question).await;
                    say.say(Event::Answered(question, answer));
                });
            }
            Request::Do(deed) => {
                tokio::spawn(async move {
                    let outcome = deed::perform(&service, &keyring, &deed, &say).await;
                    say.say(Event::Done(deed, outcome));
                });
            }
            Request::Follow(id, from) => {
                tokio::spawn(follow::follow(service, id, from, say));
            }
            Request::OpenKey(source) => self.open_key(source),
            Request::CloseKey => self.close_key(),
        }
    }

    /// Says of all that is asked meanwhile that nobody answers; nothing when the window is gone.
    async fn refuse(&self, pause: time::Sleep, asked: &mut Receiver<Request>) -> Option<()> {
        tokio::pin!(pause);
        let gone = || Failure::new(Code::Daemon, "the daemon does not answer");
        loop {
            tokio::select! {
                () = &mut pause => return Some(()),
                request = asked.recv() => match request? {
                    Request::Ask(question) => {
                        self.say.say(Event::Answered(question, Err(gone())));
                    }
                    Request::Do(deed) => self.say.say(Event::Done(deed, Err(gone()))),
                    Request::Follow(id, _) => self.say.say(Event::Unheard(id, gone())),
                    Request::OpenKey(source) => self.open_key(source),
                    Request::CloseKey => self.close_key(),
                },
            }
        }
    }

    /// A key opens whether or not a daemon answers.
    fn open_key(&self, source: KeySource) {
        let (say, keyring) = (Arc::clone(&self.say), self.keyring.clone());
        tokio::spawn(async move {
            let opened = keyring.open(source).await;
            say.say(Event::Key(opened.map(Some)));
        });
    }

    fn close_key(&self) {
        self.keyring.close();
        self.say.say(Event::Key(Ok(None)));
    }
}
