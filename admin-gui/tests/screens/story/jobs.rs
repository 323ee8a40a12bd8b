//! The jobs of the story, and what became of their runs.

use std::collections::BTreeMap;

use backup_model::{
    Code, DaemonInfo, DueKept, DueTime, Failure, GoodSnapshot, JobStatus, Level, Pause, Protection,
    ProtectionReason, ProtectionState, Proven, RunBytes, RunCause, RunInfo, RunKind, RunOutcome,
    Running, SnapshotName, StatusReport,
};
use jiff::SignedDuration;

use super::{ago, hours, name, now, nth_run, run_id};

pub(super) struct Job {
    pub(super) name: &'static str,
    pub(super) repository: &'static str,
    pub(super) state: ProtectionState,
    pub(super) reasons: Vec<ProtectionReason>,
    pub(super) good_minutes: i64,
    pub(super) rpo_hours: i64,
    pub(super) schedule: &'static str,
    pub(super) next: &'static str,
    pub(super) proven: (Level, i64),
}

pub(super) fn jobs() -> Vec<Job> {
    let refused = Failure::new(Code::PgConnect, "no answer from gitea-db:5432 within 10 s");
    let fine = |name, repository, (good_minutes, rpo_hours), schedule, next| Job {
        name,
        repository,
        state: ProtectionState::Protected,
        reasons: Vec::new(),
        good_minutes,
        rpo_hours,
        schedule,
        next,
        proven: (Level::Data, 3),
    };
    let breached = ProtectionReason::RpoExceeded {
        age: hours(26),
        limit: hours(6),
    };
    let failed = ProtectionReason::FailedUncovered {
        run: nth_run("gitea-db", 1),
        outcome: RunOutcome::Failed,
        failure: Some(refused),
    };
    let overdue = ProtectionReason::VerificationOverdue {
        level: Level::Data,
        age: hours(38 * 24),
        limit: hours(30 * 24),
    };
    let times = [
        (
            "gitea-db",
            "b2-main",
            (26 * 60, 6),
            "30 */2 * * *",
            "22T14:32",
        ),
        (
            "webui-uploads",
            "b2-main",
            (62, 24),
            "0 * * * *",
            "22T15:00",
        ),
        (
            "mcpo-config",
            "b2-main",
            (692, 24),
            "30 2 * * *",
            "23T02:30",
        ),
        ("wiki-config", "nas", (662, 24), "0 3 * * *", "23T03:00"),
        ("wiki-db", "nas", (652, 24), "10 3 * * *", "23T03:10"),
        ("webui-db", "b2-main", (107, 6), "15 */2 * * *", "22T14:15"),
        (
            "keycloak-db",
            "b2-main",
            (92, 6),
            "30 */2 * * *",
            "22T14:30",
        ),
    ];
    let times = times.into_iter();
    let mut jobs: Vec<Job> = times.map(|(a, b, c, d, e)| fine(a, b, c, d, e)).collect();
    jobs[0].state = ProtectionState::Breached;
    jobs[0].reasons = vec![breached, failed];
    jobs[1].state = ProtectionState::AtRisk;
    jobs[1].reasons = vec![overdue];
    jobs[1].proven = (Level::Data, 38);
    jobs
}

pub(super) fn snapshot(job: &str, number: u64) -> SnapshotName {
    format!("{job}/{number}").parse().unwrap()
}

