//! What the daemon of the story answers.

use backup_model::{
    AuditCheck, AuditEntry, AuditFault, AuditOutcome, AuditPage, ChannelKind, ChannelState,
    ConfigurationReport, ConfiguredJob, ConfiguredRepository, ConfiguredSource, Digest, End,
    HealthItem, HealthReport, LogLevel, RunDetail, RunInfo, RunLog, RunLogLine, RunPage, RunPhase,
    SnapshotInfo,
};
use jiff::SignedDuration;

use super::{
    ago, hours,
    jobs::{Job, jobs, run_info, snapshot},
    minutes_before, name,
    retention::policy,
};

/// What the house looks like.
pub(crate) fn health() -> HealthReport {
    let items = vec![
        HealthItem::breached(
            "database-connect",
            "gitea-db",
            "no answer from gitea-db:5432 within 10 s, 13 times since Sat 18:00",
            "See whether the server runs, and whether this host may reach it: pg_isready -h gitea-db",
        ),
        HealthItem::at_risk(
            "token-expiry",
            "api tokens",
            "`prometheus` ends in 5 d",
            "backupctl token rotate prometheus",
        ),
        HealthItem::unknown(
            "web-headers",
            "https://chat.example.net",
            "no connection",
            "See whether it is there: curl -I https://chat.example.net",
        ),
        HealthItem::ok("scheduler", "daemon", "the schedule moved 4 s ago"),
        HealthItem::ok("repository-reachable", "b2-main", "answers in 84 ms"),
        HealthItem::ok("repository-reachable", "nas", "answers in 1 ms"),
        HealthItem::ok(
            "repository-space",
            "nas",
            "111 GiB free, 92 % of all; full in 2 040 d",
        )
        .with("free_bytes", 111_u64 << 30)
        .with("full_in_days", 2_040),
        HealthItem::ok("repository-probe", "b2-main", "a second writer is kept out"),
        HealthItem::ok("file-modes", "configuration", "0640, root and backupd"),
        HealthItem::ok("clock", "this machine", "synchronised, 2 ms off"),
        HealthItem::ok("recovery-kit", "b2-main", "proved 101 d ago"),
        HealthItem::ok("recovery-kit", "nas", "proved 101 d ago"),
        HealthItem::ok("notification", "ops", "delivered 20 h ago"),
    ];
    HealthReport::new(ago(0), items)
}

pub(crate) fn channels() -> Vec<ChannelState> {
    vec![ChannelState {
        name: "ops".to_owned(),
        kind: ChannelKind::Ntfy,
        last_delivered: Some(ago(20 * 60)),
        last_digest: None,
        last_failed: None,
        failure: None,
    }]
}

pub(crate) fn configuration() -> ConfigurationReport {
    let repository = |name: &str, url: &str| ConfiguredRepository {
        name: name.to_owned(),
        url: url.to_owned(),
        trust: Some("RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".to_owned()),
    };
    let job = |job: &Job| ConfiguredJob {
        name: name(job.name),
        repository: job.repository.to_owned(),
        schedule: Some(job.schedule.to_owned()),
        rpo_secs: Some(u64::try_from(job.rpo_hours * 3600).unwrap()),
        limit_secs: None,
        retention: (job.name == "webui-db").then(policy),
        sources: vec![ConfiguredSource {
            name: job.name.to_owned(),
            kind: "postgres".to_owned(),
            reads: vec![format!("{} on gitea-db:5432", job.name)],
        }],
    };
    ConfigurationReport {
        repositories: vec![
            repository("b2-main", "s3://backups-vault01/main"),
            repository("nas", "file:///mnt/nas/backup"),
        ],
        jobs: jobs().iter().map(job).collect(),
    }
}

pub(super) fn runs(job: Option<&str>) -> RunPage {
    let job = job.unwrap_or("webui-db");
    let runs = (1..25_u8).map(|number| {
        let good = job != "gitea-db" || number > 13;
        run_info(job, minutes_before(job, number), number, good)
    });
    RunPage {
        runs: runs.collect(),
        next: None,
    }
}

