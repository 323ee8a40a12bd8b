//! The uploader: packs to the store, one at a time, each read back and compared.

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{PipelineError, lane::NewPack};
use crate::store::{Put, Store};

/// Packs that wait for the uploader; with the one being uploaded and the one being filled, three
/// packs' worth of memory a lane.
const WAITING: usize = 1;

/// What was uploaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uploaded {
    /// Packs.
    pub packs: u64,
    /// Their stored size.
    pub bytes: u64,
}

/// A channel for packs, and the work that empties it: ends when all lanes are gone, or at the
/// first failure, which the lanes then notice.
pub fn uploader(
    store: Store,
) -> (
    mpsc::Sender<NewPack>,
    impl Future<Output = Result<Uploaded, PipelineError>> + Send + use<>,
) {
    let (sender, mut packs) = mpsc::channel::<NewPack>(WAITING);
    let work = async move {
        let mut uploaded = Uploaded::default();
        while let Some(NewPack { key, bytes }) = packs.recv().await {
            uploaded.packs += 1;
            uploaded.bytes += bytes.len() as u64;
            put_checked(&store, &key, bytes).await?;
        }
        Ok(uploaded)
    };
    (sender, work)
}

/// Stores an object and reads it back: what the store acknowledged is not yet what it has.
pub(crate) async fn put_checked(
    store: &Store,
    key: &str,
    bytes: Bytes,
) -> Result<(), PipelineError> {
    let put = store.put_new(key, bytes.clone()).await?;
    if put == Put::Taken || store.get(key).await? != bytes {
        return Err(PipelineError::ReadBack(key.to_owned()));
    }
    Ok(())
}
