//! How everything stands, how the house does, and what was done, seen from a process that is no daemon: out of the
//! repositories, and out of the ledger that a daemon left. A pause is written where the next
//! daemon looks.

use std::{collections::BTreeMap, time::Duration};

use backup_model::{Code, Failure, HealthReport, JobName, Pause, StatusReport};
use futures::future::join_all;
use tokio::{net::UnixStream, task, time::timeout};
use tokio_util::sync::CancellationToken;

use super::Access;
use crate::{
    clock,
    health::{self, Asked, Guessed},
    ledger::{Ledger, LedgerError, LedgerReader},
    metrics::Counters,
    notify::Post,
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

/// A repository may take minutes until it is given up; whoever asks for all of health does not.
const STATUS_PATIENCE: Duration = Duration::from_secs(20);

/// How the house stands. Whether a daemon is there is only tried: it is not asked.
pub(super) async fn health(access: &Access) -> HealthReport {
    let now = clock::now();
    let guessed = Guessed::default();
    let status = timeout(STATUS_PATIENCE, status(access));
    let measured = health::look(access, &guessed, now);
    let (status, measured, asked) = tokio::join!(status, measured, asked(access));
    let status = status.unwrap_or_else(|_| {
        let text = format!("no answer within {} s", STATUS_PATIENCE.as_secs());
        Err(Failure::new(Code::Store, text))
    });
    health::report(access, status.as_ref(), &asked, measured, now)
}

async fn asked(access: &Access) -> Asked {
    let server = access.watched.server.as_ref();
    if let Some(socket) = server.and_then(|server| server.socket()) {
        let connected = timeout(STATUS_PATIENCE, UnixStream::connect(socket)).await;
        if connected.is_ok_and(|connected| connected.is_ok()) {
            return Asked::Beside(socket.to_owned());
        }
    }
    Asked::Daemon
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

/// The channels of the configuration, of whose messages nothing is known in this process.
pub(super) fn post(access: &Access) -> Post {
    let post = Post::new(Counters::default(), CancellationToken::new());
    let server = access.watched.server.as_ref();
    let name = server.map_or("this machine", |server| server.name.as_str());
    post.arrange(
        &access.watched.channels,
        name,
        &access.secrets,
        &access.state,
    );
    post
}
