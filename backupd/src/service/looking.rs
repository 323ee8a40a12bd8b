//! How everything stands, and what was done, seen from a process that is no daemon: out of the
//! repositories, and out of the ledger that a daemon left. A pause is written where the next
//! daemon looks.

use std::collections::BTreeMap;

use backup_model::{Code, Failure, JobName, Pause, StatusReport};
use futures::future::join_all;
use tokio::task;

use super::Access;
use crate::{
    clock,
    ledger::{Ledger, LedgerError, LedgerReader},
    status::{self, Sight},
};

/// How everything stands.
pub(super) async fn status(access: &Access) -> Result<StatusReport, Failure> {
    let now = clock::now();
    let looks = access.places.iter().map(async |place| {
        let seen = status::look(access, place, None, now).await;
        (place.name.clone(), seen)
    });
    let seen: BTreeMap<_, _> = join_all(looks).await.into_iter().collect();
    let read = access.clone();
    let known = blocking(move || status::read(&read, now)).await;
    let (known, faults) = match known {
        Ok(known) => (known, Vec::new()),
        Err(failure) => (status::Known::default(), vec![failure]),
    };
    let jobs = status::jobs(&Sight {
        now,
        jobs: &access.jobs,
        seen: &seen,
        known: &known,
        agenda: None,
        running: &BTreeMap::new(),
        planned_since: None,
    });
    Ok(StatusReport {
        at: now,
        daemon: None,
        faults,
        jobs,
    })
}

/// Asks the ledger that a daemon left, or that one beside us writes.
pub(super) async fn ask<T: Send + 'static>(
    access: &Access,
    what: impl FnOnce(&LedgerReader) -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, Failure> {
    let state = access.state.clone();
    blocking(move || what(&LedgerReader::open(&state)?)).await
}

/// Pauses a job, where no daemon runs that would have to be told.
pub(super) async fn pause(access: &Access, job: &JobName, pause: &Pause) -> Result<(), Failure> {
    access.job(job)?;
    let ledger = open(access).await?;
    let paused = ledger.pause(job.clone(), pause.clone()).await;
    ledger.close().await;
    paused.map_err(|error| failed(&error))
}

/// Ends a pause.
pub(super) async fn resume(access: &Access, job: &JobName) -> Result<bool, Failure> {
    access.job(job)?;
    let ledger = open(access).await?;
    let resumed = ledger.resume(job.clone()).await;
    ledger.close().await;
    resumed.map_err(|error| failed(&error))
}

async fn open(access: &Access) -> Result<Ledger, Failure> {
    let ledger = Ledger::open_beside(&access.state, clock::now).await;
    ledger.map_err(|error| failed(&error))
}

async fn blocking<T: Send + 'static>(
    what: impl FnOnce() -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, Failure> {
    let done = task::spawn_blocking(what).await;
    let done = done.map_err(|error| Failure::from_error(Code::Bug, &error))?;
    done.map_err(|error| failed(&error))
}

fn failed(error: &LedgerError) -> Failure {
    Failure::from_error(error.code(), error)
}
