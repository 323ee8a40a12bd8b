//! The order of things around a backup.
//!
//! `finally` undoes what `before` did, so it runs whatever came in between, also when the run is
//! told to stop: then the backup has a short while to end, after which it is dropped, and all that
//! comes after it has another together, counted from its end. Where this process died, the next
//! one makes up for it.

use std::time::Duration;

use backup_model::{BackupReport, Class, Code, Event, Failure, Progress, RunOutcome};
use tokio::time;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{Hook, HookContext, Hooks, OnFailure};

/// How long things may take once a stop was asked for. Together they are well below what the
/// daemon waits for its runs.
#[derive(Clone, Copy, Debug)]
struct Graces {
    /// The backup, to say in the repository that it broke off. What it leaves open when it is
    /// dropped, the next run closes.
    backup: Duration,
    /// The hooks after it, to put things in order.
    hooks: Duration,
}

const GRACES: Graces = Graces {
    backup: Duration::from_secs(10),
    hooks: Duration::from_secs(10),
};

/// Runs a backup with the hooks of its job around it.
///
/// Before it, all in order: the first that fails and may not is the end, and there is no backup.
/// What else went wrong with hooks is added to the report's warnings, or told as progress where
/// there is no report.
pub async fn around(
    hooks: &Hooks,
    context: &HookContext,
    progress: &dyn Progress,
    cancel: &CancellationToken,
    backup: impl Future<Output = Result<BackupReport, Failure>>,
) -> Result<BackupReport, Failure> {
    let round = Round {
        context,
        progress,
        graces: GRACES,
        warnings: Vec::new(),
    };
    round.run_all(hooks, cancel, backup).await
}

/// Makes up for the end of a run whose process died. Says what went wrong; all of them run.
pub async fn make_up(
    hooks: &Hooks,
    context: &HookContext,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Vec<Failure> {
    let mut round = Round {
        context,
        progress,
        graces: GRACES,
        warnings: Vec::new(),
    };
    let outcome = RunOutcome::Interrupted;
    round.always(&hooks.finally, FINALLY, outcome, cancel).await;
    round.warnings
}

const BEFORE: &str = "a hook before the backup failed";
const AFTER: &str = "a hook after the backup failed";
const FAILED: &str = "a hook for failures failed";
const FINALLY: &str = "a hook at the end failed";

/// One run's hooks, and what is to be said of them.
struct Round<'a> {
    context: &'a HookContext,
    progress: &'a dyn Progress,
    graces: Graces,
    warnings: Vec<Failure>,
}

