//! Which due times were kept, and which were missed: computed from due times and runs, so that it
//! is right however the daemon ended, and for a ledger that was off as much as for one that was on.

use std::collections::BTreeMap;

use backup_model::{RunId, RunOutcome};
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

/// What became of a due time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// A run for it is under way.
    Running(RunId),
    /// A run for it did what it should.
    Done(RunId),
    /// There were runs for it, and the last one did not do what it should.
    NotDone(RunId, RunOutcome),
    /// It was left out on purpose.
    Skipped,
    /// There was no run for it, but one that began later did what it should: a catch-up, or one
    /// by hand.
    MadeUp(RunId),
    /// It is so fresh that its run may still come.
    Waiting,
    /// It is the latest one, nothing was done about it, and nothing has made up for it yet.
    Overdue,
    /// It passed, a later one came, and nothing made up for it yet.
    Missed,
}

/// A due time with what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accounted {
    /// The due time.
    pub due: Timestamp,
    /// What became of it.
    pub kept: Kept,
}

/// What became of each due time up to now, in their order. `dues` must be sorted. A run may begin
/// later than it is due by `slack`: its jitter, and what a start takes.
pub fn account(
    dues: &[Timestamp],
    runs: &[DueRun],
    now: Timestamp,
    slack: SignedDuration,
) -> Vec<Accounted> {
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
                RunOutcome::Skipped => return Kept::Skipped,
                // Somebody wrote down that it was missed; it may have been made up for since.
                RunOutcome::Missed => {}
                RunOutcome::Running => return Kept::Running(last.run),
                outcome if outcome.is_success() => return Kept::Done(last.run),
                outcome => return Kept::NotDone(last.run, outcome),
            }
        }
        let later = successes.partition_point(|run| run.begun < due);
        match successes.get(later) {
            Some(made_up) => Kept::MadeUp(made_up.run),
            None if Some(due) != latest => Kept::Missed,
            None if now.duration_since(due) <= slack => Kept::Waiting,
            None => Kept::Overdue,
        }
    };
    dues[..past]
        .iter()
        .map(|&due| Accounted {
            due,
            kept: kept(due),
        })
        .collect()
}

/// Of several runs for one due time a success decides, else the latest.
fn order(run: &DueRun) -> (bool, Timestamp, RunId) {
    (run.outcome.is_success(), run.begun, run.run)
}

