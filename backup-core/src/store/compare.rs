//! Comparing what a store has with what it should have, in pieces: no second copy in memory.

use std::{
    fs::File,
    io::{self, Read as _},
};

use bytes::Bytes;
use futures::TryStreamExt as _;
use object_store::{GetResult, GetResultPayload};

const PIECE: usize = 256 << 10;

/// Whether an object that was asked for is exactly these bytes.
pub(super) async fn is_equal(found: GetResult, expected: &Bytes) -> object_store::Result<bool> {
    if found.meta.size != expected.len() as u64 {
        return Ok(false);
    }
    if !matches!(found.payload, GetResultPayload::File(..)) {
        return is_stream_equal(found, expected).await;
    }
    let GetResultPayload::File(file, _) = found.payload else {
        return Ok(false);
    };
    let expected = expected.clone();
    let compared = tokio::task::spawn_blocking(move || is_file_equal(file, &expected));
    let io = |source: io::Error| object_store::Error::Generic {
        store: "LocalFileSystem",
        source: source.into(),
    };
    compared
        .await
        .map_err(|source| object_store::Error::JoinError { source })?
        .map_err(io)
}

async fn is_stream_equal(found: GetResult, expected: &Bytes) -> object_store::Result<bool> {
    let mut rest = expected.as_ref();
    let mut pieces = found.into_stream();
    while let Some(piece) = pieces.try_next().await? {
        let Some(after) = rest.strip_prefix(piece.as_ref()) else {
            return Ok(false);
        };
        rest = after;
    }
    Ok(rest.is_empty())
}

fn is_file_equal(mut file: File, expected: &[u8]) -> io::Result<bool> {
    let mut piece = vec![0; PIECE.min(expected.len())];
    for part in expected.chunks(PIECE) {
        let piece = piece.get_mut(..part.len()).unwrap_or_default();
        match file.read_exact(piece) {
            Ok(()) if piece == part => {}
            Ok(()) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(file.read(&mut [0])? == 0)
}
