//! The page, as a program reads it.

use std::collections::BTreeMap;

use backup_model::{
    DaemonInfo, GoodSnapshot, JobStatus, Protection, ProtectionReason, ProtectionState, RunBytes,
    RunCause, RunId, RunInfo, RunKind, RunOutcome, StatusReport,
};
use jiff::{SignedDuration, Timestamp};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;

use super::{Counters, RepositoryFacts, Sight, open, page, serve};

fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + secs).unwrap()
}

fn report() -> StatusReport {
    let protection = Protection {
        job: "web-ui".parse().unwrap(),
        state: ProtectionState::AtRisk,
        reasons: vec![ProtectionReason::Damaged {
            snapshots: vec!["web-ui/3".parse().unwrap()],
        }],
        was: None,
        paused: None,
        running: None,
        last_good: Some(GoodSnapshot {
            snapshot: "web-ui/4".parse().unwrap(),
            created: at(-60),
            complete: true,
        }),
        rpo: Some(SignedDuration::from_hours(26)),
    };
    StatusReport {
        at: at(0),
        daemon: Some(DaemonInfo {
            name: "vault".to_owned(),
            version: "0.1.0".to_owned(),
            since: at(-1000),
            heartbeat: at(-1),
        }),
        faults: Vec::new(),
        jobs: vec![JobStatus {
            protection,
            repository: "main \"q\"\\".to_owned(),
            schedule: None,
            next: Some(at(600)),
            proven: None,
            snapshots: Some(4),
            last_run: None,
        }],
    }
}

fn run(outcome: RunOutcome) -> RunInfo {
    RunInfo {
        run: RunId::new(at(0), [1; 10]),
        kind: RunKind::Backup,
        job: Some("web-ui".parse().unwrap()),
        repository: "main".to_owned(),
        cause: RunCause::Hand,
        asked_by: None,
        due: None,
        begun: at(0),
        ended: Some(at(20)),
        outcome,
        bytes: RunBytes {
            read_bytes: 100,
            new_bytes: 40,
            stored_bytes: 30,
            total_bytes: None,
        },
        warnings: 2,
        failure: None,
        snapshot: None,
    }
}

fn facts() -> RepositoryFacts {
    RepositoryFacts {
        name: "main".to_owned(),
        snapshots: Some(4),
        stored_bytes: Some(9_000),
        readable: Some(true),
        conditional: Some(false),
        kit_confirmed: Some(Timestamp::UNIX_EPOCH),
        verified: vec![("storage".to_owned(), at(-5))],
        coverage: Some(0.75),
    }
}

fn text(counters: &Counters) -> String {
    page(&Sight {
        report: &report(),
        repositories: &[facts()],
        counters,
    })
}

/// Samples by name and labels; every line is a comment or a sample, and none stands twice.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    let mut described = Vec::new();
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            if let Some(rest) = comment.strip_prefix("TYPE ") {
                described.push(rest.split(' ').next().unwrap().to_owned());
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let name = series.split('{').next().unwrap();
        assert!(name.starts_with("backupd_"), "{line}");
        let of_a_family = described.iter().any(|family| name.starts_with(family));
        assert!(of_a_family, "{name} has no type");
        let twice = samples.insert(series.to_owned(), value.parse().unwrap());
        assert_eq!(twice, None, "{line}");
    }
    samples
}

