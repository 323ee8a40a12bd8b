//! What a daemon that died has left undone: hooks that put things in order after a run, such as to
//! let a program go on that was held for the backup. What became of the runs themselves is the
//! ledger's to know.

use backup_model::{JobName, RunKind};
use backupd_api::Task;
use backupd_audit::Act;
use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use super::{InForce, Settings};
use crate::{
    hooks::{self, HookContext},
    ledger::Ledger,
};

/// Runs the `finally` hooks of each job whose backup was under way, all jobs side by side. They
/// have their own limits, and a stop ends them.
pub(super) async fn make_up(settings: &Settings, ledger: &Ledger, stop: &CancellationToken) {
    let in_force = settings.in_force();
    let interrupted = ledger.standing().borrow().interrupted.clone();
    let mut contexts: Vec<(JobName, HookContext)> = Vec::new();
    for run in interrupted {
        // A ledger in trouble says so itself.
        let Ok(story) = ledger.show(run).await else {
            continue;
        };
        let Some(job) = story
            .info
            .job
            .filter(|_| story.info.kind == RunKind::Backup)
        else {
            continue;
        };
        let context = HookContext {
            job: job.clone(),
            run: Some(run),
            path: (in_force.access.secrets.env)("PATH"),
        };
        contexts.push((job, context));
    }
    let of_jobs = contexts
        .iter()
        .map(|(job, context)| of_job(&in_force, job, context, stop));
    join_all(of_jobs).await;
}

async fn of_job(
    in_force: &InForce,
    job: &JobName,
    context: &HookContext,
    stop: &CancellationToken,
) {
    let Some(config) = in_force.access.jobs.get(job) else {
        return;
    };
    if config.hooks.finally.is_empty() {
        return;
    }
    let act = Act {
        session: context.run.map(|run| run.to_string()),
        ..Act::new("backupd", "hooks.finally", job.as_str())
    };
    // What is to be put in order does not wait for the log.
    let audit = in_force.access.audit.as_ref();
    if let Some(audit) = audit
        && let Err(failure) = audit.begins(&act).await
    {
        tracing::error!(%job, "{}", failure.message);
    }
    let task = Task::unheard(stop.child_token());
    let failures = hooks::make_up(&config.hooks, context, &*task.progress, &task.cancel).await;
    for failure in &failures {
        let (code, causes) = (failure.code.as_str(), failure.causes.join(": "));
        tracing::warn!(%job, code, causes, "{}", failure.message);
    }
    if let Some(audit) = audit {
        audit.ended(&act, failures.first()).await;
    }
    tracing::info!(%job, "the hooks at the end of the interrupted run were made up for");
}
