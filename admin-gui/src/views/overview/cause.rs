//! Why a job needs somebody: of its reasons the one that says most, since when, and what would
//! help.

use backup_model::{JobStatus, Level, ProtectionReason, RunId, RunOutcome};
use jiff::{SignedDuration, Timestamp};

/// A kit says nothing any more after so long.
const KIT_HOLDS: SignedDuration = SignedDuration::from_hours(365 * 24);

/// What helps first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// To run the job.
    BackUp,
    /// To verify what needs no key.
    Verify,
    /// To look at the house.
    Health,
    /// To look at the job.
    Job,
}

/// The reason to be told first: the worst, and among those as bad one that has a cause of its own.
pub(super) fn foremost(reasons: &[ProtectionReason]) -> Option<&ProtectionReason> {
    let worst = reasons.first()?;
    let as_bad = reasons
        .iter()
        .take_while(|one| one.state() == worst.state());
    Some(
        as_bad
            .into_iter()
            .find(|one| code(one).is_some())
            .unwrap_or(worst),
    )
}

/// The code of what lies behind a reason.
pub(super) fn code(reason: &ProtectionReason) -> Option<&'static str> {
    use ProtectionReason as R;
    match reason {
        R::FailedUncovered { failure, .. } | R::LastRunFailed { failure, .. } => {
            failure.as_ref().map(|failure| failure.code.as_str())
        }
        R::RepositoryUnreadable { failure, .. } => Some(failure.code.as_str()),
        _ => None,
    }
}

/// A reason as a sentence that begins with a capital. The code and the run are not in it: they
/// stand beside it.
pub(super) fn sentence(reason: &ProtectionReason) -> String {
    use ProtectionReason as R;
    let words = match reason {
        R::FailedUncovered {
            outcome: RunOutcome::Failed,
            failure: Some(failure),
            ..
        }
        | R::LastRunFailed {
            outcome: RunOutcome::Failed,
            failure: Some(failure),
            ..
        } => format!("the last run failed: {}", failure.in_full()),
        R::RepositoryUnreadable { failure, .. } => {
            format!("the repository cannot be read: {}", failure.in_full())
        }
        other => other.to_string(),
    };
    capital(&words)
}

/// With a capital at its beginning.
pub(super) fn capital(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// The run that a reason is about.
pub(super) const fn run(reason: &ProtectionReason) -> Option<RunId> {
    use ProtectionReason as R;
    match reason {
        R::FailedUncovered { run, .. }
        | R::LastRunFailed { run, .. }
        | R::LastRunWarned { run, .. } => Some(*run),
        _ => None,
    }
}

/// Since when a reason holds, as far as that can be told.
pub(super) fn since(
    reason: &ProtectionReason,
    job: &JobStatus,
    now: Timestamp,
) -> Option<Timestamp> {
    use ProtectionReason as R;
    let good = job.protection.last_good.as_ref().map(|good| good.created);
    let after_good = |share: SignedDuration| good?.checked_add(share).ok();
    let ago = |age: SignedDuration| now.checked_sub(age).ok();
    let ended = |run: RunId| {
        let last = job.last_run.as_ref().filter(|last| last.run == run)?;
        Some(last.ended.unwrap_or(last.begun))
    };
    match reason {
        R::RpoExceeded { limit, .. } => after_good(*limit),
        R::RpoNear { limit, .. } => after_good(*limit * 4 / 5),
        R::FailedUncovered { run, .. } => {
            let uncovered = job.protection.rpo.and_then(after_good);
            uncovered.or_else(|| ended(*run))
        }
        R::LastRunFailed { run, .. } | R::LastRunWarned { run, .. } => ended(*run),
        R::RepositoryUnreadable { age, .. } => ago(*age),
        R::VerificationOverdue { age, limit, .. } => ago(*age - *limit),
        R::Overdue { due, .. } => Some(*due),
        R::KitOld { age } => ago(*age - KIT_HOLDS),
        R::Partial { .. } => good,
        _ => None,
    }
    // By a clock that goes wrong it may not have begun.
    .filter(|since| *since <= now)
}

/// What helps first against a reason.
pub(super) const fn remedy(reason: &ProtectionReason) -> Remedy {
    use ProtectionReason as R;
    match reason {
        R::RpoExceeded { .. }
        | R::RpoNear { .. }
        | R::NoSnapshot
        | R::FailedUncovered { .. }
        | R::LastRunFailed { .. }
        | R::NeverReported
        | R::Overdue { .. }
        | R::Partial { .. } => Remedy::BackUp,
        R::VerificationOverdue {
            level: Level::Storage,
            ..
        } => Remedy::Verify,
        R::RepositoryUnreadable { .. }
        | R::NotLookedYet
        | R::DaemonUnreachable
        | R::ClockBehind { .. }
        | R::KitNotConfirmed
        | R::KitLapsed { .. }
        | R::KitOld { .. }
        | R::StorageFilling { .. }
        | R::StoreUnconditional => Remedy::Health,
        _ => Remedy::Job,
    }
}

/// What helps and is done in a terminal, since it needs a key or a person.
pub(super) fn terminal(reason: &ProtectionReason, job: &JobStatus) -> Option<String> {
    use ProtectionReason as R;
    let job = &job.protection.job;
    Some(match reason {
        R::VerificationOverdue {
            level: Level::Data, ..
        } => format!("backupctl verify {job} --level data --identity FILE"),
        R::KitNotConfirmed => "backupctl kit create --identity FILE --out KIT".to_owned(),
        R::KitLapsed { .. } | R::KitOld { .. } => "backupctl kit confirm KIT".to_owned(),
        R::StorageFilling { .. } => "backupctl prune plan".to_owned(),
        R::StoreUnconditional => "backupctl repo probe".to_owned(),
        R::RepositoryUnreadable { .. } => "backupctl repo check".to_owned(),
        _ => return None,
    })
}
