//! The store: create-if-absent puts that always know how they ended, reads, whole listings.

use std::{fmt, ops::Range, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{Stream, TryStreamExt as _, future};
use jiff::Timestamp;
use object_store::{
    ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload,
    local::LocalFileSystem, memory::InMemory, path::Path as Key,
};

use super::{StoreError, compare, probe};

/// No object of a repository is larger: the limit of recipes.
const MAX_OBJECT: u64 = 256 << 20;
/// No folder of a repository holds more objects: 300 TB in packs of 16 MiB.
const MAX_LISTED: usize = 20_000_000;
/// How often a put is tried that the store refused although nothing is there: it was busy with
/// another put of that key, which then failed.
const PUT_TRIES: u32 = 4;
/// The pause before the second try; doubled before each further one.
const PUT_PAUSE: Duration = Duration::from_millis(100);

/// How a create-if-absent put ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// Our bytes are stored, by this put or an earlier try of it.
    Stored,
    /// Other bytes are stored under that key.
    Taken,
}

/// An object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written, by the store's clock.
    pub modified: Timestamp,
}

/// How a delete ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// It is gone, now or already.
    Gone,
    /// The store keeps it: it is locked, or we may not delete.
    Retained,
}

/// An object that is known to have a certain size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SizedObject {
    /// It has that size.
    Bytes(Bytes),
    /// It is not there.
    Missing,
    /// It has this size, and was not read.
    OtherSize(u64),
}

/// How it is known that a store holds what it acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// By reading it back.
    ReadBack,
    /// The store compared a SHA-256 that came with the upload; the size is asked for.
    Checksum,
}

/// A repository's objects.
#[derive(Clone)]
pub struct Store {
    inner: Arc<dyn ObjectStore>,
    place: String,
    proof: Proof,
    conditional: bool,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.place)
    }
}

impl Store {
    /// A folder of this machine. Every put is fsynced, file and folder, before it counts.
    pub fn local(folder: &Path) -> Result<Self, StoreError> {
        let place = folder.display().to_string();
        let inner = LocalFileSystem::new_with_prefix(folder)
            .map_err(|source| StoreError::new("open", &place, source))?
            .with_fsync(true);
        Ok(Self::new(Arc::new(inner), place))
    }

    /// Objects in memory, gone with the last clone.
    pub fn memory() -> Self {
        Self::new(Arc::new(InMemory::new()), "memory".to_owned())
    }

    /// Any object store; `place` is its name in messages.
    pub fn new(inner: Arc<dyn ObjectStore>, place: String) -> Self {
        Self {
            inner,
            place,
            proof: Proof::ReadBack,
            conditional: true,
        }
    }

    /// The same behind a decorator, for tests that count calls or let them fail.
    #[must_use]
    pub fn decorated(self, by: impl FnOnce(Arc<dyn ObjectStore>) -> Arc<dyn ObjectStore>) -> Self {
        Self {
            inner: by(self.inner),
            ..self
        }
    }

    /// The same, with another proof of what was stored.
    pub(super) fn proved_by(self, proof: Proof) -> Self {
        Self { proof, ..self }
    }

    /// The same for a store that ignores create-if-absent, as a probe found: one writer only may
    /// use it. Each put then looks first and reads back afterwards, which no second writer can
    /// be kept out by.
    #[must_use]
    pub fn single_writer(self) -> Self {
        Self {
            conditional: false,
            ..self
        }
    }

    /// Whether the store keeps a second writer from creating an object that is there.
    pub fn is_conditional(&self) -> bool {
        self.conditional
    }

