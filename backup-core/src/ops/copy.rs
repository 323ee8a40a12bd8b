//! Copying a stream to its end, which can be stopped.

use std::io::{self, Write};

use tokio_util::sync::CancellationToken;

use super::OpError;

/// Copies to the end, stopping when asked to. Gives the length.
pub(super) fn copy(
    from: &mut dyn io::Read,
    to: &mut dyn Write,
    cancel: &CancellationToken,
) -> Result<u64, OpError> {
    let mut buffer = vec![0; 256 * 1024];
    let mut length = 0;
    loop {
        if cancel.is_cancelled() {
            return Err(OpError::Cancelled);
        }
        let read = from
            .read(&mut buffer)
            .map_err(|source| OpError::io("read the snapshot", source))?;
        if read == 0 {
            return Ok(length);
        }
        to.write_all(&buffer[..read])
            .map_err(|source| OpError::io("write the stream", source))?;
        length += read as u64;
    }
}