pub(super) fn job_status(job: &Job) -> JobStatus {
    let is_running = job.name == "webui-uploads";
    let breached = job.state == ProtectionState::Breached;
    let pause = Pause {
        who: "daemon".to_owned(),
        at: ago(30),
        until: Some("2026-11-22T14:32:00Z".parse().unwrap()),
        why: Some("after an error".to_owned()),
    };
    JobStatus {
        protection: Protection {
            job: name(job.name),
            state: job.state,
            reasons: job.reasons.clone(),
            was: None,
            paused: breached.then_some(pause),
            running: is_running.then(|| Running {
                run: run_id(2, 9),
                percent: Some(64),
            }),
            last_good: Some(GoodSnapshot {
                snapshot: snapshot(job.name, 41),
                created: ago(job.good_minutes),
                complete: true,
            }),
            rpo: Some(hours(job.rpo_hours)),
        },
        repository: job.repository.to_owned(),
        schedule: Some(job.schedule.to_owned()),
        next: Some(format!("2026-11-{}:00Z", job.next).parse().unwrap()),
        proven: Some(Proven {
            level: job.proven.0,
            at: now() - hours(24 * job.proven.1),
        }),
        snapshots: Some(41),
        last_run: Some(run_info(job.name, job.good_minutes, 1, !breached)),
    }
}

/// A run of a backup that has ended.
pub(crate) fn run_info(job: &str, minutes_ago: i64, number: u8, good: bool) -> RunInfo {
    let refused = || Failure::new(Code::PgConnect, "no answer from gitea-db:5432 within 10 s");
    let bytes = u64::from(number) * 37_000_000;
    RunInfo {
        run: run_id(minutes_ago, number),
        kind: RunKind::Backup,
        job: Some(name(job)),
        repository: "b2-main".to_owned(),
        cause: RunCause::Schedule,
        asked_by: None,
        due: Some(ago(minutes_ago)),
        begun: ago(minutes_ago),
        ended: Some(ago(minutes_ago) + SignedDuration::from_secs(48 + i64::from(number))),
        outcome: if good {
            RunOutcome::Succeeded
        } else {
            RunOutcome::Failed
        },
        bytes: RunBytes {
            read_bytes: if good { 1_900_000_000 + bytes } else { 0 },
            new_bytes: if good { 65_000_000 + bytes } else { 0 },
            stored_bytes: if good { 21_000_000 + bytes / 3 } else { 0 },
            total_bytes: None,
        },
        warnings: 0,
        failure: (!good).then(refused),
        snapshot: good.then(|| snapshot(job, 42 - u64::from(number))),
    }
}

/// What the daemon says of everything.
pub(crate) fn status() -> StatusReport {
    StatusReport {
        at: now(),
        daemon: Some(DaemonInfo {
            name: "vault01".to_owned(),
            version: "0.1.0".to_owned(),
            since: ago(60 * 24 * 9),
            heartbeat: now(),
        }),
        faults: Vec::new(),
        jobs: jobs().iter().map(job_status).collect(),
    }
}

/// The last 30 days of a job, with what is told of its bad ones.
pub(super) fn dues(job: &Job) -> Vec<DueTime> {
    let every_hours = match job.schedule {
        "0 * * * *" => 1,
        schedule if schedule.contains("*/2") => 2,
        _ => 24,
    };
    let failing = job.state == ProtectionState::Breached;
    // On one time of each of these days.
    let bad: BTreeMap<i64, DueKept> = match job.name {
        "gitea-db" => [(10, DueKept::MadeUp)].into(),
        "webui-db" => [(2, DueKept::Failed), (21, DueKept::MadeUp)].into(),
        "webui-uploads" => [(1, DueKept::Failed), (18, DueKept::MadeUp)].into(),
        "wiki-config" | "wiki-db" => [(16, DueKept::MadeUp)].into(),
        _ => BTreeMap::new(),
    };
    let first = job.good_minutes % (every_hours * 60);
    (0..30 * 24 / every_hours)
        .rev()
        .map(|back| {
            let minutes = first + back * every_hours * 60;
            let (day, time) = (minutes / (24 * 60), minutes % (24 * 60));
            let once = bad.get(&day).filter(|_| time == first);
            DueTime {
                due: ago(minutes),
                kept: match once {
                    _ if failing && minutes < job.good_minutes => DueKept::Failed,
                    Some(kept) => *kept,
                    None => DueKept::Done,
                },
                run: None,
            }
        })
        .collect()
}