impl Round<'_> {
    async fn run_all(
        mut self,
        hooks: &Hooks,
        cancel: &CancellationToken,
        backup: impl Future<Output = Result<BackupReport, Failure>>,
    ) -> Result<BackupReport, Failure> {
        let backed_up = match self.before(&hooks.before, cancel).await {
            Ok(()) => ended(backup, cancel, self.graces.backup).await,
            Err(failure) => Err(failure),
        };
        // Counted from here: whatever the backup took to stop is not theirs.
        let (late, _late) = so_long_after(cancel, self.graces.hooks);
        let done = match backed_up {
            Ok(report) => {
                let outcome = self.outcome(&report);
                let after = self.after(&hooks.after, outcome, &late).await;
                let after = after.map_err(|failure| made(&report, failure));
                after.map(|()| report)
            }
            Err(failure) => Err(failure),
        };
        let outcome = match &done {
            Ok(report) => self.outcome(report),
            Err(failure) if failure.code.class() == Class::Cancelled => RunOutcome::Cancelled,
            Err(_) => RunOutcome::Failed,
        };
        if outcome == RunOutcome::Failed {
            self.always(&hooks.failed, FAILED, outcome, &late).await;
        }
        self.always(&hooks.finally, FINALLY, outcome, &late).await;
        self.end(done)
    }

    async fn before(&mut self, hooks: &[Hook], cancel: &CancellationToken) -> Result<(), Failure> {
        for hook in hooks {
            let ran = self.run(hook, RunOutcome::Running, cancel).await;
            // Whoever wants to stop wants no backup, either.
            if cancel.is_cancelled() {
                let text = "stopped before the backup began";
                return Err(Failure::new(Code::Interrupted, text));
            }
            self.weigh(hook, BEFORE, ran)?;
        }
        Ok(())
    }

    async fn after(
        &mut self,
        hooks: &[Hook],
        outcome: RunOutcome,
        late: &CancellationToken,
    ) -> Result<(), Failure> {
        for hook in hooks {
            let ran = self.run(hook, outcome, late).await;
            self.weigh(hook, AFTER, ran)?;
        }
        Ok(())
    }

    /// Every one of them, whatever it does: how the run has ended is known.
    async fn always(
        &mut self,
        hooks: &[Hook],
        what: &'static str,
        outcome: RunOutcome,
        late: &CancellationToken,
    ) {
        for hook in hooks {
            if let Err(failure) = self.run(hook, outcome, late).await {
                self.warnings.push(caused(what, failure));
            }
        }
    }

    async fn run(
        &self,
        hook: &Hook,
        outcome: RunOutcome,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        hook.run(self.context, outcome, self.progress, cancel).await
    }

    fn weigh(
        &mut self,
        hook: &Hook,
        what: &'static str,
        ran: Result<(), Failure>,
    ) -> Result<(), Failure> {
        let Err(failure) = ran else { return Ok(()) };
        let failure = caused(what, failure);
        match hook.on_failure {
            OnFailure::Fail => Err(failure),
            OnFailure::Warn => {
                self.warnings.push(failure);
                Ok(())
            }
        }
    }

    fn outcome(&self, report: &BackupReport) -> RunOutcome {
        if report.complete && report.warnings.is_empty() && self.warnings.is_empty() {
            RunOutcome::Succeeded
        } else {
            RunOutcome::Warnings
        }
    }

    fn end(self, done: Result<BackupReport, Failure>) -> Result<BackupReport, Failure> {
        let Ok(mut report) = done else {
            for warning in self.warnings {
                self.progress.event(Event::Warned(warning));
            }
            return done;
        };
        report.warnings.extend(self.warnings);
        Ok(report)
    }
}

/// What a hook's failure is called; its own words become the causes.
fn caused(what: &str, failure: Failure) -> Failure {
    let own = [failure.message].into_iter();
    Failure {
        causes: own.chain(failure.causes).collect(),
        ..Failure::new(Code::Hook, what)
    }
}

/// The run fails because of a hook, and there is a snapshot all the same.
fn made(report: &BackupReport, failure: Failure) -> Failure {
    let text = format!("{} is made, and {}", report.snapshot, failure.message);
    Failure {
        message: text,
        ..failure
    }
}

/// How a backup ends that is dropped if it takes longer than this once it was told to stop.
async fn ended(
    backup: impl Future<Output = Result<BackupReport, Failure>>,
    cancel: &CancellationToken,
    grace: Duration,
) -> Result<BackupReport, Failure> {
    let over = async {
        cancel.cancelled().await;
        time::sleep(grace).await;
    };
    tokio::select! {
        // A report that is there counts.
        biased;
        done = backup => done,
        () = over => {
            let text = format!("it did not end within {} s of being stopped", grace.as_secs());
            Err(Failure::new(Code::Interrupted, text))
        }
    }
}

/// A token that is cancelled so long after another one, for as long as the handle lives.
fn so_long_after(
    cancel: &CancellationToken,
    time: Duration,
) -> (CancellationToken, AbortOnDropHandle<()>) {
    let late = CancellationToken::new();
    let (cancel, ends) = (cancel.clone(), late.clone());
    let waits = tokio::spawn(async move {
        cancel.cancelled().await;
        time::sleep(time).await;
        ends.cancel();
    });
    (late, AbortOnDropHandle::new(waits))
}

#[cfg(test)]
mod tests;