/// Since when something should have run that has not: the first due time that nothing was done
/// about, unless something is under way for a later one.
pub fn overdue_since(accounted: &[Accounted]) -> Option<Timestamp> {
    let open = |kept| matches!(kept, Kept::Missed | Kept::Overdue);
    let last = accounted.last()?;
    // A fresh one may still come and make up for the others; and if it is running, it will.
    let last = if matches!(last.kept, Kept::Waiting) {
        accounted.iter().rev().nth(1)?
    } else {
        last
    };
    if !open(last.kept) {
        return None;
    }
    let streak = accounted
        .iter()
        .rev()
        .skip_while(|one| matches!(one.kept, Kept::Waiting))
        .take_while(|one| open(one.kept));
    streak.last().map(|one| one.due)
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

    fn kept(dues: &[i64], runs: &[DueRun], now: i64) -> Vec<Kept> {
        let dues: Vec<_> = dues.iter().copied().map(at).collect();
        let accounted = account(&dues, runs, at(now), SignedDuration::from_hours(1));
        accounted.into_iter().map(|one| one.kept).collect()
    }

    #[test]
    fn what_ran_was_kept_and_what_is_to_come_is_not_asked() {
        let runs = [
            run(Some(10), 10, RunOutcome::Succeeded),
            run(Some(20), 20, RunOutcome::Running),
        ];
        assert_eq!(
            kept(&[10, 20, 30], &runs, 29),
            [Kept::Done(id(10)), Kept::Running(id(20))]
        );
        assert_eq!(kept(&[], &runs, 29), []);
        assert_eq!(kept(&[30], &runs, 29), []);
    }

    #[test]
    fn a_failure_is_no_miss_and_a_retry_mends_it() {
        let failed = run(Some(10), 10, RunOutcome::Failed);
        assert_eq!(
            kept(&[10], &[failed], 15),
            [Kept::NotDone(id(10), RunOutcome::Failed)]
        );
        let retry = run(Some(10), 11, RunOutcome::Succeeded);
        assert_eq!(kept(&[10], &[retry, failed], 15), [Kept::Done(id(11))]);
        let again = run(Some(10), 12, RunOutcome::Interrupted);
        assert_eq!(
            kept(&[10], &[again, failed], 15),
            [Kept::NotDone(id(12), RunOutcome::Interrupted)]
        );
        // Whatever comes after a success for the same time takes nothing from it.
        assert_eq!(
            kept(&[10], &[again, retry, failed], 15),
            [Kept::Done(id(11))]
        );
    }

    #[test]
    fn an_outage_is_missed_until_one_run_makes_up_for_all_of_it() {
        let before = run(Some(10), 10, RunOutcome::Succeeded);
        assert_eq!(
            kept(&[10, 20, 30, 40], &[before], 45),
            [
                Kept::Done(id(10)),
                Kept::Missed,
                Kept::Missed,
                Kept::Overdue
            ]
        );
        let catch_up = run(Some(40), 46, RunOutcome::Warnings);
        assert_eq!(
            kept(&[10, 20, 30, 40], &[before, catch_up], 47),
            [
                Kept::Done(id(10)),
                Kept::MadeUp(id(46)),
                Kept::MadeUp(id(46)),
                Kept::Done(id(46))
            ]
        );
        // One by hand, too; but not one that failed, or that began before.
        let hand = run(None, 46, RunOutcome::Succeeded);
        let early = run(None, 39, RunOutcome::Succeeded);
        let failed = run(None, 46, RunOutcome::Failed);
        assert_eq!(kept(&[40], &[hand], 47), [Kept::MadeUp(id(46))]);
        assert_eq!(kept(&[40], &[early, failed], 47), [Kept::Overdue]);
    }

    #[test]
    fn slack_is_counted_to_the_instant() {
        let dues = [at(10)];
        let slack = SignedDuration::from_hours(1);
        let just = account(&dues, &[], at(11), slack);
        assert_eq!(just[0].kept, Kept::Waiting);
        let over = at(11).checked_add(SignedDuration::from_secs(1)).unwrap();
        assert_eq!(account(&dues, &[], over, slack)[0].kept, Kept::Overdue);
        // Due this very moment.
        assert_eq!(account(&dues, &[], at(10), slack)[0].kept, Kept::Waiting);
    }

    #[test]
    fn records_of_skipping_and_missing() {
        let skipped = run(Some(10), 10, RunOutcome::Skipped);
        let missed = run(Some(20), 20, RunOutcome::Missed);
        assert_eq!(
            kept(&[10, 20, 30], &[skipped, missed], 30),
            [Kept::Skipped, Kept::Missed, Kept::Waiting]
        );
        let hand = run(None, 25, RunOutcome::Succeeded);
        assert_eq!(
            kept(&[10, 20], &[skipped, missed, hand], 30),
            [Kept::Skipped, Kept::MadeUp(id(25))]
        );
    }

    #[test]
    fn overdue_counts_from_the_first_of_a_streak() {
        let overdue = |dues: &[i64], runs: &[DueRun], now| {
            let dues: Vec<_> = dues.iter().copied().map(at).collect();
            overdue_since(&account(
                &dues,
                runs,
                at(now),
                SignedDuration::from_hours(1),
            ))
        };
        let done = run(Some(10), 10, RunOutcome::Succeeded);
        assert_eq!(overdue(&[10, 20, 30], &[done], 35), Some(at(20)));
        // A fresh due time ends no streak.
        assert_eq!(overdue(&[10, 20, 30], &[done], 30), Some(at(20)));
        // One that is under way does.
        let running = run(Some(30), 30, RunOutcome::Running);
        assert_eq!(overdue(&[10, 20, 30], &[done, running], 35), None);
        // The first due time of a new job is waited for.
        assert_eq!(overdue(&[30], &[], 30), None);
        assert_eq!(overdue(&[], &[], 30), None);
        assert_eq!(overdue(&[10, 20], &[done], 20), None);
    }
}
