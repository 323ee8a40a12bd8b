//! The only way out of the window: a thread with a daemon at its other end. It takes questions and
//! deeds, gives events, and keeps the connection; what any of it means is not its concern.

mod answer;
mod connection;
mod deed;
mod follow;
mod join;
mod key;
mod keys;
mod kit;
mod own;
mod private;
mod programs;
mod set_up;

use std::{io, sync::mpsc, thread};

use backup_model::{Code, Failure};
use backupd_api::Target;
use tokio_util::sync::CancellationToken;

pub use join::{Join, Joined};
pub use private::Private;

use crate::state::{Deed, Event, KeySource, Question};

/// So much may wait in either direction.
const QUEUE: usize = 1024;

/// What is asked of a daemon.
#[derive(Debug)]
enum Request {
    Ask(Question),
    Do(Deed),
    Follow(String, u64),
    OpenKey(KeySource),
    CloseKey,
}

/// A connection that is kept for as long as this lives.
#[derive(Debug)]
pub struct Link {
    requests: tokio::sync::mpsc::Sender<Request>,
    events: mpsc::Receiver<Event>,
    stop: CancellationToken,
}

/// Tells the window, and wakes it.
struct Say<W> {
    events: mpsc::SyncSender<Event>,
    wake: W,
}

impl<W: Fn()> Say<W> {
    /// Says something, unless the window is gone. One that draws nothing for long, and so reads
    /// nothing, holds up this thread and nobody else.
    fn say(&self, event: Event) {
        if self.events.send(event).is_ok() {
            (self.wake)();
        }
    }
}

impl Link {
    /// Begins to reach for a daemon; `wake` is called when there is something to read.
    pub fn start(target: Target, wake: impl Fn() + Send + Sync + 'static) -> io::Result<Self> {
        let (requests, asked) = tokio::sync::mpsc::channel(QUEUE);
        let (say, events) = mpsc::sync_channel(QUEUE);
        let stop = CancellationToken::new();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("link")
            .enable_all()
            .build()?;
        let until = stop.clone();
        let say = Say { events: say, wake };
        thread::Builder::new()
            .name("link".to_owned())
            .spawn(move || {
                runtime.block_on(until.run_until_cancelled(connection::keep(target, asked, say)));
                // Whoever still waits for an answer is not waited for.
                runtime.shutdown_background();
            })?;
        Ok(Self {
            requests,
            events,
            stop,
        })
    }

    /// Asks; the answer is an event. That too much is asked is an answer at once.
    pub fn ask(&self, question: Question) -> Option<Event> {
        let sent = self.requests.try_send(Request::Ask(question.clone()));
        sent.err().map(|_| Event::Answered(question, Err(busy())))
    }

    /// Has something done; what comes of it is an event.
    pub fn perform(&self, deed: Deed) -> Option<Event> {
        let sent = self.requests.try_send(Request::Do(deed.clone()));
        sent.err().map(|_| Event::Done(deed, Err(busy())))
    }

    /// Listens to a restore from a line on.
    pub fn follow(&self, id: String, from: u64) -> Option<Event> {
        let sent = self.requests.try_send(Request::Follow(id.clone(), from));
        sent.err().map(|_| Event::Unheard(id, busy()))
    }

    /// Opens an administrator's key, in the place of one that is open.
    pub fn open_key(&self, source: KeySource) -> Option<Event> {
        let sent = self.requests.try_send(Request::OpenKey(source));
        sent.err().map(|_| Event::Key(Err(busy())))
    }

    /// Closes the key that is open.
    pub fn close_key(&self) -> Option<Event> {
        let sent = self.requests.try_send(Request::CloseKey);
        sent.err().map(|_| Event::Key(Err(busy())))
    }

    /// What has happened since this was last called.
    pub fn events(&self) -> impl Iterator<Item = Event> {
        self.events.try_iter()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn busy() -> Failure {
    Failure::new(Code::Busy, "too much is asked at once")
}
