//! The page of metrics: a function of what is known and of what was counted.
//!
//! Times are given as times and not as ages, in seconds; nothing that never comes again is a
//! label.

use std::sync::atomic::AtomicU64;

use backup_model::{ProtectionReason, ProtectionState, StatusReport};
use jiff::Timestamp;
use prometheus_client::{
    encoding::{EncodeLabelSet, prometheus_text::encode},
    metrics::{family::Family, gauge::Gauge, info::Info},
    registry::Registry,
};

use super::Counters;

const STATES: [(ProtectionState, &str); 4] = [
    (ProtectionState::Protected, "protected"),
    (ProtectionState::AtRisk, "at-risk"),
    (ProtectionState::Unknown, "unknown"),
    (ProtectionState::Breached, "breached"),
];

/// What is known of a repository without looking at it again.
#[derive(Clone, Debug)]
pub struct RepositoryFacts {
    /// Its name.
    pub name: String,
    /// How many snapshots it has, if it could ever be read.
    pub snapshots: Option<u64>,
    /// What its objects took up when they were last counted, in bytes.
    pub stored_bytes: Option<u64>,
    /// Whether it could be read when it was last looked at; none before that.
    pub readable: Option<bool>,
    /// Whether its store keeps a second writer out, where a probe has found out.
    pub conditional: Option<bool>,
    /// When a recovery kit was proved that still counts; the epoch if there is none.
    pub kit_confirmed: Option<Timestamp>,
    /// When a snapshot was last found to be good, by level.
    pub verified: Vec<(String, Timestamp)>,
    /// The part of its snapshots that were ever found to be good.
    pub coverage: Option<f64>,
}