#[test]
fn the_names_are_those_that_alerts_are_written_for() {
    let counters = Counters::default();
    counters.ended(&run(RunOutcome::Succeeded));
    counters.channel("ops");
    let samples = samples(&text(&counters));
    let job = r#"{job="web-ui",repository="main \"q\"\\"}"#;
    let of = |name: &str, labels: &str| {
        let series = format!("backupd_{name}{labels}");
        let value = samples.get(&series).copied();
        value.unwrap_or_else(|| panic!("no {series} in {samples:#?}"))
    };
    let close = |a: f64, b: i64| assert!((a - b as f64).abs() < 0.001, "{a} {b}");
    close(of("job_last_success_timestamp_seconds", job), 1_789_999_940);
    close(of("job_next_run_timestamp_seconds", job), 1_790_000_600);
    close(of("job_rpo_seconds", job), 26 * 3_600);
    close(of("job_damaged_snapshots", job), 1);
    let state = |word: &str| {
        let labels = r#"{job="web-ui",repository="main \"q\"\\",state=""#;
        of("job_state", &format!("{labels}{word}\"}}"))
    };
    close(state("at-risk"), 1);
    close(state("protected") + state("unknown") + state("breached"), 0);
    let main = r#"{repository="main"}"#;
    close(of("repository_snapshots", main), 4);
    close(of("repository_stored_bytes", main), 9_000);
    close(of("repository_readable", main), 1);
    close(of("repository_conditional_write_ok", main), 0);
    close(of("key_recovery_kit_confirmed_timestamp_seconds", main), 0);
    close(of("verify_coverage_ratio", main) * 4.0, 3);
    let storage = r#"{repository="main",level="storage"}"#;
    close(
        of("verify_last_success_timestamp_seconds", storage),
        1_789_999_995,
    );
    close(
        of("scheduler_heartbeat_timestamp_seconds", ""),
        1_789_999_999,
    );
    close(of("build_info", r#"{version="0.1.0"}"#), 1);
    close(of("runs_total", r#"{job="web-ui",outcome="succeeded"}"#), 1);
    close(of("run_bytes_total", r#"{job="web-ui",kind="new"}"#), 40);
    close(of("run_duration_seconds_sum", r#"{job="web-ui"}"#), 20);
    close(
        of("run_duration_seconds_bucket", r#"{job="web-ui",le="15"}"#),
        0,
    );
    close(
        of("run_duration_seconds_bucket", r#"{job="web-ui",le="60"}"#),
        1,
    );
    close(of("run_warnings", r#"{job="web-ui"}"#), 2);
    close(of("notify_failures_total", r#"{channel="ops"}"#), 0);
}

#[test]
fn a_job_has_its_counts_before_its_first_run() {
    let counters = Counters::default();
    counters.job(&"web-ui".parse().unwrap());
    let mut registry = prometheus_client::registry::Registry::default();
    counters.register(&mut registry);
    let mut page = String::new();
    prometheus_client::encoding::text::encode(&mut page, &registry).unwrap();
    let failed = r#"runs_total{job="web-ui",outcome="failed"} 0"#;
    assert!(page.contains(failed), "{page}");
}

#[test]
fn no_counter_falls_and_only_backups_count() {
    let counters = Counters::default();
    let mut before = BTreeMap::new();
    for outcome in [
        RunOutcome::Failed,
        RunOutcome::Succeeded,
        RunOutcome::Failed,
    ] {
        counters.ended(&run(outcome));
        counters.ended(&RunInfo {
            kind: RunKind::Prune,
            ..run(outcome)
        });
        let now = samples(&text(&counters));
        let falls = |(series, was): (&String, &f64)| now.get(series).is_none_or(|is| is < was);
        assert!(!before.iter().any(falls), "{before:?} {now:?}");
        before = now;
        before.retain(|series, _| series.contains("_total") || series.contains("_bucket"));
    }
    let failed = r#"backupd_runs_total{job="web-ui",outcome="failed"}"#;
    assert_eq!(
        before.get(failed).map(ToString::to_string),
        Some("2".to_owned())
    );
}

async fn ask(address: std::net::SocketAddr, line: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_page_is_served_at_loopback_and_nowhere_else() {
    assert!(open("0.0.0.0:0".parse().unwrap()).await.is_err());
    let listener = open("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let page = || "the page\n".to_owned();
    let served = tokio::spawn(serve(listener, page, stop.clone()));
    let answer = ask(address, "GET /metrics").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("version=0.0.4"), "{answer}");
    assert!(answer.ends_with("the page\n"), "{answer}");
    let answer = ask(address, "POST /metrics").await;
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    let answer = ask(address, "GET /").await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    stop.cancel();
    served.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
