//! Which due times were kept, and which were missed: computed from due times and runs, so that it
//! is right however the daemon ended, and for a ledger that was off as much as for one that was on.

use std::collections::BTreeMap;

use backup_model::{DueKept, DueTime, RunId, RunOutcome};
use jiff::{SignedDuration, Timestamp};

/// A run as far as it matters for due times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueRun {
    /// Which.
    pub run: RunId,
    /// The due time that it is for; none of a run by hand, or one that was found.
    pub due: Option<Timestamp>,
    /// When it began.
    pub begun: Timestamp,
    /// How it ended.
    pub outcome: RunOutcome,
}

/// What became of each due time up to now, in their order. `dues` must be sorted. A run may begin
/// later than it is due by `slack`: its jitter, and what a start takes.
pub fn account(
    dues: &[Timestamp],
    runs: &[DueRun],
    now: Timestamp,
    slack: SignedDuration,
) -> Vec<DueTime> {
    let past = dues.partition_point(|&due| due <= now);
    let latest = dues[..past].last().copied();
    let mut own: BTreeMap<Timestamp, &DueRun> = BTreeMap::new();
    for run in runs {
        if let Some(due) = run.due {
            let decides = own.entry(due).or_insert(run);
            if order(run) > order(decides) {
                *decides = run;
            }
        }
    }
    let mut successes: Vec<&DueRun> = runs.iter().filter(|r| r.outcome.is_success()).collect();
    successes.sort_unstable_by_key(|run| (run.begun, run.run));

    let kept = |due: Timestamp| {
        if let Some(last) = own.get(&due) {
            match last.outcome {
                RunOutcome::Skipped => return (DueKept::Skipped, None),
                // Somebody wrote down that it was missed; it may have been made up for since.
                RunOutcome::Missed => {}
                RunOutcome::Running => return (DueKept::Running, Some(last.run)),
                outcome if outcome.is_success() => return (DueKept::Done, Some(last.run)),
                _ => return (DueKept::Failed, Some(last.run)),
            }
        }
        let later = successes.partition_point(|run| run.begun < due);
        match successes.get(later) {
            Some(made_up) => (DueKept::MadeUp, Some(made_up.run)),
            None if Some(due) != latest => (DueKept::Missed, None),
            None if now.duration_since(due) <= slack => (DueKept::Waiting, None),
            None => (DueKept::Overdue, None),
        }
    };
    let accounted = dues[..past].iter().map(|&due| {
        let (kept, run) = kept(due);
        DueTime { due, kept, run }
    });
    accounted.collect()
}

/// Of several runs for one due time a success decides, else the latest.
fn order(run: &DueRun) -> (bool, Timestamp, RunId) {
    (run.outcome.is_success(), run.begun, run.run)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3_600).unwrap()
    }

    fn run(due: Option<i64>, begun: i64, outcome: RunOutcome) -> DueRun {
        let begun_at = at(begun);
        DueRun {
            run: RunId::new(begun_at, [u8::try_from(begun).unwrap(); 10]),
            due: due.map(at),
            begun: begun_at,
            outcome,
        }
    }

    fn id(begun: i64) -> RunId {
        run(None, begun, RunOutcome::Running).run
    }

    fn kept(dues: &[i64], runs: &[DueRun], now: i64) -> Vec<(DueKept, Option<RunId>)> {
        let dues: Vec<_> = dues.iter().copied().map(at).collect();
        let accounted = account(&dues, runs, at(now), SignedDuration::from_hours(1));
        accounted
            .into_iter()
            .map(|one| (one.kept, one.run))
            .collect()
    }

    #[test]
    fn what_ran_was_kept_and_what_is_to_come_is_not_asked() {
        let runs = [
            run(Some(10), 10, RunOutcome::Succeeded),
            run(Some(20), 20, RunOutcome::Running),
        ];
        assert_eq!(
            kept(&[10, 20, 30], &runs, 29),
            [
                (DueKept::Done, Some(id(10))),
                (DueKept::Running, Some(id(20)))
            ]
        );
        assert_eq!(kept(&[], &runs, 29), []);
        assert_eq!(kept(&[30], &runs, 29), []);
    }

    #[test]
    fn a_failure_is_no_miss_and_a_retry_mends_it() {
        let failed = run(Some(10), 10, RunOutcome::Failed);
        assert_eq!(
            kept(&[10], &[failed], 15),
            [(DueKept::Failed, Some(id(10)))]
        );
        let retry = run(Some(10), 11, RunOutcome::Succeeded);
        assert_eq!(
            kept(&[10], &[retry, failed], 15),
            [(DueKept::Done, Some(id(11)))]
        );
        let again = run(Some(10), 12, RunOutcome::Interrupted);
        assert_eq!(
            kept(&[10], &[again, failed], 15),
            [(DueKept::Failed, Some(id(12)))]
        );
        // Whatever comes after a success for the same time takes nothing from it.
        assert_eq!(
            kept(&[10], &[again, retry, failed], 15),
            [(DueKept::Done, Some(id(11)))]
        );
    }

    #[test]
    fn an_outage_is_missed_until_one_run_makes_up_for_all_of_it() {
        let before = run(Some(10), 10, RunOutcome::Succeeded);
        assert_eq!(
            kept(&[10, 20, 30, 40], &[before], 45),
            [
                (DueKept::Done, Some(id(10))),
                (DueKept::Missed, None),
                (DueKept::Missed, None),
                (DueKept::Overdue, None)
            ]
        );
        let catch_up = run(Some(40), 46, RunOutcome::Warnings);
        assert_eq!(
            kept(&[10, 20, 30, 40], &[before, catch_up], 47),
            [
                (DueKept::Done, Some(id(10))),
                (DueKept::MadeUp, Some(id(46))),
                (DueKept::MadeUp, Some(id(46))),
                (DueKept::Done, Some(id(46)))
            ]
        );
        // One by hand, too; but not one that failed, or that began before.
        let hand = run(None, 46, RunOutcome::Succeeded);
        let early = run(None, 39, RunOutcome::Succeeded);
        let failed = run(None, 46, RunOutcome::Failed);
        assert_eq!(kept(&[40], &[hand], 47), [(DueKept::MadeUp, Some(id(46)))]);
        assert_eq!(
            kept(&[40], &[early, failed], 47),
            [(DueKept::Overdue, None)]
        );
    }

    #[test]
    fn slack_is_counted_to_the_instant() {
        let dues = [at(10)];
        let slack = SignedDuration::from_hours(1);
        let just = account(&dues, &[], at(11), slack);
        assert_eq!(just[0].kept, DueKept::Waiting);
        let over = at(11).checked_add(SignedDuration::from_secs(1)).unwrap();
        assert_eq!(account(&dues, &[], over, slack)[0].kept, DueKept::Overdue);
        // Due this very moment.
        assert_eq!(account(&dues, &[], at(10), slack)[0].kept, DueKept::Waiting);
    }

    #[test]
    fn records_of_skipping_and_missing() {
        let skipped = run(Some(10), 10, RunOutcome::Skipped);
        let missed = run(Some(20), 20, RunOutcome::Missed);
        assert_eq!(
            kept(&[10, 20, 30], &[skipped, missed], 30),
            [
                (DueKept::Skipped, None),
                (DueKept::Missed, None),
                (DueKept::Waiting, None)
            ]
        );
        let hand = run(None, 25, RunOutcome::Succeeded);
        assert_eq!(
            kept(&[10, 20], &[skipped, missed, hand], 30),
            [(DueKept::Skipped, None), (DueKept::MadeUp, Some(id(25)))]
        );
    }
}
