//! Cat: one stream to a writer. What has been written cannot be taken back, so the stream is read
//! and checked to its end first, and only then again for the writer.

use std::io::{self, Write};

use backup_keys::OpensKeyFiles;
use backup_model::SnapshotName;
use tokio_util::sync::CancellationToken;

use super::{
    OpError,
    copy::copy,
    list::{committed, read_recipe},
    protect::protected,
};
use crate::{
    pipeline::{Fetcher, SnapshotReader, on_thread},
    repo::{Repository, RunRecord},
};

/// Writes a stream of a snapshot to `out`.
pub async fn cat(
    repository: &Repository,
    name: &SnapshotName,
    stream: &str,
    identity: &dyn OpensKeyFiles,
    out: Box<dyn Write + Send>,
    cancel: &CancellationToken,
) -> Result<u64, OpError> {
    let record = committed(repository, name).await?;
    let written = write(repository, &record, stream, identity, out, cancel);
    protected(repository, &record, written).await
}

async fn write(
    repository: &Repository,
    record: &RunRecord,
    stream: &str,
    identity: &dyn OpensKeyFiles,
    mut out: Box<dyn Write + Send>,
    cancel: &CancellationToken,
) -> Result<u64, OpError> {
    let (epoch, recipe) = read_recipe(repository, record.commit()?, identity).await?;
    let found = recipe.stream(stream).cloned();
    let stream = found.ok_or_else(|| OpError::NoStream {
        snapshot: record.name.to_string(),
        stream: stream.to_owned(),
        known: recipe
            .source_streams()
            .map(|stream| stream.line.name.clone())
            .collect(),
    })?;
    let snapshot = SnapshotReader::new(Fetcher::spawn(repository.store().clone()), epoch, recipe);
    let cancel = cancel.clone();
    on_thread("cat", move || {
        let mut checked = snapshot.open(&stream)?;
        copy(&mut checked, &mut io::sink(), &cancel)?;
        let mut again = snapshot.open(&stream)?;
        let length = copy(&mut again, &mut *out, &cancel)?;
        out.flush()
            .map_err(|source| OpError::io("write the stream", source))?;
        Ok(length)
    })
    .await?
}
