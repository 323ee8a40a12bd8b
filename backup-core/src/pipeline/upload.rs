//! The uploader: packs to the store, one at a time, each read back and compared.

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{PipelineError, lane::NewPack};
use crate::store::{Put, Store};

/// Packs that wait for the uploader; with the one being uploaded and the one being filled, three
/// packs' worth of memory a lane.
const WAITING: usize = 1;

/// A channel for packs, and the work that empties it: ends when all lanes are gone, or at the
/// first failure, which the lanes then notice.
pub fn uploader(
    store: Store,
) -> (
    mpsc::Sender<NewPack>,
    impl Future<Output = Result<(), PipelineError>> + Send + use<>,
) {
    let (sender, mut packs) = mpsc::channel::<NewPack>(WAITING);
    let work = async move {
        while let Some(NewPack { key, bytes }) = packs.recv().await {
            put_checked(&store, &key, bytes).await?;
        }
        Ok(())
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
