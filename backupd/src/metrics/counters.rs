//! What is counted while the daemon runs: runs, bytes, time, failed deliveries.
//!
//! The ledger is not asked: its rows are dropped after their time, and a counter must not fall.

use std::sync::atomic::AtomicU64;

use backup_model::{JobName, RunInfo, RunKind, RunOutcome};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// From what ends within seconds to what takes a day.
const SECONDS: [f64; 12] = [
    1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 43_200.0, 86_400.0,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfOutcome {
    job: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfKind {
    job: String,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfJob {
    job: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfChannel {
    channel: String,
}

type Times = Family<OfJob, Histogram, fn() -> Histogram>;

/// Counts; each copy is of the same counts.
#[derive(Clone, Debug)]
pub struct Counters {
    runs: Family<OfOutcome, Counter>,
    bytes: Family<OfKind, Counter>,
    times: Times,
    warnings: Family<OfJob, Gauge<u64, AtomicU64>>,
    failed_deliveries: Family<OfChannel, Counter>,
}

/// How backups end.
const OUTCOMES: [RunOutcome; 5] = [
    RunOutcome::Succeeded,
    RunOutcome::Warnings,
    RunOutcome::Failed,
    RunOutcome::Cancelled,
    RunOutcome::Interrupted,
];

impl Default for Counters {
    fn default() -> Self {
        Self {
            runs: Family::default(),
            bytes: Family::default(),
            times: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            warnings: Family::default(),
            failed_deliveries: Family::default(),
        }
    }
}

impl Counters {
    /// A job is there: its counts show as 0 from now on, so that the first failure is a rise.
    pub fn job(&self, job: &JobName) {
        for outcome in OUTCOMES {
            self.of_outcome(job, outcome);
        }
        for kind in ["read", "new", "stored"] {
            let job = job.to_string();
            self.bytes.get_or_create_owned(&OfKind { job, kind });
        }
    }

    fn of_outcome(&self, job: &JobName, outcome: RunOutcome) -> Counter {
        let outcome = outcome.as_str();
        let job = job.to_string();
        self.runs.get_or_create_owned(&OfOutcome { job, outcome })
    }

    /// A run is over. Backups count; what else is done shows in what it finds.
    pub fn ended(&self, run: &RunInfo) {
        let Some(job) = run.job.as_ref().filter(|_| run.kind == RunKind::Backup) else {
            return;
        };
        self.of_outcome(job, run.outcome).inc();
        let job = job.to_string();
        let bytes = [
            ("read", run.bytes.read_bytes),
            ("new", run.bytes.new_bytes),
            ("stored", run.bytes.stored_bytes),
        ];
        for (kind, bytes) in bytes {
            let job = job.clone();
            let counter = self.bytes.get_or_create_owned(&OfKind { job, kind });
            counter.inc_by(bytes);
        }
        if let Some(ended) = run.ended {
            let time = ended.duration_since(run.begun).as_secs_f64();
            let histogram = self.times.get_or_create_owned(&OfJob { job: job.clone() });
            histogram.observe(time.max(0.0));
        }
        let warnings = self.warnings.get_or_create_owned(&OfJob { job });
        warnings.set(run.warnings);
    }

    /// A message could not be delivered, and is given up.
    pub fn undelivered(&self, channel: &str) {
        self.failed_deliveries(channel).inc();
    }

    /// A channel is there: its count shows as 0 from now on, so that the first failure is a rise.
    pub fn channel(&self, channel: &str) {
        self.failed_deliveries(channel);
    }

    fn failed_deliveries(&self, channel: &str) -> Counter {
        self.failed_deliveries.get_or_create_owned(&OfChannel {
            channel: channel.to_owned(),
        })
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Backup runs that ended since the daemon started, by outcome";
        registry.register("runs", help, self.runs.clone());
        let help = "Bytes of backup runs since the daemon started: read, new, stored";
        registry.register("run_bytes", help, self.bytes.clone());
        let help = "How long backup runs took";
        registry.register("run_duration_seconds", help, self.times.clone());
        let help = "What went wrong in the last backup run without stopping it";
        registry.register("run_warnings", help, self.warnings.clone());
        let help = "Messages that could not be delivered since the daemon started";
        registry.register("notify_failures", help, self.failed_deliveries.clone());
    }
}
