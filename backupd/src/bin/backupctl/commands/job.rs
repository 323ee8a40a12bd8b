//! `backupctl job …`.

use backup_model::{DueTime, Failure, JobName, JobStatus, Pause, StatusReport};
use backupd::{clock, status};
use serde::Serialize;

use super::{
    status::{ago, mark, next, of_job, proven},
    when,
};
use crate::{
    context::{Context, who},
    exit::Exit,
    show,
    table::{Align, table},
};

/// What to do with jobs.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    /// List the jobs, when they run, and how they stand.
    List,
    /// Show one job.
    Show(JobArgs),
    /// Keep the schedule from running a job. Its RPO goes on counting.
    Pause(PauseArgs),
    /// End a pause.
    Resume(JobArgs),
    /// Stop a run that is under way.
    Cancel(CancelArgs),
}

/// Which job.
#[derive(clap::Args, Debug)]
pub(crate) struct JobArgs {
    /// The job.
    job: JobName,
}

/// Which job, and for how long.
#[derive(clap::Args, Debug)]
pub(crate) struct PauseArgs {
    /// The job.
    job: JobName,

    /// Until then: `8h`, `2026-12-01`, `2026-12-01 08:00` (your time zone) or a full RFC 3339
    /// time; without it, until somebody resumes it.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,

    /// Why, for whoever looks.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Which run.
#[derive(clap::Args, Debug)]
pub(crate) struct CancelArgs {
    /// The run: its id, or the last digits of it as `run list` shows them.
    run: String,
}

pub(crate) async fn run(command: Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::List => list(context).await,
        Command::Show(args) => display(&args, context).await,
        Command::Pause(args) => pause(args, context).await,
        Command::Resume(args) => resume(&args, context).await,
        Command::Cancel(args) => cancel(&args, context).await,
    }
}

async fn list(context: &Context) -> Result<Exit, Failure> {
    let report = context.service().await?.status().await?;
    context.output.document("jobs", &report, list_text);
    Ok(Exit::DONE)
}

fn list_text(report: &StatusReport) -> String {
    if report.jobs.is_empty() {
        return "there are no jobs".to_owned();
    }
    let row = |job: &JobStatus| {
        let last = job.last_run.as_ref().map(|run| {
            let when = ago(run.ended.unwrap_or(run.begun), report.at);
            format!("{}, {when}", run.outcome)
        });
        [
            job.protection.job.to_string(),
            job.schedule.clone().unwrap_or_else(|| "-".to_owned()),
            next(job, report.at),
            last.unwrap_or_else(|| "-".to_owned()),
            format!("{} {}", mark(job.protection.state), job.protection.state),
        ]
    };
    table(
        [
            ("JOB", Align::Left),
            ("SCHEDULE", Align::Left),
            ("NEXT", Align::Left),
            ("LAST RUN", Align::Left),
            ("STATE", Align::Left),
        ],
        report.jobs.iter().map(row),
    )
}

/// A job with its due times.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    job: JobStatus,
    dues: Vec<DueTime>,
}

async fn display(args: &JobArgs, context: &Context) -> Result<Exit, Failure> {
    let service = context.service().await?;
    let report = service.status().await?;
    let now = report.at;
    let job = of_job(&report, &args.job)?.clone();
    // Without a ledger nobody knows; that there is none, `run list` says.
    let dues = service.dues(&args.job).await.unwrap_or_default();
    let shown = Shown { job, dues };
    context.output.document("job", &shown, |shown| {
        let job = &shown.job;
        let protection = &job.protection;
        let mut lines = vec![format!(
            "{}  {} {}",
            protection.job,
            mark(protection.state),
            protection.state
        )];
        let mut add = |name: &str, text: String| lines.push(format!("  {name:11} {text}"));
        for reason in &protection.reasons {
            add("because", reason.to_string());
        }
        add("repository", job.repository.clone());
        add(
            "schedule",
            job.schedule.clone().unwrap_or_else(|| "by hand".to_owned()),
        );
        add("next", next(job, now));
        if !shown.dues.is_empty() {
            let (all, missed) = status::missed(&shown.dues);
            add("30 days", format!("due {all} times, {missed} missed"));
        }
        if let Some(good) = &protection.last_good {
            let made = ago(good.created, now);
            add("last good", format!("{}, {made}", good.snapshot));
        }
        if let Some(number) = job.snapshots {
            add("snapshots", number.to_string());
        }
        if let Some(found) = job.proven {
            add("proven", proven(found, now));
        }
        if let Some(run) = &job.last_run {
            let when = ago(run.ended.unwrap_or(run.begun), now);
            add(
                "last run",
                format!("{}, {}, {when}", run.run.short(), run.outcome),
            );
            if let Some(failure) = &run.failure {
                add("", format!("{} {}", failure.code, show::failure(failure)));
            }
        }
        lines.join("\n")
    });
    Ok(Exit::DONE)
}

#[derive(Serialize)]
struct Paused {
    job: JobName,
    #[serde(flatten)]
    pause: Pause,
}

async fn pause(args: PauseArgs, context: &Context) -> Result<Exit, Failure> {
    let now = clock::now();
    let until = args.until.as_deref().map(|text| when::parse(text, now));
    let pause = Pause {
        who: who(),
        at: now,
        until: until.transpose()?,
        why: args.reason,
    };
    let service = context.service().await?;
    service.pause(&args.job, &pause).await?;
    let paused = Paused {
        job: args.job,
        pause,
    };
    context
        .output
        .document("paused", &paused, |it| match it.pause.until {
            Some(until) => format!("{} is paused until {}", it.job, show::time(until)),
            None => format!("{0} is paused until `backupctl job resume {0}`", it.job),
        });
    Ok(Exit::DONE)
}

#[derive(Serialize)]
struct Resumed {
    job: JobName,
    was_paused: bool,
}

async fn resume(args: &JobArgs, context: &Context) -> Result<Exit, Failure> {
    let service = context.service().await?;
    let resumed = Resumed {
        was_paused: service.resume(&args.job).await?,
        job: args.job.clone(),
    };
    context.output.document("resumed", &resumed, |it| {
        if it.was_paused {
            format!("{} runs by its schedule again", it.job)
        } else {
            format!("{} was not paused", it.job)
        }
    });
    Ok(Exit::DONE)
}

async fn cancel(args: &CancelArgs, context: &Context) -> Result<Exit, Failure> {
    let run = context.service().await?.cancel_run(&args.run).await?;
    context.output.document("cancelled", &run, |run| {
        let id = run.info.run.short();
        format!("run {id} was asked to stop; how it ends: backupctl run show {id}")
    });
    Ok(Exit::DONE)
}
