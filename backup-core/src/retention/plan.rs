//! The plan: each run with every reason to stay, or the one to go.
//!
//! Reasons are gathered in turn, and only what has none in the end goes. So nothing that is added
//! here later can make something go that stays today.

use std::collections::BTreeSet;

use backup_model::{
    End, GoReason, KeepReason, PauseReason, RetentionDecision, RetentionNote, RetentionPlan,
    RetentionPolicy, RetentionVerdict, Seq, SnapshotName,
};
use jiff::{SignedDuration, Timestamp};

use super::{
    Record, RetentionError,
    pause::pause,
    policy::{Checked, checked},
    rules::follow,
};

/// Clocks may differ by so much.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(10);

/// Says what stays of a job, what goes, and why.
///
/// `records` are all runs of one job that are not forgotten, in any order.
pub fn plan(
    policy: &RetentionPolicy,
    records: &[Record],
    now: Timestamp,
) -> Result<RetentionPlan, RetentionError> {
    let rules = checked(policy).map_err(|mut faults| faults.remove(0))?;
    let mut runs = runs(records, now)?;
    complete_ones(&rules, &mut runs);
    partial_ones(&rules, &mut runs);
    proven_ones(&mut runs);
    failed_ones(&mut runs);
    let counted: Vec<_> = counted(&runs).map(|run| run.record).collect();
    let paused = pause(&counted);
    let notes = notes(&runs);
    let newest_complete = newest(&runs, End::Complete).cloned();
    let verdicts = runs
        .into_iter()
        .map(|run| run.verdict(newest_complete.as_ref(), paused.as_ref()));
    Ok(RetentionPlan {
        now,
        policy: policy.clone(),
        verdicts: verdicts.collect(),
        paused,
        notes,
    })
}

/// A run, and what speaks for it so far.
struct Run<'a> {
    record: &'a Record,
    future: bool,
    out_of_order: bool,
    reasons: Vec<KeepReason>,
}

/// All runs, the newest first, each with what can be said of it alone.
fn runs(records: &[Record], now: Timestamp) -> Result<Vec<Run<'_>>, RetentionError> {
    let mut seen = BTreeSet::new();
    let mut job = None;
    for record in records {
        let first = *job.get_or_insert(&record.name.job);
        if *first != record.name.job {
            return Err(RetentionError::SeveralJobs {
                first: first.clone(),
                second: record.name.job.clone(),
            });
        }
        if !seen.insert(record.name.seq) {
            let snapshot = record.name.clone();
            return Err(RetentionError::Twice { snapshot });
        }
    }
    let latest = now.checked_add(TOLERANCE).unwrap_or(Timestamp::MAX);
    let mut runs: Vec<_> = records
        .iter()
        .map(|record| Run::new(record, latest))
        .collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.record.name.seq));
    Ok(runs)
}

/// Those that are not dated in the future.
fn counted<'r, 'a>(runs: &'r [Run<'a>]) -> impl Iterator<Item = &'r Run<'a>> {
    runs.iter().filter(|run| !run.future)
}

fn newest<'a>(runs: &[Run<'a>], end: End) -> Option<&'a SnapshotName> {
    let mut ended = counted(runs).filter(|run| run.record.end == end);
    ended.next().map(|run| &run.record.name)
}

