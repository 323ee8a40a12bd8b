//! Listings: answers that are given line by line while the service still looks.
//!
//! However long one is, the daemon holds little of it. What the service finds it reports whenever
//! its future is polled, and that is polled only while there is room for another piece on the way
//! to the connection; behind it waits the thread that reads, at a bounded channel of its own. A
//! poll reports no more than the runtime lets a task take from a channel in one turn.
//!
//! It runs on a task of its own, so that its end is on record whatever becomes of whoever asked.
//! Who goes away stops it, and so does the end of the daemon.

use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use backup_model::{Code, Failure};
use backupd_api::ListingLine;
use bytes::Bytes;
use futures::FutureExt as _;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Pieces on their way to the connection, and the end.
const PIECES: usize = 5;

/// What is on its way.
#[derive(Debug)]
pub(in crate::http) enum Said {
    /// Whole lines.
    Lines(Bytes),
    /// The end, and nothing after it.
    End(Result<u64, Failure>),
}

/// Where the service's reports go: lines that nobody has taken yet. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(in crate::http) struct Findings(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    text: Vec<u8>,
    count: u64,
}

impl Findings {
    /// Takes an item.
    pub(in crate::http) fn add(&self, item: impl Serialize) {
        let mut lines = self.lines();
        lines.text.extend(line(&ListingLine::Item(item)));
        lines.count += 1;
    }

    /// How many items there were.
    pub(in crate::http) fn count(&self) -> u64 {
        self.lines().count
    }

