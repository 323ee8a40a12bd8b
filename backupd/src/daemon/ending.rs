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

/// Of whatever did not do what it should. While the daemon stops, nobody has cancelled anything.
pub(super) fn of_failure(failure: &Failure, stopping: bool) -> Ending {
    let outcome = match failure.code.class() {
        Class::Cancelled if stopping => RunOutcome::Interrupted,
        Class::Cancelled => RunOutcome::Cancelled,
        _ => RunOutcome::Failed,
    };
    Ending {
        failure: Some(failure.clone()),
        ..Ending::new(outcome)
    }
}

/// What the schedule does about it. What the daemon's end cut short, the next daemon tries again.
pub(super) const fn to_schedule(outcome: RunOutcome) -> Ended {
    match outcome {
        RunOutcome::Succeeded | RunOutcome::Warnings => Ended::Succeeded,
        RunOutcome::Failed | RunOutcome::Interrupted => Ended::Failed,
        _ => Ended::Stopped,
    }
}

const fn outcome(whole: bool) -> RunOutcome {
    if whole {
        RunOutcome::Succeeded
    } else {
        RunOutcome::Warnings
    }
}
