//! The rules.
//!
//! Each rule looks at its facts alone and gives a reason or none; the worst reason is the state.
//! Ages are compared to the instant: a limit that is exactly reached is not exceeded.

use backup_keys::kit::KitStanding;
use backup_model::{Protection, ProtectionReason as Reason, ProtectionState, RunOutcome};
use jiff::{SignedDuration, Timestamp};

use super::{Facts, LastRun};

/// Of the RPO so much may be used before somebody should look.
const RPO_NEAR_PERCENT: i128 = 80;

/// The storage should last for so long.
const STORAGE_LIMIT: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Two clocks may differ by so much.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_mins(5);

/// The RPO of a job that has none configured: twice the longest time between two due times, so
/// that a job is not at risk each time before it runs. A job without a schedule has none.
pub fn default_rpo(longest_gap: Option<SignedDuration>) -> Option<SignedDuration> {
    longest_gap.map(|gap| gap.saturating_mul(2))
}

/// How a job stands, and why.
pub fn judge(facts: Facts) -> Protection {
    let mut reasons: Vec<Reason> = [
        snapshot_age(&facts),
        last_run(&facts),
        partial(&facts),
        overdue(&facts),
        damage(&facts),
        unreadable(&facts),
        kit(&facts),
        storage(&facts),
        store(&facts),
    ]
    .into_iter()
    .flatten()
    .chain(verification(&facts))
    .collect();
    // Stable: among equals the order is that of the rules.
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.state()));
    let state = reasons
        .first()
        .map_or(ProtectionState::Protected, Reason::state);
    let now = facts.now;
    Protection {
        job: facts.job,
        state,
        reasons,
        was: None,
        paused: facts.pause.filter(|pause| pause.holds(now)),
        running: facts.running,
        last_good: facts.newest,
        rpo: facts.rpo,
    }
}

/// How old the newest good snapshot is: never less than nothing, since clocks differ a little.
fn age(facts: &Facts) -> Option<Age> {
    let newest = facts.newest.as_ref()?;
    let age = facts.now.duration_since(newest.created);
    if age < -CLOCK_SLACK {
        return Some(Age::Ahead(-age));
    }
    Some(Age::Known(age.max(SignedDuration::ZERO)))
}

enum Age {
    Known(SignedDuration),
    /// It is dated in the future: it may be of any age.
    Ahead(SignedDuration),
}

fn snapshot_age(facts: &Facts) -> Option<Reason> {
    let (age, limit) = match (age(facts), facts.rpo) {
        (None, _) => return no_snapshot(facts),
        (Some(Age::Ahead(ahead)), _) => return Some(Reason::ClockBehind { ahead }),
        (Some(Age::Known(_)), None) => return None,
        (Some(Age::Known(age)), Some(limit)) => (age, limit),
    };
    if age > limit {
        return Some(Reason::RpoExceeded { age, limit });
    }
    let near = age.as_nanos() * 100 > limit.as_nanos() * RPO_NEAR_PERCENT;
    near.then_some(Reason::RpoNear { age, limit })
}

fn no_snapshot(facts: &Facts) -> Option<Reason> {
    if facts.unreadable.is_some() {
        // Nobody can say whether there is one, and that is a reason of its own.
        return None;
    }
    if facts.unseen {
        return Some(Reason::NotLookedYet);
    }
    Some(match facts.last_run {
        None => Reason::NeverReported,
        Some(_) => Reason::NoSnapshot,
    })
}

/// Whether there is a good snapshot within the RPO. Without an RPO the last run is all there is
/// to judge by.
fn covered(facts: &Facts) -> bool {
    match (age(facts), facts.rpo) {
        (Some(Age::Known(age)), Some(limit)) => age <= limit,
        _ => false,
    }
}

fn last_run(facts: &Facts) -> Option<Reason> {
    let LastRun {
        run,
        outcome,
        warnings,
        failure,
    } = facts.last_run.clone()?;
    match outcome {
        RunOutcome::Failed | RunOutcome::Interrupted if covered(facts) => {
            Some(Reason::LastRunFailed {
                run,
                outcome,
                failure,
            })
        }
        // Whether an older one covers it shows when the repository was looked at.
        RunOutcome::Failed | RunOutcome::Interrupted if facts.unseen => None,
        RunOutcome::Failed | RunOutcome::Interrupted => Some(Reason::FailedUncovered {
            run,
            outcome,
            failure,
        }),
        // Somebody wanted that. The RPO goes on counting; where there is none, it is all that is
        // known of the job.
        RunOutcome::Cancelled if facts.rpo.is_none() => Some(Reason::LastRunFailed {
            run,
            outcome,
            failure,
        }),
        RunOutcome::Warnings => Some(Reason::LastRunWarned { run, warnings }),
        _ => None,
    }
}

fn partial(facts: &Facts) -> Option<Reason> {
    let newest = facts.newest.as_ref().filter(|newest| !newest.complete)?;
    Some(Reason::Partial {
        snapshot: newest.snapshot.clone(),
    })
}

/// A paused job does not run, as somebody wanted.
fn overdue(facts: &Facts) -> Option<Reason> {
    let paused = facts.pause.as_ref().is_some_and(|p| p.holds(facts.now));
    let due = facts.overdue.filter(|_| !paused)?;
    Some(Reason::Overdue {
        due,
        age: since(facts, due),
    })
}

fn damage(facts: &Facts) -> Option<Reason> {
    let snapshots = facts.damaged.clone();
    (!snapshots.is_empty()).then_some(Reason::Damaged { snapshots })
}

fn unreadable(facts: &Facts) -> Option<Reason> {
    let (failure, began) = facts.unreadable.clone()?;
    Some(Reason::RepositoryUnreadable {
        failure,
        age: since(facts, began),
    })
}

fn kit(facts: &Facts) -> Option<Reason> {
    match facts.kit.as_ref()? {
        KitStanding::Confirmed(_) => None,
        KitStanding::Unconfirmed => Some(Reason::KitNotConfirmed),
        KitStanding::Lapsed(lapse) => Some(Reason::KitLapsed {
            why: lapse.to_string(),
        }),
        KitStanding::Old(proved) => Some(Reason::KitOld {
            age: since(facts, *proved),
        }),
    }
}

fn storage(facts: &Facts) -> Option<Reason> {
    let full_in = facts.full_in.filter(|&full_in| full_in < STORAGE_LIMIT)?;
    Some(Reason::StorageFilling {
        full_in,
        limit: STORAGE_LIMIT,
    })
}

fn store(facts: &Facts) -> Option<Reason> {
    (facts.conditional == Some(false)).then_some(Reason::StoreUnconditional)
}

fn verification(facts: &Facts) -> impl Iterator<Item = Reason> {
    facts.verification.iter().filter_map(|fact| {
        let age = since(facts, fact.waits_since?);
        (age > fact.limit).then_some(Reason::VerificationOverdue {
            level: fact.level,
            age,
            limit: fact.limit,
        })
    })
}

fn since(facts: &Facts, time: Timestamp) -> SignedDuration {
    facts.now.duration_since(time).max(SignedDuration::ZERO)
}