    fn take(&self) -> Bytes {
        std::mem::take(&mut self.lines().text).into()
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call of the service, and the lines that it makes.
pub(in crate::http) struct Listing {
    work: Pin<Box<dyn Future<Output = Result<u64, Failure>> + Send>>,
    found: Findings,
    ended: Option<Result<u64, Failure>>,
}

impl Listing {
    /// A call whose reports go to `found`.
    pub(in crate::http) fn new(
        work: impl Future<Output = Result<u64, Failure>> + Send + 'static,
        found: Findings,
    ) -> Self {
        let work = AssertUnwindSafe(work).catch_unwind().map(|done| {
            done.unwrap_or_else(|_| {
                let text = "the listing ended by a mistake in the daemon";
                Err(Failure::new(Code::Bug, text))
            })
        });
        Self {
            work: Box::pin(work),
            found,
            ended: None,
        }
    }

    /// Gives all of it to whoever asked, until one of both ends, or the daemon.
    pub(in crate::http) async fn give(
        mut self,
        to: &mpsc::Sender<Said>,
        stop: &CancellationToken,
    ) -> Result<u64, Failure> {
        let all = async {
            loop {
                let Ok(room) = to.reserve().await else {
                    return Err(Failure::new(Code::Interrupted, "whoever asked went away"));
                };
                match std::future::poll_fn(|context| self.poll(context)).await {
                    Said::Lines(lines) => room.send(Said::Lines(lines)),
                    Said::End(ended) => return ended,
                }
            }
        };
        tokio::select! {
            ended = all => ended,
            () = to.closed() => Err(Failure::new(Code::Interrupted, "whoever asked went away")),
            () = stop.cancelled() => Err(Failure::new(Code::Interrupted, "the daemon is stopping")),
        }
    }

    /// The next piece, or the end. All that is ready is one piece.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Said> {
        if let Some(ended) = self.ended.take() {
            return Poll::Ready(Said::End(ended));
        }
        let ended = self.work.as_mut().poll(context);
        let lines = self.found.take();
        match ended {
            Poll::Ready(ended) if lines.is_empty() => Poll::Ready(Said::End(ended)),
            Poll::Ready(ended) => {
                self.ended = Some(ended);
                Poll::Ready(Said::Lines(lines))
            }
            Poll::Pending if lines.is_empty() => Poll::Pending,
            Poll::Pending => Poll::Ready(Said::Lines(lines)),
        }
    }
}

/// A way for pieces. A place on it is kept for the end: whoever reads slowly, or not at all, holds
/// up neither the record nor a daemon that stops.
pub(in crate::http) fn way() -> (
    mpsc::Sender<Said>,
    Option<mpsc::OwnedPermit<Said>>,
    mpsc::Receiver<Said>,
) {
    let (to, said) = mpsc::channel(PIECES);
    // Nothing is on it yet, so there is a place.
    let end = to.clone().try_reserve_owned().ok();
    (to, end, said)
}

/// The last line.
pub(in crate::http) fn last(ended: Result<u64, Failure>) -> Bytes {
    line(&match ended {
        Ok(count) => ListingLine::<()>::Done(count),
        Err(failure) => ListingLine::Failed(failure),
    })
    .into()
}

fn line<T: Serialize>(line: &ListingLine<T>) -> Vec<u8> {
    let mut text = serde_json::to_vec(line).unwrap_or_else(|error| {
        let failure = Failure::from_error(Code::Bug, &error);
        serde_json::to_vec(&ListingLine::<()>::Failed(failure)).unwrap_or_default()
    });
    text.push(b'\n');
    text
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU64, Ordering},
        thread,
    };

    use super::*;

    const MANY: u64 = 1_000_000;

    /// A listing like those of the engine: a thread that reads, at a bounded channel. It counts
    /// what it has read.
    fn listing(many: u64, ended: Result<u64, Failure>, read: Arc<AtomicU64>) -> Listing {
        let found = Findings::default();
        let to = found.clone();
        let work = async move {
            let (sender, mut results) = mpsc::channel(256);
            let reader = thread::Builder::new().spawn(move || {
                for number in 0..many {
                    read.fetch_add(1, Ordering::SeqCst);
                    if sender.blocking_send(number).is_err() {
                        return;
                    }
                }
            });
            while let Some(number) = results.recv().await {
                to.add(number);
            }
            reader.unwrap().join().unwrap();
            ended
        };
        Listing::new(work, found)
    }

    fn lines(bytes: &[u8]) -> u64 {
        str::from_utf8(bytes).unwrap().lines().count() as u64
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_million_items_pass_and_few_of_them_are_held() {
        let read = Arc::new(AtomicU64::new(0));
        let listing = listing(MANY, Ok(MANY), Arc::clone(&read));
        let (to, end, mut said) = way();
        let given = tokio::spawn(async move {
            let stop = CancellationToken::new();
            let ended = listing.give(&to, &stop).await;
            end.unwrap().send(Said::End(ended));
        });
        let (mut taken, mut most) = (0, 0);
        let ended = loop {
            match said.recv().await.unwrap() {
                Said::Lines(piece) => taken += lines(&piece),
                Said::End(ended) => break ended,
            }
            most = most.max(read.load(Ordering::SeqCst) - taken);
        };
        assert_eq!((ended.unwrap(), taken), (MANY, MANY));
        // Five pieces and one that is made, of a turn each, and the engine's own channel.
        assert!(most < 3_000, "{most} were read ahead");
        given.await.unwrap();
    }

    #[tokio::test]
    async fn what_fails_in_the_middle_says_so_after_what_was_found() {
        let failure = Failure::new(Code::Damaged, "a pack is not whole");
        let listing = listing(3, Err(failure.clone()), Arc::default());
        let (to, _, mut said) = way();
        let stop = CancellationToken::new();
        let ended = listing.give(&to, &stop).await;
        assert_eq!(ended, Err(failure.clone()));
        let mut text = Vec::new();
        drop(to);
        while let Some(Said::Lines(piece)) = said.recv().await {
            text.extend_from_slice(&piece);
        }
        text.extend_from_slice(&last(ended));
        let text = String::from_utf8(text).unwrap();
        let parsed: Vec<ListingLine<u64>> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let items = (0..3).map(ListingLine::Item);
        let all: Vec<_> = items.chain([ListingLine::Failed(failure)]).collect();
        assert_eq!(parsed, all);
    }

    #[tokio::test]
    async fn who_goes_away_or_never_reads_stops_it_and_a_panic_is_a_failure() {
        let stop = CancellationToken::new();
        let (to, _, said) = way();
        drop(said);
        let ended = listing(MANY, Ok(MANY), Arc::default())
            .give(&to, &stop)
            .await;
        assert_eq!(ended.unwrap_err().code, Code::Interrupted);

        let (to, end, mut said) = way();
        let giving = listing(MANY, Ok(MANY), Arc::default());
        let stopping = stop.clone();
        let given = tokio::spawn(async move { (giving.give(&to, &stopping).await, end) });
        let first = said.recv().await;
        assert!(matches!(first, Some(Said::Lines(_))));
        stop.cancel();
        let (ended, end) = given.await.unwrap();
        assert_eq!(ended.as_ref().unwrap_err().code, Code::Interrupted);
        // There is room for the end though nobody takes anything.
        end.unwrap().send(Said::End(ended));

        let (to, _, _said) = way();
        let work = async { panic!("a mistake") };
        let broken = Listing::new(work, Findings::default());
        let ended = broken.give(&to, &CancellationToken::new()).await;
        assert_eq!(ended.unwrap_err().code, Code::Bug);
    }
}
