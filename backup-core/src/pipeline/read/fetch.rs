//! The store for threads that may block: what they ask for is fetched on tokio, several at once.
//!
//! Knows keys and bytes; whether bytes are the right ones is for others to say.

use std::ops::Range;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use tokio::sync::{mpsc, oneshot};

use crate::{
    repo::RepoError,
    store::{Store, StoreError},
};

/// Requests under way at once.
const REQUESTS: usize = 8;

type Fetched = Result<Option<Bytes>, StoreError>;

#[derive(Debug)]
struct Request {
    key: String,
    /// `None` for the whole.
    range: Option<Range<u64>>,
    answer: oneshot::Sender<Fetched>,
}

/// Asks the store for objects on behalf of threads that may block.
#[derive(Clone, Debug)]
pub struct Fetcher(mpsc::Sender<Request>);

/// An answer that is on its way.
#[derive(Debug)]
pub(super) struct Pending {
    key: String,
    range: Option<Range<u64>>,
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
                let Request { key, range, answer } = request;
                // A dropped receiver means that nobody waits any more.
                drop(answer.send(fetch(&store, &key, range).await));
            }
        }));
        Self(sender)
    }

    /// Asks for a whole object.
    pub(super) fn whole(&self, key: &str) -> Result<Bytes, RepoError> {
        self.start(key, None)?.wait()
    }

    /// Asks for a part of an object and does not wait.
    pub(super) fn part(&self, key: &str, range: Range<u64>) -> Result<Pending, RepoError> {
        self.start(key, Some(range))
    }

    fn start(&self, key: &str, range: Option<Range<u64>>) -> Result<Pending, RepoError> {
        let (answer, pending) = oneshot::channel();
        let request = Request {
            key: key.to_owned(),
            range: range.clone(),
            answer,
        };
        self.0
            .blocking_send(request)
            .map_err(|_| RepoError::ObjectMissing(key.to_owned()))?;
        Ok(Pending {
            key: key.to_owned(),
            range,
            answer: pending,
        })
    }
}

impl Pending {
    /// Waits. A part has the length that was asked for.
    pub(super) fn wait(self) -> Result<Bytes, RepoError> {
        let Self { key, range, answer } = self;
        let found = answer.blocking_recv();
        let Ok(found) = found else {
            return Err(RepoError::ObjectMissing(key));
        };
        let bytes = found?.ok_or_else(|| RepoError::ObjectMissing(key.clone()))?;
        if let Some(range) = range
            && bytes.len() as u64 != range.end.saturating_sub(range.start)
        {
            return Err(RepoError::ObjectDiffers {
                key,
                expected: format!("bytes up to {}", range.end),
                found: format!("{} bytes from {}", bytes.len(), range.start),
            });
        }
        Ok(bytes)
    }
}

async fn fetch(store: &Store, key: &str, range: Option<Range<u64>>) -> Fetched {
    let Some(range) = range else {
        return store.find(key).await;
    };
    match store.get_range(key, range).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