fn complete_ones(rules: &Checked, runs: &mut [Run<'_>]) {
    let complete = |run: &&mut Run<'_>| !run.future && run.record.end == End::Complete;
    let complete: Vec<_> = runs.iter_mut().filter(complete).collect();
    let dates: Vec<_> = complete.iter().map(|run| run.record.created).collect();
    let candidates = follow(rules, &dates);
    for (n, (run, candidate)) in complete.into_iter().zip(candidates).enumerate() {
        run.out_of_order = !candidate.in_order;
        run.reasons.extend(candidate.wanted);
        if n < rules.min_keep {
            run.reasons.push(KeepReason::MinKeep);
        }
    }
}

/// Partial ones are worth something only while nothing newer is complete.
fn partial_ones(rules: &Checked, runs: &mut [Run<'_>]) {
    let better = newest(runs, End::Complete).map(|name| name.seq);
    let only = |run: &&mut Run<'_>| {
        let newer = Some(run.record.name.seq) > better;
        !run.future && run.record.end == End::Partial && newer
    };
    for run in runs.iter_mut().filter(only).take(rules.min_keep) {
        run.reasons.push(KeepReason::NothingBetter);
    }
}

/// The newest proven one stays: a complete one if there is any.
fn proven_ones(runs: &mut [Run<'_>]) {
    for end in [End::Complete, End::Partial] {
        let proven = |run: &&mut Run<'_>| !run.future && run.record.proven && run.record.end == end;
        if let Some(run) = runs.iter_mut().find(proven) {
            run.reasons.push(KeepReason::Proven);
            return;
        }
    }
}

/// Runs without a snapshot are history as long as what the rules keep is older than they are,
/// and the newest runs always are. What is kept only because it is held or proven does not hold
/// up their records.
fn failed_ones(runs: &mut [Run<'_>]) {
    let oldest: Option<Seq> = counted(runs)
        .filter(|run| run.record.end == End::Complete && run.is_needed())
        .map(|run| run.record.name.seq)
        .min();
    for run in runs.iter_mut().filter(|run| !run.future) {
        let history = oldest.is_none_or(|oldest| run.record.name.seq > oldest);
        if history && matches!(run.record.end, End::Aborted | End::Fenced) {
            run.reasons.push(KeepReason::History);
        }
    }
}

fn notes(runs: &[Run<'_>]) -> Vec<RetentionNote> {
    let count = |which: fn(&Run<'_>) -> bool| {
        let count = runs.iter().filter(|run| which(run)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    };
    let mut notes = Vec::new();
    let complete = newest(runs, End::Complete);
    let partial = newest(runs, End::Partial).map(|name| name.seq);
    if partial > complete.map(|name| name.seq) {
        let newest_complete = complete.cloned();
        notes.push(RetentionNote::OnlyPartial { newest_complete });
    }
    let (future, out_of_order) = (count(|run| run.future), count(|run| run.out_of_order));
    if future > 0 {
        notes.push(RetentionNote::Future { runs: future });
    }
    if out_of_order > 0 {
        let snapshots = out_of_order;
        notes.push(RetentionNote::OutOfOrder { snapshots });
    }
    notes
}

impl<'a> Run<'a> {
    fn new(record: &'a Record, latest: Timestamp) -> Self {
        let future = record.created > latest;
        let mut reasons = Vec::new();
        let alone = [
            (record.held, KeepReason::Held),
            (record.end == End::Open, KeepReason::Open),
            (future, KeepReason::Future),
        ];
        reasons.extend(alone.into_iter().filter_map(|(is, why)| is.then_some(why)));
        Self {
            record,
            future,
            out_of_order: false,
            reasons,
        }
    }

    /// Whether the policy itself wants it.
    fn is_needed(&self) -> bool {
        let needed =
            |why: &KeepReason| matches!(why, KeepReason::Rule { .. } | KeepReason::MinKeep);
        self.reasons.iter().any(needed)
    }

    fn verdict(
        self,
        newest_complete: Option<&SnapshotName>,
        paused: Option<&PauseReason>,
    ) -> RetentionVerdict {
        let reasons = match (self.reasons.is_empty(), paused) {
            (false, _) => self.reasons.clone(),
            (true, None) => Vec::new(),
            (true, Some(_)) => vec![KeepReason::Paused {
                otherwise: self.why_go(newest_complete),
            }],
        };
        let decision = if reasons.is_empty() {
            let reason = self.why_go(newest_complete);
            RetentionDecision::Go { reason }
        } else {
            RetentionDecision::Keep { reasons }
        };
        RetentionVerdict {
            snapshot: self.record.name.clone(),
            created: self.record.created,
            end: self.record.end,
            stored_bytes: self.record.stored_bytes,
            out_of_order: self.out_of_order,
            decision,
        }
    }

    fn why_go(&self, newest_complete: Option<&SnapshotName>) -> GoReason {
        let better = newest_complete.filter(|better| better.seq > self.record.name.seq);
        match (self.record.end, better) {
            (End::Aborted | End::Fenced, _) => GoReason::FailedRun,
            (End::Partial, Some(by)) => GoReason::Completed { by: by.clone() },
            (End::Partial, None) => GoReason::NewerPartial,
            (_, _) => GoReason::NoRule,
        }
    }
}