pub(super) fn run_detail(info: &RunInfo) -> RunDetail {
    let phase = |phase, object: &str, from: i64, to: Option<i64>| {
        let at = |secs| info.begun + SignedDuration::from_secs(secs);
        RunPhase {
            phase,
            object: object.to_owned(),
            begun: at(from),
            ended: to.map(at),
        }
    };
    let prepare = phase(backup_model::Phase::Prepare, "", 0, Some(2));
    let phases = match info.failure {
        Some(_) => vec![prepare, phase(backup_model::Phase::Store, "gitea", 2, None)],
        None => vec![
            prepare,
            phase(backup_model::Phase::Store, "webui", 2, Some(44)),
            phase(backup_model::Phase::Finish, "", 44, Some(48)),
        ],
    };
    RunDetail {
        info: info.clone(),
        phases,
        first_warnings: Vec::new(),
    }
}

pub(super) fn run_log(info: &RunInfo) -> RunLog {
    let begins = (LogLevel::Info, "the run begins");
    let texts = match info.failure {
        Some(_) => vec![
            begins,
            (
                LogLevel::Info,
                "PostgreSQL at gitea-db:5432, database gitea",
            ),
            (
                LogLevel::Error,
                "E-PG-CONNECT no answer from gitea-db:5432 within 10 s",
            ),
        ],
        None => vec![
            begins,
            (
                LogLevel::Info,
                "PostgreSQL 15.18 at db:5432, database webui, 1.94 GiB",
            ),
            (
                LogLevel::Warn,
                "the table `cache` has no primary key: its rows are not compared",
            ),
            (LogLevel::Info, "stored as webui-db/41"),
        ],
    };
    let lines = (1..).zip(texts).map(|(number, (level, text))| RunLogLine {
        number,
        at: info.begun + SignedDuration::from_secs(i64::try_from(number).unwrap() * 11),
        level,
        text: text.to_owned(),
    });
    let lines: Vec<_> = lines.collect();
    RunLog {
        next: lines.last().map_or(1, |line| line.number + 1),
        lines,
        dropped: 0,
        ended: true,
    }
}

/// The last entries of the audit log, the newest first.
pub(crate) fn audit() -> AuditPage {
    let acts = [
        ("schedule", "backup", "webui-db", AuditOutcome::Done),
        (
            "token eva",
            "snapshot.hold",
            "wiki-db/38",
            AuditOutcome::Done,
        ),
        ("uid 1000", "restore", "webui-db/40", AuditOutcome::Began),
        (
            "token prometheus",
            "job.pause",
            "gitea-db",
            AuditOutcome::Refused,
        ),
        ("schedule", "backup", "gitea-db", AuditOutcome::Failed),
        ("unknown", "sign-in", "api", AuditOutcome::Refused),
    ];
    let entries = (0..60_u64).map(|n| {
        let (actor, action, object, outcome) = acts[usize::try_from(n).unwrap() % acts.len()];
        AuditEntry {
            seq: 10_412 - n,
            time: ago(7 + i64::try_from(n).unwrap() * 13),
            actor: actor.to_owned(),
            action: action.to_owned(),
            object: object.to_owned(),
            outcome,
            details: (outcome == AuditOutcome::Failed).then(|| "E-PG-CONNECT".to_owned()),
            session: None,
            client: (actor != "schedule").then(|| "backupctl 0.1.0".to_owned()),
            source: (actor != "schedule").then(|| "2026-11:5f3c2a91".to_owned()),
            prev: Digest([0x5f; 32]),
        }
    });
    AuditPage {
        entries: entries.collect(),
        next: Some(10_352),
    }
}

/// A log with one entry that was altered after it was written.
pub(crate) fn tampered() -> AuditCheck {
    AuditCheck {
        entries: 10_412,
        first: Some(1),
        last: Some(10_412),
        snapshots: 287,
        faults: vec![AuditFault {
            file: Some("/var/log/backupd/audit.jsonl".to_owned()),
            line: Some(211),
            what: "entry 10 203 does not follow from the one before it".to_owned(),
        }],
    }
}

pub(super) fn snapshots() -> Vec<backupd_api::ListedRun> {
    let of = |job: &Job, number: u64| SnapshotInfo {
        snapshot: snapshot(job.name, number),
        end: End::Complete,
        created: ago(job.good_minutes) - hours(i64::try_from(41 - number).unwrap() * 2),
        kinds: vec!["postgres".to_owned()],
        packs: 38,
        stored_bytes: 640 << 20,
        added_bytes: 21_000_000 + number * 131_072,
        record: Digest([0x7f; 32]),
        reason: None,
        held: (number == 38).then(|| "before the upgrade".to_owned()),
    };
    let jobs = jobs();
    let all = jobs
        .iter()
        .flat_map(|job| (2..=41).map(move |n| Ok(of(job, n))));
    all.collect()
}
