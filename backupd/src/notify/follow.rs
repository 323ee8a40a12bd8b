//! From reports to messages, for as long as the daemon runs.

use std::path::PathBuf;

use backup_model::StatusReport;
use tokio::{sync::watch, task};

use super::{Post, memory};

/// Tells what is new in each report. What is about to be told is written down first: a restart
/// repeats nothing.
pub async fn follow(mut reports: watch::Receiver<StatusReport>, post: Post, state: PathBuf) {
    let folder = state.clone();
    let read = task::spawn_blocking(move || memory::read(&folder)).await;
    let mut told = read.unwrap_or_default();
    loop {
        let report = reports.borrow_and_update().clone();
        // One that nobody has written yet says nothing.
        if report.daemon.is_none() {
            if reports.changed().await.is_err() {
                return;
            }
            continue;
        }
        let before = told.clone();
        let events = told.advance(&report);
        if told != before {
            let (kept, folder) = (told.clone(), state.clone());
            let written = task::spawn_blocking(move || memory::write(&folder, &kept)).await;
            match written {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%error, "what people are told is not remembered");
                }
                Err(error) => tracing::error!(%error, "what people are told is not remembered"),
            }
        }
        post.tell(report.at, &events);
        post.digest(&report);
        if reports.changed().await.is_err() {
            return;
        }
    }
}
