//! The store for threads that may block: what they ask for is fetched on tokio, several at once.
//!
//! Knows keys and bytes; whether bytes are the right ones is for others to say.

use std::ops::Range;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use tokio::sync::{mpsc, oneshot};

use crate::{
    repo::{RepoError, sized_object},
    store::Store,
};

/// Requests under way at once.
const REQUESTS: usize = 8;

type Fetched = Result<Bytes, RepoError>;

/// What is wanted of an object.
#[derive(Clone, Debug)]
enum Want {
    /// All of it: this many bytes.
    Whole(u64),
    Part(Range<u64>),
}

#[derive(Debug)]
struct Request {
    key: String,
    want: Want,
    answer: oneshot::Sender<Fetched>,
}

/// Asks the store for objects on behalf of threads that may block.
#[derive(Clone, Debug)]
pub struct Fetcher(mpsc::Sender<Request>);

/// An answer that is on its way.
#[derive(Debug)]
pub(super) struct Pending {
    key: String,
    answer: oneshot::Receiver<Fetched>,
}

impl Fetcher {
    /// Must be called on a tokio runtime; its task ends with the last clone.
    pub fn spawn(store: Store) -> Self {
        let (sender, mut requests) = mpsc::channel::<Request>(REQUESTS);
        let requests = stream::poll_fn(move |cx| requests.poll_recv(cx));
        tokio::spawn(requests.for_each_concurrent(REQUESTS, move |request| {
            let store = store.clone();
            async move {
                let Request { key, want, answer } = request;
                // A dropped receiver means that nobody waits any more.
                drop(answer.send(fetch(&store, &key, want).await));
            }
        }));
        Self(sender)
    }

    /// Asks for a whole object of a known size.
    pub(super) fn whole(&self, key: &str, size: u64) -> Result<Bytes, RepoError> {
        self.start(key, Want::Whole(size))?.wait()
    }

    /// Asks for a part of an object and does not wait.
    pub(super) fn part(&self, key: &str, range: Range<u64>) -> Result<Pending, RepoError> {
        self.start(key, Want::Part(range))
    }

    fn start(&self, key: &str, want: Want) -> Result<Pending, RepoError> {
        let (answer, pending) = oneshot::channel();
        let request = Request {
            key: key.to_owned(),
            want,
            answer,
        };
        self.0
            .blocking_send(request)
            .map_err(|_| RepoError::FetchEnded(key.to_owned()))?;
        Ok(Pending {
            key: key.to_owned(),
            answer: pending,
        })
    }
}

impl Pending {
    /// Waits.
    pub(super) fn wait(self) -> Result<Bytes, RepoError> {
        let Self { key, answer } = self;
        answer
            .blocking_recv()
            .unwrap_or(Err(RepoError::FetchEnded(key)))
    }
}

/// A part has the length that was asked for: the store sees to it.
async fn fetch(store: &Store, key: &str, want: Want) -> Fetched {
    match want {
        Want::Whole(size) => sized_object(store, key, size).await,
        Want::Part(range) => store.get_range(key, range).await.map_err(|error| {
            if error.is_not_found() {
                RepoError::ObjectMissing(key.to_owned())
            } else {
                error.into()
            }
        }),
    }
}

#[cfg(test)]
mod tests {
    use backup_model::Code;

    use super::*;

    #[test]
    fn a_fetcher_that_ended_is_not_damage() {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.build().unwrap();
        let fetcher = runtime.block_on(async { Fetcher::spawn(Store::memory()) });
        drop(runtime);
        let error = fetcher.whole("packs/some", 1).unwrap_err();
        assert_eq!(error.code(), Code::Failed, "{error}");
    }
}
