//! What an end means: to the ledger, and to the schedule.

use backup_model::{
    BackupReport, Class, Failure, ForgetReport, PruneReport, RestoreReport, RunBytes, RunOutcome,
};

use crate::{ledger::Ending, schedule::Ended};

/// Of a backup.
pub(super) fn of_backup(report: &BackupReport) -> Ending {
    let whole = report.complete && report.warnings.is_empty();
    Ending {
        bytes: Some(RunBytes {
            read_bytes: report.read_bytes,
            new_bytes: report.new_bytes,
            stored_bytes: report.added_bytes,
            total_bytes: None,
        }),
        snapshot: Some(report.snapshot.clone()),
        ..Ending::new(outcome(whole))
    }
}

/// Of a restore.
pub(super) fn of_restore(report: &RestoreReport) -> Ending {
    Ending::new(outcome(report.warnings.is_empty()))
}

/// Of forgetting: what is forgotten is, also where a record could not be deleted.
pub(super) fn of_forget(report: &ForgetReport) -> Ending {
    Ending::new(outcome(report.left.is_empty()))
}

/// Of a prune, as far as it went.
pub(super) fn of_prune(_: &PruneReport) -> Ending {
    Ending::new(RunOutcome::Succeeded)
}

/// What is decided is not tried again: a snapshot that is damaged stays so, and what is not this
/// host's to do will not be in five minutes.
pub(super) fn decided(ending: Ending) -> (Ending, Ended) {
    let ended = if ending.outcome.is_success() {
        Ended::Succeeded
    } else {
        Ended::Stopped
    };
    (ending, ended)
}

/// Of whatever did not do what it should. While the daemon stops, nobody has cancelled anything,
/// and the next daemon tries again.
pub(super) fn of_failure(failure: &Failure, stopping: bool) -> (Ending, Ended) {
    let (outcome, ended) = match failure.code.class() {
        Class::Cancelled if stopping => (RunOutcome::Interrupted, Ended::Failed),
        Class::Cancelled => (RunOutcome::Cancelled, Ended::Stopped),
        _ => (RunOutcome::Failed, Ended::Failed),
    };
    let ending = Ending {
        failure: Some(failure.clone()),
        ..Ending::new(outcome)
    };
    (ending, ended)
}

const fn outcome(whole: bool) -> RunOutcome {
    if whole {
        RunOutcome::Succeeded
    } else {
        RunOutcome::Warnings
    }
}
