//! The uploader: packs to the store, a few at a time, each compared with what the store then has.
//!
//! A pack that is stored is noted in the run's journal, so that a run which dies now need not
//! store it again. The memory of a pack is free when this is done with it.

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::mpsc;

use super::{PipelineError, RunJournal, budget::Share, on_thread};
use crate::{
    repo::chunks::{PackInfo, Part},
    store::{Put, Store},
};

/// Packs that are being stored at once. Memory bounds them further.
const UPLOADS: usize = 3;

/// A pack on its way to the store.
#[derive(Debug)]
pub struct NewPack {
    pub(super) key: String,
    pub(super) info: PackInfo,
    pub(super) bytes: Bytes,
    /// What is in it.
    pub(super) parts: Vec<Part>,
    pub(super) _share: Share,
}

/// A channel for packs, and the work that empties it: ends when all lanes are gone, or at the
/// first failure, which the lanes then notice.
pub fn uploader(
    store: Store,
    journal: Arc<RunJournal>,
) -> (
    mpsc::Sender<NewPack>,
    impl Future<Output = Result<(), PipelineError>> + Send + use<>,
) {
    let (sender, mut packs) = mpsc::channel::<NewPack>(1);
    let work = async move {
        stream::poll_fn(move |context| packs.poll_recv(context))
            .map(Ok)
            .try_for_each_concurrent(UPLOADS, |pack| upload(&store, &journal, pack))
            .await
    };
    (sender, work)
}

async fn upload(
    store: &Store,
    journal: &Arc<RunJournal>,
    pack: NewPack,
) -> Result<(), PipelineError> {
    put_checked(store, &pack.key, pack.bytes.clone()).await?;
    let journal = Arc::clone(journal);
    on_thread("journal", move || journal.note(&pack.info, &pack.parts)).await
}

/// Stores an object and compares: what the store acknowledged is not yet what it has.
pub(crate) async fn put_checked(
    store: &Store,
    key: &str,
    bytes: Bytes,
) -> Result<(), PipelineError> {
    let put = store.put_new(key, bytes.clone()).await?;
    if put == Put::Taken || !store.check_stored(key, &bytes).await? {
        return Err(PipelineError::ReadBack(key.to_owned()));
    }
    Ok(())
}
