//! The plan: each run of a job, whether it stays, and why.

use std::collections::{BTreeMap, BTreeSet};

use backup_model::{
    End, GoReason, KeepReason, RetentionDecision, RetentionNote, RetentionPlan, RetentionPolicy,
    RetentionVerdict, Seq, SnapshotName,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{
    Record, RetentionError, check::check, order::out_of_order, pause::pause, rules::wanted,
};

/// Clocks of two machines may differ by so much; what is dated later is dated in the future.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(600);

/// Says what of a job stays and what goes. `records` are all its runs, in any order.
pub fn plan(
    policy: &RetentionPolicy,
    records: &[Record],
    now: Timestamp,
) -> Result<RetentionPlan, RetentionError> {
    let zone = check(policy)?;
    let mut newest_first: Vec<&Record> = records.iter().collect();
    newest_first.sort_by_key(|record| std::cmp::Reverse(record.name.seq));
    let job = Job::new(policy, &zone, newest_first, now);
    let paused = pause(&job.counting());
    let decisions = job.decide();
    let verdicts = job.runs.iter().zip(decisions).map(|(record, decision)| {
        let decision = match (decision, &paused) {
            (RetentionDecision::Go { reason }, Some(_)) => RetentionDecision::Keep {
                reasons: vec![KeepReason::Paused { otherwise: reason }],
            },
            (decision, _) => decision,
        };
        RetentionVerdict {
            snapshot: record.name.clone(),
            created: record.created,
            end: record.end,
            stored_bytes: record.stored_bytes,
            out_of_order: job.odd.contains(&record.name.seq),
            decision,
        }
    });
    Ok(RetentionPlan {
        now,
        policy: policy.clone(),
        verdicts: verdicts.collect(),
        notes: job.notes(),
        paused,
    })
}

/// A job's runs, the newest first, and what is known of them.
struct Job<'a> {
    policy: &'a RetentionPolicy,
    runs: Vec<&'a Record>,
    now: Timestamp,
    /// Complete snapshots that count, and why the rules want each.
    wanted: BTreeMap<Seq, Vec<KeepReason>>,
    /// Those of them whose dates contradict the order.
    odd: BTreeSet<Seq>,
}

impl<'a> Job<'a> {
    fn new(
        policy: &'a RetentionPolicy,
        zone: &TimeZone,
        runs: Vec<&'a Record>,
        now: Timestamp,
    ) -> Self {
        let mut job = Self {
            policy,
            runs,
            now,
            wanted: BTreeMap::new(),
            odd: BTreeSet::new(),
        };
        let complete: Vec<&Record> = job.complete().collect();
        let oldest_first: Vec<Timestamp> = complete.iter().rev().map(|run| run.created).collect();
        let mut odd = out_of_order(&oldest_first);
        odd.reverse();
        // Those that are dated wrongly are counted among themselves.
        for apart in [false, true] {
            let group = complete.iter().zip(&odd);
            let group: Vec<&Record> = group
                .filter(|(_, odd)| **odd == apart)
                .map(|(run, _)| *run)
                .collect();
            let dates: Vec<Timestamp> = group.iter().map(|run| run.created).collect();
            for (run, reasons) in group.iter().zip(wanted(policy, zone, &dates)) {
                job.wanted.insert(run.name.seq, reasons);
                if apart {
                    job.odd.insert(run.name.seq);
                }
            }
        }
        let newest = complete
            .iter()
            .take(usize::try_from(policy.min_keep).unwrap_or(usize::MAX));
        for run in newest {
            let reasons = job.wanted.entry(run.name.seq).or_default();
            reasons.push(KeepReason::MinKeep);
        }
        job
    }

    fn is_future(&self, run: &Record) -> bool {
        run.created.duration_since(self.now) > TOLERANCE
    }

