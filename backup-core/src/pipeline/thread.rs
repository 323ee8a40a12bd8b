//! Named threads for work that blocks or computes.

use std::{io, thread};

use tokio::sync::oneshot;

use super::PipelineError;

/// Runs `work` on a thread of its own and waits for it without blocking.
pub async fn on_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, PipelineError> {
    let (done, result) = oneshot::channel();
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            // A dropped receiver means that nobody waits any more.
            drop(done.send(work()));
        })
        .map_err(PipelineError::Thread)?;
    result
        .await
        .map_err(|_| PipelineError::Thread(io::Error::other(format!("thread {name} panicked"))))
}
