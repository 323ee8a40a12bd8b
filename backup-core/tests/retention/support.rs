//! Runs by hand, and plans in words that fit on a line.

use std::collections::BTreeMap;

use backup_core::retention::{Record, plan};
use backup_model::{
    End, GoReason, KeepReason, PauseReason, RetentionDecision, RetentionPlan, RetentionPolicy, Seq,
    SnapshotName,
};
use jiff::Timestamp;

/// A complete snapshot of a job, as big as any other.
pub(crate) fn complete(seq: u64, created: &str) -> Record {
    run(seq, created, End::Complete)
}

pub(crate) fn run(seq: u64, created: &str, end: End) -> Record {
    Record {
        name: SnapshotName {
            job: "webui".parse().unwrap(),
            seq: Seq(seq),
        },
        created: created.parse().unwrap(),
        end,
        stored_bytes: 1_000_000,
        held: false,
        proven: false,
    }
}

/// A policy without any rule, of which one snapshot always stays.
pub(crate) fn policy(zone: &str) -> RetentionPolicy {
    RetentionPolicy {
        min_keep: 1,
        ..RetentionPolicy::new(zone.to_owned())
    }
}

pub(crate) fn planned(policy: &RetentionPolicy, records: &[Record], now: &str) -> RetentionPlan {
    plan(policy, records, now.parse::<Timestamp>().unwrap()).unwrap()
}

/// Why each run stays or goes, in short.
pub(crate) fn told(plan: &RetentionPlan) -> BTreeMap<u64, Vec<String>> {
    let told = plan.verdicts.iter().map(|verdict| {
        let mut why: Vec<String> = match &verdict.decision {
            RetentionDecision::Keep { reasons } => reasons.iter().map(kept).collect(),
            RetentionDecision::Go { reason } => vec![gone(reason)],
        };
        if verdict.out_of_order {
            why.push("out of order".to_owned());
        }
        why.sort();
        (verdict.snapshot.seq.0, why)
    });
    told.collect()
}

pub(crate) fn kept(reason: &KeepReason) -> String {
    match reason {
        KeepReason::Rule { rule, period } => match period {
            Some(period) => format!("{} {period}", rule.as_str()),
            None => rule.as_str().to_owned(),
        },
        KeepReason::Paused { otherwise } => format!("paused, {}", gone(otherwise)),
        KeepReason::MinKeep => "min_keep".to_owned(),
        KeepReason::Held => "held".to_owned(),
        KeepReason::Proven => "proven".to_owned(),
        KeepReason::Future => "future".to_owned(),
        KeepReason::NothingBetter => "nothing better".to_owned(),
        KeepReason::Open => "open".to_owned(),
        KeepReason::History => "history".to_owned(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn gone(reason: &GoReason) -> String {
    match reason {
        GoReason::NoRule => "go: no rule".to_owned(),
        GoReason::Completed { by } => format!("go: completed by {}", by.seq.0),
        GoReason::NewerPartial => "go: newer partial".to_owned(),
        GoReason::FailedRun => "go: failed".to_owned(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn pause_told(pause: Option<&PauseReason>) -> String {
    match pause {
        None => "no".to_owned(),
        Some(PauseReason::RecentFailures { runs }) => format!("{runs} failures"),
        Some(PauseReason::Shrunk {
            snapshot,
            stored_bytes,
            usual_bytes,
        }) => format!("{} has {stored_bytes} of {usual_bytes}", snapshot.seq.0),
        Some(other) => panic!("{other:?}"),
    }
}

/// The numbers of what goes, or would if retention did not pause; oldest first.
pub(crate) fn going(plan: &RetentionPlan) -> Vec<u64> {
    let told = told(plan).into_iter();
    told.filter(|(_, why)| why.iter().any(|why| why.contains("go: ")))
        .map(|(seq, _)| seq)
        .collect()
}
