//! How much room a folder has, and when it will be full. A bucket has no end, so of that nothing
//! is said.

use std::path::Path;

use backup_model::{HealthItem, RunInfo, RunKind, RunQuery};
use jiff::{SignedDuration, Timestamp};
use tokio::{task, time::timeout};

use crate::{
    health::look::PATIENCE,
    ledger::LedgerReader,
    service::{Access, Place},
};

const ID: &str = "repository-space";
/// How far back growth is measured.
const WINDOW: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Of less nothing can be told.
const LEAST: SignedDuration = SignedDuration::from_hours(48);
const DAY_SECS: u64 = 24 * 3_600;

/// Looks at a folder's file system.
pub(super) async fn check(
    access: &Access,
    place: &Place,
    object: &str,
    now: Timestamp,
) -> Option<HealthItem> {
    let folder = place.url.folder()?.to_owned();
    let (state, name) = (access.state.clone(), place.name.clone());
    let measure = task::spawn_blocking(move || {
        let room = room(&folder)?;
        let growth = growth(&runs(&state, &name, now), now);
        Ok::<_, rustix::io::Errno>((room, growth))
    });
    let measured = timeout(PATIENCE, measure).await;
    let fix = "Look whether the file system is mounted and answers: df";
    Some(match measured {
        Ok(Ok(Ok((room, growth)))) => judge(object, room, growth, access.watched.health.space_days),
        Ok(Ok(Err(error))) => HealthItem::unknown(ID, object, error, fix),
        Ok(Err(_)) | Err(_) => HealthItem::unknown(ID, object, "the file system hangs", fix),
    })
}

/// What is free of all there is, in bytes.
#[derive(Clone, Copy, Debug)]
struct Room {
    free: u64,
    all: u64,
}

fn room(folder: &Path) -> rustix::io::Result<Room> {
    let facts = rustix::fs::statvfs(folder)?;
    Ok(Room {
        free: facts.f_bavail.saturating_mul(facts.f_frsize),
        all: facts.f_blocks.saturating_mul(facts.f_frsize),
    })
}

/// The backups into a repository within the window; none where no ledger tells of them.
fn runs(state: &Path, repository: &str, now: Timestamp) -> Vec<RunInfo> {
    let query = RunQuery {
        kind: Some(RunKind::Backup),
        since: now.checked_sub(WINDOW).ok(),
        ..RunQuery::default()
    };
    let page = LedgerReader::open(state).and_then(|ledger| ledger.list(&query));
    let runs = page.map(|page| page.runs).unwrap_or_default();
    runs.into_iter()
        .filter(|run| run.repository == repository && run.outcome.is_success())
        .collect()
}

/// Bytes a day, from the runs of some days. The first run of a job is left out: it stores all that
/// there is, and never again.
fn growth(runs: &[RunInfo], now: Timestamp) -> Option<u64> {
    let first = runs.iter().map(|run| run.begun).min()?;
    let span = now.duration_since(first);
    if span < LEAST {
        return None;
    }
    let mut stored = 0_u64;
    for run in runs {
        let of_job = runs.iter().filter(|other| other.job == run.job);
        if of_job.map(|other| other.begun).min() != Some(run.begun) {
            stored = stored.saturating_add(run.bytes.stored_bytes);
        }
    }
    let days = span.as_secs().unsigned_abs().max(DAY_SECS);
    Some(
        u64::try_from(u128::from(stored) * u128::from(DAY_SECS) / u128::from(days))
            .unwrap_or(u64::MAX),
    )
}

fn judge(object: &str, room: Room, growth: Option<u64>, least_days: u32) -> HealthItem {
    let share = room.free.saturating_mul(100) / room.all.max(1);
    let days = match growth {
        Some(0) | None => None,
        Some(growth) => Some(room.free / growth),
    };
    let trend = match (growth, days) {
        (None, _) => "growth was never measured over two days".to_owned(),
        (Some(_), Some(days)) => format!("full in {days} d"),
        (Some(_), None) => "it does not grow".to_owned(),
    };
    let evidence = format!("{} free, {share} % of all; {trend}", size(room.free));
    let fix = "Make room, or keep less: backupctl retention preview, then backupctl prune plan";
    let soon = days.is_some_and(|days| days < u64::from(least_days));
    let item = if share < 1 || days == Some(0) {
        HealthItem::breached(ID, object, evidence, fix)
    } else if share < 5 || soon {
        HealthItem::at_risk(ID, object, evidence, fix)
    } else {
        HealthItem::ok(ID, object, evidence)
    };
    let item = item.with("free_bytes", room.free);
    match days {
        Some(days) => item.with("full_in_days", days),
        None => item,
    }
}

fn size(bytes: u64) -> String {
    let (mib, gib) = (bytes >> 20, bytes >> 30);
    match gib {
        0 => format!("{mib} MiB"),
        _ => format!("{gib} GiB"),
    }
}

#[cfg(test)]
mod tests {
    use backup_model::{HealthState, RunBytes, RunCause, RunId, RunOutcome};

    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + hours * 3_600).unwrap()
    }

    fn run(job: &str, hours: i64, stored_bytes: u64) -> RunInfo {
        RunInfo {
            run: RunId::new(at(hours), [0; 10]),
            kind: RunKind::Backup,
            job: Some(job.parse().unwrap()),
            repository: "main".to_owned(),
            cause: RunCause::Schedule,
            asked_by: None,
            due: None,
            begun: at(hours),
            ended: Some(at(hours)),
            outcome: RunOutcome::Succeeded,
            bytes: RunBytes {
                stored_bytes,
                ..RunBytes::default()
            },
            warnings: 0,
            failure: None,
            snapshot: None,
        }
    }

    #[test]
    fn growth_needs_two_days_and_leaves_first_backups_out() {
        let runs = [
            run("a", 0, 1_000_000),
            run("a", 24, 10),
            run("b", 30, 5_000),
        ];
        assert_eq!(growth(&runs, at(47)), None);
        assert_eq!(growth(&runs, at(48)), Some(5));
        let more = [run("a", 0, 1_000), run("a", 24, 30), run("a", 48, 30)];
        assert_eq!(growth(&more, at(72)), Some(20));
        assert_eq!(growth(&[], at(72)), None);
    }

    #[test]
    fn room_is_judged_by_what_is_left_and_by_when_it_is_gone() {
        let of = |free, growth| judge("r", Room { free, all: 1_000 }, growth, 14);
        for (free, growth, state) in [
            (500, None, HealthState::Ok),
            (50, None, HealthState::Ok),
            (49, None, HealthState::AtRisk),
            (9, None, HealthState::Breached),
            (0, None, HealthState::Breached),
            (500, Some(0), HealthState::Ok),
            (500, Some(35), HealthState::Ok),
            (500, Some(36), HealthState::AtRisk),
            (500, Some(500), HealthState::AtRisk),
            (500, Some(501), HealthState::Breached),
        ] {
            assert_eq!(of(free, growth).state, state, "{free} {growth:?}");
        }
        assert!(of(500, None).evidence.contains("never measured"));
        assert_eq!(of(500, Some(35)).numbers["full_in_days"], 14);
    }
}
