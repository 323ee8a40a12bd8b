//! The order of things around a backup.
//!
//! `finally` undoes what `before` did, so it runs whatever came in between, also when the run is
//! told to stop: then everything after the backup has a short while together, and no more. Only a
//! death of this process leaves it out.

use std::time::Duration;

use backup_model::{BackupReport, Class, Code, Event, Failure, Progress, RunOutcome};
use tokio::time;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{Hook, HookContext, Hooks, OnFailure};

/// After a stop was asked for, hooks have so long to put things in order.
const GRACE: Duration = Duration::from_secs(10);

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
    let (late, _late) = so_long_after(cancel, GRACE);
    let round = Round {
        context,
        progress,
        warnings: Vec::new(),
    };
    round.run_all(hooks, cancel, &late, backup).await
}

const BEFORE: &str = "a hook before the backup failed";
const AFTER: &str = "a hook after the backup failed";
const FAILED: &str = "a hook for failures failed";
const FINALLY: &str = "a hook at the end failed";

/// One run's hooks, and what is to be said of them.
struct Round<'a> {
    context: &'a HookContext,
    progress: &'a dyn Progress,
    warnings: Vec<Failure>,
}

impl Round<'_> {
    async fn run_all(
        mut self,
        hooks: &Hooks,
        cancel: &CancellationToken,
        late: &CancellationToken,
        backup: impl Future<Output = Result<BackupReport, Failure>>,
    ) -> Result<BackupReport, Failure> {
        let done: Result<_, Failure> = async {
            self.before(&hooks.before, cancel).await?;
            let report = backup.await?;
            let outcome = self.outcome(&report);
            let after = self.after(&hooks.after, outcome, late).await;
            after.map_err(|failure| made(&report, failure))?;
            Ok(report)
        }
        .await;
        let outcome = match &done {
            Ok(report) => self.outcome(report),
            Err(failure) if failure.code.class() == Class::Cancelled => RunOutcome::Cancelled,
            Err(_) => RunOutcome::Failed,
        };
        if outcome == RunOutcome::Failed {
            self.always(&hooks.failed, FAILED, outcome, late).await;
        }
        self.always(&hooks.finally, FINALLY, outcome, late).await;
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
