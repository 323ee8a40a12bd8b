//! A repository: whether it answers and how fast, room, clock, who can open it, and for how long
//! this host may write. Nothing is written but what asks a store, if nobody has, whether it refuses
//! to create what is there.

use std::time::{Duration, Instant};

use backup_core::{
    ops,
    repo::{Host, Repository},
    store::{Store, is_create_refused},
};
use backup_model::{Code, Failure, HealthItem, KeysReport, SnapshotInfo, WriterInfo};
use jiff::Timestamp;
use tokio::{task, time::timeout};

use super::look::{PATIENCE, said};
use crate::{
    hints::hint,
    service::{self, Access, Place},
    status, storage,
};

mod judge;
mod room;

use judge::Kept;

/// So many small requests are timed.
const REQUESTS: usize = 5;

/// What depends on a repository that answers, and is unknown of one that does not.
const OF_ONE_THAT_ANSWERS: [&str; 4] = [
    "repository-latency",
    judge::KIT,
    judge::ADMINISTRATORS,
    judge::CREATE,
];

/// What a repository is called.
pub(super) fn object(place: &Place) -> String {
    format!("repository {}", place.name)
}

/// Looks at one.
pub(super) async fn check(access: &Access, place: &Place, now: Timestamp) -> Vec<HealthItem> {
    let object = object(place);
    let seen = timeout(PATIENCE, look(access, place, now)).await;
    let seen = seen.unwrap_or_else(|_| {
        let text = format!("no answer within {} s", PATIENCE.as_secs());
        Err(Failure::new(Code::Store, text))
    });
    let mut items = match seen {
        Ok(seen) => answers(&object, &seen, now),
        Err(failure) => silent(&object, &failure),
    };
    items.extend(room::check(access, place, &object, now).await);
    items
}

/// What was seen of a repository that answers.
struct Seen {
    jobs: usize,
    latencies: Vec<Duration>,
    keys: KeysReport,
    kept: Result<Kept, Failure>,
    /// This host's key, if it has one here.
    writer: Option<WriterInfo>,
    /// A snapshot of ours, and when it was stored by the store's clock.
    dated: Option<(SnapshotInfo, Timestamp)>,
}

async fn look(access: &Access, place: &Place, now: Timestamp) -> Result<Seen, Failure> {
    let repository = access.open(place).await?;
    let keys = service::keys(access, place, &repository, now)?;
    let store = place.store(&access.secrets).await?;
    let mut latencies = Vec::new();
    for _ in 0..REQUESTS {
        let begun = Instant::now();
        let size = store.size("repository.json").await;
        size.map_err(|error| storage::failure(&error))?;
        latencies.push(begun.elapsed());
    }
    let host = Host::open(&access.state, repository.id()).ok();
    let writer = host.and_then(|host| {
        let key = host.key().public().to_string();
        keys.writers
            .iter()
            .find(|writer| writer.key == key)
            .cloned()
    });
    let dated = match place.s3 {
        // A folder's clock is this machine's.
        None => None,
        Some(_) => dated(access, place, &repository, &store).await,
    };
    Ok(Seen {
        jobs: repository.jobs().await.map_or(0, |jobs| jobs.len()),
        latencies,
        kept: kept(access, place, &store, now).await,
        keys,
        writer,
        dated,
    })
}

/// What the last probe found; if none did, the store is asked.
async fn kept(
    access: &Access,
    place: &Place,
    store: &Store,
    now: Timestamp,
) -> Result<Kept, Failure> {
    if place.single_writer {
        return Ok(Kept::Said);
    }
    let reading = access.clone();
    let known = task::spawn_blocking(move || status::read(&reading, now)).await;
    let known = known.ok().and_then(Result::ok);
    let probed = known.and_then(|known| known.conditional.get(&place.name).copied());
    let apart = if let Some(probed) = probed {
        probed
    } else {
        let refused = is_create_refused(store).await;
        refused.map_err(|error| storage::failure(&error))?
    };
    Ok(if apart { Kept::Apart } else { Kept::Found })
}

/// A snapshot of a job of ours: its writer dated it, and the store has the time it came.
async fn dated(
    access: &Access,
    place: &Place,
    repository: &Repository,
    store: &Store,
) -> Option<(SnapshotInfo, Timestamp)> {
    for (job, config) in &access.jobs {
        if config.repository.as_str() != place.name {
            continue;
        }
        let Ok(name) = ops::newest(repository, job).await else {
            continue;
        };
        let detail = ops::describe(repository, &name, None).await.ok()?;
        let key = format!("snapshots/{name}.json");
        let stored = store.modified(&key).await.ok()??;
        return Some((detail.info, stored));
    }
    None
}

fn answers(object: &str, seen: &Seen, now: Timestamp) -> Vec<HealthItem> {
    let jobs = match seen.jobs {
        1 => "1 job".to_owned(),
        jobs => format!("{jobs} jobs"),
    };
    let evidence = format!(
        "opened, its signatures hold, trust is version {}; {jobs}",
        seen.keys.trust
    );
    let mut items = vec![
        HealthItem::ok("repository-reachable", object, evidence),
        judge::latency(object, &seen.latencies),
        match &seen.kept {
            Ok(kept) => judge::create(object, *kept),
            Err(failure) => unmeasured(judge::CREATE, object, failure),
        },
        judge::kit(object, &seen.keys.kit),
        judge::openers(object, &seen.keys),
    ];
    let writer = seen.writer.as_ref();
    items.extend(writer.map(|writer| judge::writer(object, writer.until, now)));
    items.extend(seen.dated.as_ref().map(|(info, stored)| {
        judge::clock(object, &info.snapshot.to_string(), info.created, *stored)
    }));
    items
}

fn silent(object: &str, failure: &Failure) -> Vec<HealthItem> {
    let evidence = said(failure);
    let fix =
        hint(failure.code).unwrap_or("Look whether the storage is there: backupctl repo check");
    let silent = HealthItem::breached("repository-reachable", object, evidence, fix);
    let unknown = OF_ONE_THAT_ANSWERS.into_iter().map(|id| {
        let fix = "See `repository-reachable` first.";
        HealthItem::unknown(id, object, "the repository cannot be read", fix)
    });
    std::iter::once(silent).chain(unknown).collect()
}

fn unmeasured(id: &str, object: &str, failure: &Failure) -> HealthItem {
    let why = said(failure);
    let fix = hint(failure.code).unwrap_or("Ask again.");
    HealthItem::unknown(id, object, why, fix)
}

#[cfg(test)]
mod tests {
    use backup_model::HealthState;

    use super::*;

    #[test]
    fn of_a_repository_that_is_gone_nothing_is_fine() {
        let items = silent("repository main", &Failure::new(Code::Store, "gone"));
        assert_eq!(items[0].state, HealthState::Breached);
        assert!(
            items[1..]
                .iter()
                .all(|item| item.state == HealthState::Unknown)
        );
        assert_eq!(items.len(), 1 + OF_ONE_THAT_ANSWERS.len());
    }
}