/// All that a page is made of.
#[derive(Debug)]
pub struct Sight<'a> {
    /// How everything stands.
    pub report: &'a StatusReport,
    /// The repositories.
    pub repositories: &'a [RepositoryFacts],
    /// What was counted.
    pub counters: &'a Counters,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Job {
    job: String,
    repository: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobIn {
    job: String,
    repository: String,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Repository {
    repository: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AtLevel {
    repository: String,
    level: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: String,
}

type Gauges<L> = Family<L, Gauge<f64, AtomicU64>>;

/// The page.
pub fn page(sight: &Sight<'_>) -> String {
    let mut registry = Registry::with_prefix("backupd");
    daemon(&mut registry, sight.report);
    jobs(&mut registry, sight.report);
    repositories(&mut registry, sight.repositories);
    sight.counters.register(&mut registry);
    let mut text = String::new();
    encode(&mut text, &registry).expect("a string takes all that is written to it");
    text
}

fn family<L>(registry: &mut Registry, name: &str, help: &str) -> Gauges<L>
where
    L: Clone + std::hash::Hash + Eq + EncodeLabelSet + std::fmt::Debug + Send + Sync + 'static,
{
    let family = Gauges::<L>::default();
    registry.register(name, help, family.clone());
    family
}

fn seconds(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}

fn daemon(registry: &mut Registry, report: &StatusReport) {
    let Some(daemon) = &report.daemon else {
        return;
    };
    let version = daemon.version.clone();
    let build = Info::new(Build { version });
    registry.register("build", "The daemon's version", build);
    let set = |registry: &mut Registry, name: &str, help: &str, value: f64| {
        let gauge = Gauge::<f64, AtomicU64>::default();
        gauge.set(value);
        registry.register(name, help, gauge);
    };
    let help = "When the schedule was last seen alive";
    let name = "scheduler_heartbeat_timestamp_seconds";
    set(registry, name, help, seconds(daemon.heartbeat));
    let help = "When the daemon started";
    set(
        registry,
        "start_timestamp_seconds",
        help,
        seconds(daemon.since),
    );
    let help = "How many things are wrong with the daemon itself: its configuration, its ledger";
    set(registry, "faults", help, report.faults.len() as f64);
}

fn jobs(registry: &mut Registry, report: &StatusReport) {
    let mut of_job = |name: &str, help: &str| family::<Job>(registry, name, help);
    let success = of_job(
        "job_last_success_timestamp_seconds",
        "When the newest good snapshot was made",
    );
    let last = of_job(
        "job_last_run_timestamp_seconds",
        "When the last backup run that ended had begun",
    );
    let next = of_job("job_next_run_timestamp_seconds", "When it runs next");
    let rpo = of_job(
        "job_rpo_seconds",
        "How old its newest good snapshot may get",
    );
    let snapshots = of_job("job_snapshots", "How many snapshots it has");
    let damaged = of_job(
        "job_damaged_snapshots",
        "How many of its snapshots a verification found to be damaged",
    );
    let paused = of_job("job_paused", "Whether its schedule is paused");
    let state = family::<JobIn>(registry, "job_state", "1 for the state that it is in");
    for job in &report.jobs {
        let stands = &job.protection;
        let labels = Job {
            job: stands.job.to_string(),
            repository: job.repository.clone(),
        };
        let set = |gauges: &Gauges<Job>, value: Option<f64>| {
            if let Some(value) = value {
                gauges.get_or_create(&labels).set(value);
            }
        };
        let good = stands.last_good.as_ref();
        set(&success, good.map(|good| seconds(good.created)));
        let run = job.last_run.as_ref();
        set(&last, run.map(|run| seconds(run.begun)));
        set(&next, job.next.map(seconds));
        set(&rpo, stands.rpo.map(|rpo| rpo.as_secs_f64()));
        set(&snapshots, job.snapshots.map(|count| count as f64));
        let bad = stands.reasons.iter().map(|reason| match reason {
            ProtectionReason::Damaged { snapshots } => snapshots.len(),
            _ => 0,
        });
        set(&damaged, Some(bad.sum::<usize>() as f64));
        set(&paused, Some(truth(stands.paused.is_some())));
        for (each, word) in STATES {
            let labels = JobIn {
                job: labels.job.clone(),
                repository: labels.repository.clone(),
                state: word,
            };
            let gauge = state.get_or_create(&labels);
            gauge.set(truth(each == stands.state));
        }
    }
}

fn repositories(registry: &mut Registry, repositories: &[RepositoryFacts]) {
    let mut of = |name: &str, help: &str| family::<Repository>(registry, name, help);
    let snapshots = of("repository_snapshots", "How many snapshots it has");
    let stored = of(
        "repository_stored_bytes",
        "What its objects took up when they were last counted",
    );
    let readable = of(
        "repository_readable",
        "Whether it could be read when the daemon last looked",
    );
    let conditional = of(
        "repository_conditional_write_ok",
        "Whether its store keeps a second writer out, as the last probe found",
    );
    let kit = of(
        "key_recovery_kit_confirmed_timestamp_seconds",
        "When a recovery kit that still counts was proved; 0 if there is none",
    );
    let coverage = of(
        "verify_coverage_ratio",
        "The part of its snapshots that a verification has found to be good",
    );
    let verified = family::<AtLevel>(
        registry,
        "verify_last_success_timestamp_seconds",
        "When a verification last found a snapshot to be good",
    );
    for facts in repositories {
        let labels = Repository {
            repository: facts.name.clone(),
        };
        let set = |gauges: &Gauges<Repository>, value: Option<f64>| {
            if let Some(value) = value {
                gauges.get_or_create(&labels).set(value);
            }
        };
        set(&snapshots, facts.snapshots.map(|count| count as f64));
        set(&stored, facts.stored_bytes.map(|bytes| bytes as f64));
        set(&readable, facts.readable.map(truth));
        set(&conditional, facts.conditional.map(truth));
        set(&kit, facts.kit_confirmed.map(seconds));
        set(&coverage, facts.coverage);
        for (level, at) in &facts.verified {
            let labels = AtLevel {
                repository: facts.name.clone(),
                level: level.clone(),
            };
            verified.get_or_create(&labels).set(seconds(*at));
        }
    }
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}