    /// Where it is, for messages.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Creates an object if its key is free.
    pub async fn put_new(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        if !self.conditional {
            return self.put_alone(key, bytes).await;
        }
        let mut pause = PUT_PAUSE;
        for attempt in 1.. {
            let Err(failed) = self.create(key, bytes.clone()).await else {
                break;
            };
            if failed.is_local_io() {
                // No answer was lost on the way: what can be read back may still not be durable.
                return Err(failed);
            }
            match self.holds(key, &bytes).await {
                Ok(Some(true)) => break,
                Ok(Some(false)) => return Ok(Put::Taken),
                Ok(None) if failed.is_already_exists() && attempt < PUT_TRIES => {}
                Ok(None) | Err(_) => return Err(failed),
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Ok(Put::Stored)
    }

    /// The same for an object whose creation decides something. The answer and the look after it can
    /// both be lost; the same bytes once more are settled like any put: they are there, or somebody
    /// else's are, or they are not.
    pub async fn put_deciding(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        match self.put_new(key, bytes.clone()).await {
            Ok(put) => Ok(put),
            Err(_) => self.put_new(key, bytes).await,
        }
    }

    /// Like `put_new`, without the store's help, for the only writer there is: look, put, look again.
    async fn put_alone(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        let put = |stored| if stored { Put::Stored } else { Put::Taken };
        if let Some(same) = self.holds(key, &bytes).await? {
            return Ok(put(same));
        }
        let failed = self.write(key, bytes.clone(), PutMode::Overwrite).await;
        match (self.holds(key, &bytes).await?, failed) {
            (Some(same), Ok(())) => Ok(put(same)),
            (Some(true), Err(failed)) if !failed.is_local_io() => Ok(Put::Stored),
            (_, Err(failed)) => Err(failed),
            (None, Ok(())) => Err(StoreError::vanished(key)),
        }
    }

    /// One create-if-absent put, with whatever the store answers.
    pub(super) async fn create(&self, key: &str, bytes: Bytes) -> Result<(), StoreError> {
        self.write(key, bytes, PutMode::Create).await
    }

    async fn write(&self, key: &str, bytes: Bytes, mode: PutMode) -> Result<(), StoreError> {
        let options = PutOptions::from(mode);
        let payload = PutPayload::from_bytes(bytes);
        let put = self.inner.put_opts(&Key::from(key), payload, options).await;
        put.map(drop)
            .map_err(|source| StoreError::new("write", key, source))
    }

    /// Deletes an object. One that the store refuses to delete is not an error.
    pub async fn delete(&self, key: &str) -> Result<Deleted, StoreError> {
        let deleted = self.inner.delete(&Key::from(key)).await;
        match deleted.map_err(|source| StoreError::new("delete", key, source)) {
            Ok(()) => Ok(Deleted::Gone),
            Err(error) if error.is_not_found() => Ok(Deleted::Gone),
            Err(error) if error.is_refusal() => Ok(Deleted::Retained),
            Err(error) => Err(error),
        }
    }

    /// When an object was written, by the store's clock, if it is there.
    pub async fn modified(&self, key: &str) -> Result<Option<Timestamp>, StoreError> {
        match self.inner.head(&Key::from(key)).await {
            Ok(meta) => Ok(Some(modified(&meta))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(StoreError::new("look at", key, source)),
        }
    }

    /// Whether the store holds exactly these bytes, after a put that it acknowledged.
    pub async fn check_stored(&self, key: &str, expected: &Bytes) -> Result<bool, StoreError> {
        match self.proof {
            Proof::ReadBack => Ok(self.holds(key, expected).await? == Some(true)),
            Proof::Checksum => Ok(self.size(key).await? == Some(expected.len() as u64)),
        }
    }

    /// Whether an object holds exactly these bytes, by reading it; `None` if there is none.
    async fn holds(&self, key: &str, expected: &Bytes) -> Result<Option<bool>, StoreError> {
        let read = async {
            let found = self.inner.get(&Key::from(key)).await?;
            compare::is_equal(found, expected).await
        };
        match read.await {
            Ok(same) => Ok(Some(same)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(StoreError::new("read", key, source)),
        }
    }

    /// The size of an object, if it is there.
    pub async fn size(&self, key: &str) -> Result<Option<u64>, StoreError> {
        match self.inner.head(&Key::from(key)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(StoreError::new("look at", key, source)),
        }
    }

    /// Reads a part of an object: exactly these bytes, or it is an error.
    pub async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        let len = range.end.saturating_sub(range.start);
        let read = async {
            if len == 0 {
                // Stores know no empty range; whether there is an object still counts.
                self.inner.head(&Key::from(key)).await?;
                return Ok(Bytes::new());
            }
            if len > MAX_OBJECT {
                return Err(refused(format!("{len} bytes are too many")));
            }
            let bytes = self.inner.get_range(&Key::from(key), range.clone()).await?;
            if bytes.len() as u64 != len {
                let text = format!("{} bytes came instead of {len}", bytes.len());
                return Err(refused(text));
            }
            Ok(bytes)
        };
        read.await
            .map_err(|source| StoreError::new("read a part of", key, source))
    }

    /// Reads a whole object. One that is larger than anything of ours is refused unread.
    pub async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        let read = async {
            let found = self.inner.get(&Key::from(key)).await?;
            if found.meta.size > MAX_OBJECT {
                return Err(refused(format!("{} bytes are too many", found.meta.size)));
            }
            let len = found.meta.size;
            let bytes = found.bytes().await?;
            if bytes.len() as u64 != len {
                return Err(refused(format!(
                    "{} bytes came instead of {len}",
                    bytes.len()
                )));
            }
            Ok(bytes)
        };
        read.await
            .map_err(|source| StoreError::new("read", key, source))
    }

    /// Reads a whole object, if it is there.
    pub async fn find(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        match self.get(key).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a whole object of a known size; one of another size is not read, however large it is.
    pub async fn find_sized(&self, key: &str, expected: u64) -> Result<SizedObject, StoreError> {
        let read = async {
            let found = self.inner.get(&Key::from(key)).await?;
            let size = found.meta.size;
            if size != expected {
                return Ok(SizedObject::OtherSize(size));
            }
            if size > MAX_OBJECT {
                return Err(refused(format!("{size} bytes are too many")));
            }
            let bytes = found.bytes().await?;
            if bytes.len() as u64 != size {
                let text = format!("{} bytes came instead of {size}", bytes.len());
                return Err(refused(text));
            }
            Ok(SizedObject::Bytes(bytes))
        };
        match read.await {
            Err(object_store::Error::NotFound { .. }) => Ok(SizedObject::Missing),
            read => read.map_err(|source| StoreError::new("read", key, source)),
        }
    }

    /// Lists all objects below a folder, sorted by key. A listing that cannot be read to its end
    /// is an error, never a short list.
    pub async fn list(&self, folder: &str) -> Result<Vec<Object>, StoreError> {
        let metas = self.inner.list(Some(&Key::from(folder)));
        let listed = listed(metas, MAX_LISTED).await;
        listed.map_err(|source| StoreError::new("list", folder, source))
    }

    /// Lists all objects there are, likewise.
    pub async fn list_all(&self) -> Result<Vec<Object>, StoreError> {
        let listed = listed(self.inner.list(None), MAX_LISTED).await;
        listed.map_err(|source| StoreError::new("list", &self.place, source))
    }

    /// Whether nothing is stored here, but what a probe may have left.
    pub async fn is_empty(&self) -> Result<bool, StoreError> {
        let ours = |meta: &ObjectMeta| probe::is_probe(meta.location.as_ref());
        let first = self
            .inner
            .list(None)
            .try_skip_while(|meta| future::ready(Ok(ours(meta))))
            .try_next()
            .await;
        first
            .map(|object| object.is_none())
            .map_err(|source| StoreError::new("list", &self.place, source))
    }
}

/// The objects of a listing, sorted. One that goes round in circles is noticed long before the
/// limit: its keys are compared with one of them, which moves on as the listing grows.
async fn listed(
    metas: impl Stream<Item = object_store::Result<ObjectMeta>>,
    most: usize,
) -> object_store::Result<Vec<Object>> {
    let mut metas = std::pin::pin!(metas);
    let mut objects: Vec<Object> = Vec::new();
    let mut landmark = String::new();
    while let Some(meta) = metas.try_next().await? {
        let key = meta.location.to_string();
        if key == landmark {
            return Err(refused(format!("the listing names {key} twice")));
        }
        if objects.len() >= most {
            return Err(refused(format!("more than {most} objects are too many")));
        }
        if objects.len().is_power_of_two() {
            landmark.clone_from(&key);
        }
        objects.push(Object {
            key,
            size: meta.size,
            modified: modified(&meta),
        });
    }
    objects.sort_by(|a, b| a.key.cmp(&b.key));
    let twice = objects
        .iter()
        .zip(objects.iter().skip(1))
        .find(|(one, next)| one.key == next.key);
    if let Some((twice, _)) = twice {
        return Err(refused(format!("the listing names {} twice", twice.key)));
    }
    Ok(objects)
}

fn modified(meta: &ObjectMeta) -> Timestamp {
    let time = meta.last_modified;
    // A time that no calendar has is as old as can be: what is bounded by it is over.
    Timestamp::from_second(time.timestamp()).unwrap_or(Timestamp::MIN)
}

fn refused(text: String) -> object_store::Error {
    object_store::Error::Generic {
        store: "backupd",
        source: text.into(),
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn meta(n: usize) -> ObjectMeta {
        ObjectMeta {
            location: Key::from(format!("packs/{n:09}")),
            last_modified: std::time::SystemTime::UNIX_EPOCH.into(),
            size: 1,
            e_tag: None,
            version: None,
        }
    }

    async fn outcome(keys: impl Iterator<Item = usize>, most: usize) -> String {
        match listed(stream::iter(keys.map(meta).map(Ok)), most).await {
            Ok(objects) => objects
                .iter()
                .map(|o| o.key.as_str())
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn a_listing_ends_and_names_nothing_twice() {
        let good = outcome([2, 1, 3].into_iter(), 3).await;
        assert_eq!(good, "packs/000000001 packs/000000002 packs/000000003");
        // A page that comes again for ever, the first or a later one.
        for start in [0, 1_000] {
            let keys = (0..start).chain((start..start + 1_000).cycle());
            let text = outcome(keys, usize::MAX).await;
            assert!(text.contains("twice"), "{text}");
        }
        let text = outcome([1, 2, 3, 4, 5, 3].into_iter(), 10).await;
        assert!(text.contains("packs/000000003 twice"), "{text}");
        let text = outcome(0.., 1_000).await;
        assert!(text.contains("more than 1000 objects"), "{text}");
    }
}
