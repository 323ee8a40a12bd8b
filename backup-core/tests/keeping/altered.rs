//! A store that is not what it seems: its listings and deletes are altered as a test says.

use std::{fmt, ops::Range, sync::Arc, time::Duration};

use async_trait::async_trait;
use backup_core::store::Store;
use bytes::Bytes;
use futures::{StreamExt as _, stream::BoxStream};
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, path::Path,
};

/// What becomes of one listed object.
pub(crate) type Listing = dyn Fn(ObjectMeta) -> Vec<Result<ObjectMeta>> + Send + Sync;

/// A store whose listings give, for each object, what `listing` makes of it; which refuses to
/// delete what `keeps` says; and whose objects seem to be older than they are.
pub(crate) struct Altered {
    inner: Arc<dyn ObjectStore>,
    listing: Arc<Listing>,
    keeps: fn(&Path) -> bool,
    age: Duration,
}

impl Altered {
    /// The same store, altered.
    pub(crate) fn store(
        store: &Store,
        listing: impl Fn(ObjectMeta) -> Vec<Result<ObjectMeta>> + Send + Sync + 'static,
        keeps: fn(&Path) -> bool,
    ) -> Store {
        store.clone().decorated(|inner| {
            Arc::new(Self {
                inner,
                listing: Arc::new(listing),
                keeps,
                age: Duration::ZERO,
            })
        })
    }

    /// The same store, so much later: only what is asked for its time is as young as it is.
    pub(crate) fn later(store: &Store, age: Duration) -> Store {
        store.clone().decorated(|inner| {
            Arc::new(Self {
                inner,
                listing: Arc::new(|meta| vec![Ok(meta)]),
                keeps: |_| false,
                age,
            })
        })
    }

    fn aged(age: Duration, meta: ObjectMeta) -> ObjectMeta {
        if meta.location.as_ref().starts_with("probe/") {
            return meta;
        }
        let last_modified = meta.last_modified - age;
        ObjectMeta {
            last_modified,
            ..meta
        }
    }
}

impl fmt::Debug for Altered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Altered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Altered")
    }
}

#[async_trait]
impl ObjectStore for Altered {
    async fn put_opts(
        &self,
        key: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.inner.put_opts(key, payload, options).await
    }

    async fn get_opts(&self, key: &Path, options: GetOptions) -> Result<GetResult> {
        let got = self.inner.get_opts(key, options).await?;
        Ok(GetResult {
            meta: Self::aged(self.age, got.meta),
            ..got
        })
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (listing, age) = (Arc::clone(&self.listing), self.age);
        let listed = self.inner.list(prefix);
        listed
            .flat_map(move |meta| {
                let listed = meta.map_or_else(
                    |error| vec![Err(error)],
                    |meta| listing(Self::aged(age, meta)),
                );
                futures::stream::iter(listed)
            })
            .boxed()
    }

    fn delete_stream(
        &self,
        keys: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let (inner, keeps) = (Arc::clone(&self.inner), self.keeps);
        keys.then(move |key| {
            let inner = Arc::clone(&inner);
            async move {
                let key = key?;
                if keeps(&key) {
                    return Err(object_store::Error::PermissionDenied {
                        path: key.to_string(),
                        source: "the object is locked".into(),
                    });
                }
                let one = futures::stream::iter([Ok(key)]).boxed();
                let mut deleted = inner.delete_stream(one);
                deleted.next().await.expect("one key has one answer")
            }
        })
        .boxed()
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
