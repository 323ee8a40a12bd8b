//! The store: create-if-absent puts that always know how they ended, whole reads, whole listings.

use std::{fmt, ops::Range, path::Path, sync::Arc};

use bytes::Bytes;
use futures::TryStreamExt as _;
use object_store::{
    ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, local::LocalFileSystem,
    memory::InMemory, path::Path as Key,
};

use super::StoreError;

/// No object of a repository is larger: the limit of recipes.
const MAX_OBJECT: u64 = 256 << 20;

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
}

/// A repository's objects.
#[derive(Clone)]
pub struct Store {
    inner: Arc<dyn ObjectStore>,
    place: String,
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
        Self { inner, place }
    }

    /// Where it is, for messages.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Creates an object if its key is free.
    pub async fn put_new(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        let options = PutOptions::from(PutMode::Create);
        let payload = PutPayload::from_bytes(bytes.clone());
        let put = self.inner.put_opts(&Key::from(key), payload, options).await;
        let Err(error) = put else {
            return Ok(Put::Stored);
        };
        let failed = StoreError::new("write", key, error);
        if failed.is_local_io() {
            // No answer was lost on the way: what can be read back may still not be durable.
            return Err(failed);
        }
        match self.get(key).await {
            Ok(found) if found == bytes => Ok(Put::Stored),
            Ok(_) => Ok(Put::Taken),
            Err(_) => Err(failed),
        }
    }

    /// Reads a whole object. One that is larger than anything of ours is refused unread.
    pub async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        let read = async {
            let found = self.inner.get(&Key::from(key)).await?;
            if found.meta.size > MAX_OBJECT {
                return Err(object_store::Error::Generic {
                    store: "backupd",
                    source: format!("{} bytes are too many", found.meta.size).into(),
                });
            }
            found.bytes().await
        };
        read.await
            .map_err(|source| StoreError::new("read", key, source))
    }

    /// Reads some bytes of an object.
    pub async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        let read = self.inner.get_range(&Key::from(key), range).await;
        read.map_err(|source| StoreError::new("read", key, source))
    }

    /// Reads a whole object, if it is there.
    pub async fn find(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        match self.get(key).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists all objects below a folder, sorted by key. A listing that cannot be read to its end
    /// is an error, never a short list.
    pub async fn list(&self, folder: &str) -> Result<Vec<Object>, StoreError> {
        let mut objects: Vec<Object> = self
            .inner
            .list(Some(&Key::from(folder)))
            .map_ok(|meta| Object {
                key: meta.location.to_string(),
                size: meta.size,
            })
            .try_collect()
            .await
            .map_err(|source| StoreError::new("list", folder, source))?;
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(objects)
    }

    /// Whether nothing at all is stored here.
    pub async fn is_empty(&self) -> Result<bool, StoreError> {
        let first = self.inner.list(None).try_next().await;
        first
            .map(|object| object.is_none())
            .map_err(|source| StoreError::new("list", &self.place, source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn conforms(store: Store) {
        assert!(store.is_empty().await.unwrap());
        assert!(store.list("packs").await.unwrap().is_empty());
        assert_eq!(store.find("packs/aa/x").await.unwrap(), None);
        assert!(store.get("packs/aa/x").await.unwrap_err().is_not_found());
        let (ours, theirs) = (Bytes::from_static(b"ours"), Bytes::from_static(b"theirs"));
        let put = |bytes: &Bytes| store.put_new("packs/aa/x", bytes.clone());
        assert_eq!(put(&ours).await.unwrap(), Put::Stored);
        assert_eq!(put(&ours).await.unwrap(), Put::Stored, "our own, again");
        assert_eq!(put(&theirs).await.unwrap(), Put::Taken);
        assert_eq!(store.get("packs/aa/x").await.unwrap(), ours);
        store.put_new("packs/aa/w", ours.clone()).await.unwrap();
        store.put_new("packsother/y", ours.clone()).await.unwrap();
        let keys: Vec<_> = store.list("packs").await.unwrap();
        assert_eq!(keys.len(), 2);
        assert_eq!((keys[0].key.as_str(), keys[0].size), ("packs/aa/w", 4));
        let racers = (0..8u8).map(|n| store.put_new("race", Bytes::from(vec![n])));
        let outcomes = futures::future::join_all(racers).await;
        let stored = outcomes
            .into_iter()
            .filter(|outcome| matches!(outcome, Ok(Put::Stored)))
            .count();
        assert_eq!(stored, 1, "one winner");
    }

    #[tokio::test]
    async fn memory_conforms() {
        conforms(Store::memory()).await;
    }

    #[tokio::test]
    async fn a_local_folder_conforms() {
        let dir = tempfile::tempdir().unwrap();
        conforms(Store::local(dir.path()).unwrap()).await;
        assert!(!Store::local(dir.path()).unwrap().is_empty().await.unwrap());
    }

    #[test]
    fn a_missing_folder_is_said() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Store::local(&dir.path().join("none")).is_err());
    }
}