    /// The runs that count.
    fn counting(&self) -> Vec<&'a Record> {
        let runs = self.runs.iter().copied();
        runs.filter(|run| !self.is_future(run)).collect()
    }

    fn complete(&self) -> impl Iterator<Item = &'a Record> {
        let runs = self.runs.iter().copied();
        runs.filter(|run| run.end == End::Complete && !self.is_future(run))
    }

    fn partial(&self) -> impl Iterator<Item = &'a Record> {
        let runs = self.runs.iter().copied();
        runs.filter(|run| run.end == End::Partial && !self.is_future(run))
    }

    fn newest_complete(&self) -> Option<&'a SnapshotName> {
        self.complete().next().map(|run| &run.name)
    }

    /// One decision a run: snapshots first, since failed runs go when all snapshots that stay are
    /// newer.
    fn decide(&self) -> Vec<RetentionDecision> {
        let proven = self
            .runs
            .iter()
            .find(|run| run.proven)
            .map(|run| run.name.seq);
        let mut decisions: Vec<Option<RetentionDecision>> = Vec::new();
        for run in &self.runs {
            let mut reasons = Vec::new();
            if run.held {
                reasons.push(KeepReason::Held);
            }
            if Some(run.name.seq) == proven {
                reasons.push(KeepReason::Proven);
            }
            let decision = match run.end {
                _ if self.is_future(run) => keep(reasons, KeepReason::Future),
                End::Complete => {
                    let wanted = self.wanted.get(&run.name.seq).into_iter().flatten();
                    reasons.extend(wanted.cloned());
                    keep_or_go(reasons, GoReason::NoRule)
                }
                End::Partial => self.partial_one(run, reasons),
                End::Open => keep(reasons, KeepReason::Open),
                _ => {
                    decisions.push(None);
                    continue;
                }
            };
            decisions.push(Some(decision));
        }
        let oldest_kept = self
            .runs
            .iter()
            .zip(&decisions)
            .filter_map(|(run, decision)| {
                matches!(decision, Some(RetentionDecision::Keep { .. })).then_some(run.name.seq)
            });
        let oldest_kept = oldest_kept.min();
        let failed = |run: &Record| {
            if oldest_kept.is_some_and(|oldest| run.name.seq < oldest) {
                return RetentionDecision::Go {
                    reason: GoReason::FailedRun,
                };
            }
            keep(Vec::new(), KeepReason::History)
        };
        let runs = self.runs.iter().zip(decisions);
        runs.map(|(run, decision)| decision.unwrap_or_else(|| failed(run)))
            .collect()
    }

    /// A partial snapshot goes when a newer one is complete; else the newest few stay.
    fn partial_one(&self, run: &Record, reasons: Vec<KeepReason>) -> RetentionDecision {
        if let Some(by) = self.newest_complete().filter(|by| by.seq > run.name.seq) {
            return keep_or_go(reasons, GoReason::Completed { by: by.clone() });
        }
        let mut newer = self.partial();
        let newer = newer.by_ref().take_while(|one| one.name.seq > run.name.seq);
        if newer.count() >= usize::try_from(self.policy.min_keep).unwrap_or(usize::MAX) {
            return keep_or_go(reasons, GoReason::NewerPartial);
        }
        keep(reasons, KeepReason::NothingBetter)
    }

    fn notes(&self) -> Vec<RetentionNote> {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let mut notes = Vec::new();
        let newest = self.newest_complete();
        let partial = self.partial().next();
        if partial.is_some_and(|partial| newest.is_none_or(|by| by.seq < partial.name.seq)) {
            notes.push(RetentionNote::OnlyPartial {
                newest_complete: newest.cloned(),
            });
        }
        let future = self.runs.iter().filter(|run| self.is_future(run)).count();
        if future > 0 {
            notes.push(RetentionNote::Future {
                runs: count(future),
            });
        }
        if !self.odd.is_empty() {
            notes.push(RetentionNote::OutOfOrder {
                snapshots: count(self.odd.len()),
            });
        }
        notes
    }
}

fn keep(mut reasons: Vec<KeepReason>, also: KeepReason) -> RetentionDecision {
    reasons.push(also);
    RetentionDecision::Keep { reasons }
}

fn keep_or_go(reasons: Vec<KeepReason>, reason: GoReason) -> RetentionDecision {
    if reasons.is_empty() {
        return RetentionDecision::Go { reason };
    }
    RetentionDecision::Keep { reasons }
}
