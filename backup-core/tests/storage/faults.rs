//! A store around a store: it delays, fails, loses answers, cuts what is read, or never returns,
//! as the test decides call by call; and counts the calls.

use std::{
    fmt, io,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use backup_core::store::Store;
use bytes::Bytes;
use futures::{
    FutureExt as _, StreamExt as _,
    stream::{self, BoxStream},
};
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, path::Path,
};
use tokio::sync::Notify;

/// What becomes of one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fate {
    /// How long it takes before anything happens.
    pub(crate) delay: Duration,
    /// Whether the store does it.
    pub(crate) done: bool,
    /// What the caller hears.
    pub(crate) answer: Answer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// What the store says.
    Given,
    /// An error of the operating system.
    Fails(io::ErrorKind),
    /// Of what is read only the first half, and no error.
    Short,
    /// Nothing, ever.
    Never,
}

impl Fate {
    pub(crate) const FINE: Self = Self::of(true, Answer::Given);

    pub(crate) const fn of(done: bool, answer: Answer) -> Self {
        Self {
            delay: Duration::ZERO,
            done,
            answer,
        }
    }
}

/// Calls so far.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    pub(crate) puts: AtomicU64,
    pub(crate) gets: AtomicU64,
    pub(crate) lists: AtomicU64,
    pub(crate) deletes: AtomicU64,
}

impl Calls {
    pub(crate) fn total(&self) -> u64 {
        [&self.puts, &self.gets, &self.lists, &self.deletes]
            .map(|calls| calls.load(Ordering::Relaxed))
            .iter()
            .sum()
    }
}

/// Decides about the call of a number, from 1.
type Decide = Box<dyn Fn(u64) -> Fate + Send + Sync>;

/// A store that fails as it is told.
pub(crate) struct FaultStore {
    inner: Arc<dyn ObjectStore>,
    decide: Decide,
    pub(crate) calls: Calls,
    /// Told when a call never returns.
    pub(crate) dead: Arc<Notify>,
}

impl fmt::Debug for FaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for FaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultStore after {:?}", self.calls)
    }
}

fn broken(kind: io::ErrorKind) -> object_store::Error {
    object_store::Error::Generic {
        store: "fault",
        source: Box::new(io::Error::new(kind, "injected")),
    }
}

impl FaultStore {
    pub(crate) fn new(
        inner: Arc<dyn ObjectStore>,
        decide: impl Fn(u64) -> Fate + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            inner,
            decide: Box::new(decide),
            calls: Calls::default(),
            dead: Arc::default(),
        })
    }

    pub(crate) fn store(self: &Arc<Self>) -> Store {
        let inner: Arc<dyn ObjectStore> = Arc::<Self>::clone(self);
        Store::new(inner, "fault".to_owned())
    }

    /// Counts a call and decides about it.
    fn fate(&self, calls: &AtomicU64) -> Fate {
        calls.fetch_add(1, Ordering::Relaxed);
        (self.decide)(self.calls.total())
    }

    async fn call<T>(
        &self,
        calls: &AtomicU64,
        work: impl Future<Output = Result<T>> + Send,
    ) -> (Result<T>, Answer) {
        let fate = self.fate(calls);
        if !fate.delay.is_zero() {
            tokio::time::sleep(fate.delay).await;
        }
        let result = if fate.done {
            work.await
        } else {
            Err(broken(io::ErrorKind::Other))
        };
        match fate.answer {
            Answer::Given | Answer::Short => (result, fate.answer),
            Answer::Fails(kind) => (Err(broken(kind)), fate.answer),
            Answer::Never => {
                self.dead.notify_one();
                std::future::pending().await
            }
        }
    }
}

/// The first half of what was found, as if that were all.
async fn cut(found: GetResult) -> Result<GetResult> {
    let (meta, range) = (found.meta.clone(), found.range.clone());
    let attributes = found.attributes.clone();
    let extensions = found.extensions.clone();
    let bytes = found.bytes().await?;
    let half = bytes.slice(..bytes.len() / 2);
    Ok(GetResult {
        payload: GetResultPayload::Stream(stream::iter([Ok(half)]).boxed()),
        meta,
        range,
        attributes,
        extensions,
    })
}

#[async_trait]
impl ObjectStore for FaultStore {
    async fn put_opts(
        &self,
        key: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let put = self.inner.put_opts(key, payload, options);
        self.call(&self.calls.puts, put).await.0
    }

    async fn get_opts(&self, key: &Path, options: GetOptions) -> Result<GetResult> {
        let head = options.head;
        let get = self.inner.get_opts(key, options);
        match self.call(&self.calls.gets, get).await {
            (Ok(found), Answer::Short) if !head => cut(found).await,
            (result, _) => result,
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let fate = self.fate(&self.calls.lists);
        let listed = if fate.done {
            self.inner.list(prefix)
        } else {
            stream::empty().boxed()
        };
        let listed = async move {
            if !fate.delay.is_zero() {
                tokio::time::sleep(fate.delay).await;
            }
            listed
        };
        let listed = listed.into_stream().flatten();
        match fate.answer {
            Answer::Given | Answer::Short => listed.boxed(),
            Answer::Fails(kind) => listed.chain(stream::iter([Err(broken(kind))])).boxed(),
            Answer::Never => {
                self.dead.notify_one();
                stream::pending().boxed()
            }
        }
    }

    fn delete_stream(
        &self,
        keys: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let fate = self.fate(&self.calls.deletes);
        let deleted = if fate.done {
            self.inner.delete_stream(keys)
        } else {
            stream::iter([Err(broken(io::ErrorKind::Other))]).boxed()
        };
        let dead = Arc::clone(&self.dead);
        let deleted = async move {
            if !fate.delay.is_zero() {
                tokio::time::sleep(fate.delay).await;
            }
            match fate.answer {
                Answer::Given | Answer::Short => deleted,
                Answer::Fails(kind) => {
                    deleted.count().await;
                    stream::iter([Err(broken(kind))]).boxed()
                }
                Answer::Never => {
                    deleted.count().await;
                    dead.notify_one();
                    stream::pending().boxed()
                }
            }
        };
        deleted.into_stream().flatten().boxed()
    }

    async fn put_multipart_opts(
        &self,
        key: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(key, options).await
    }

    async fn get_ranges(&self, key: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(key, ranges).await
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
