//! `backupctl status`.

use backup_model::{
    Code, Failure, JobName, JobStatus, ProtectionState, Proven, Span, StatusReport,
};
use backupd::hints::hint;
use backupd_api::Service;
use futures::StreamExt as _;
use jiff::Timestamp;

use crate::{
    context::Context,
    exit::Exit,
    show,
    table::{Align, table},
};

/// Show whether everything is protected, on one screen.
///
/// With `--check` the exit status says so: 0 protected, 5 at risk, 6 breached, 7 unknown.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Only this job.
    #[arg(long, value_name = "JOB")]
    job: Option<JobName>,

    /// For monitoring: say the worst in one line, and have the exit status tell it.
    #[arg(long, conflicts_with = "watch")]
    check: bool,

    /// Go on, and show each change.
    #[arg(long)]
    watch: bool,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let service = context.service().await?;
    if args.watch {
        return watch(&args, &*service, context).await;
    }
    let report = look(&args, service.status().await?, context)?;
    if args.check {
        context.output.document("status", &report, check_text);
        return Ok(exit(report.worst()));
    }
    context.output.document("status", &report, text);
    Ok(Exit::DONE)
}

async fn watch(args: &Args, service: &dyn Service, context: &Context) -> Result<Exit, Failure> {
    let mut statuses = service.follow_status().await?;
    loop {
        let next = tokio::select! {
            next = statuses.next() => next,
            () = context.stop.token().cancelled() => return Ok(Exit::DONE),
        };
        let Some(report) = next else {
            return Err(Failure::new(Code::Daemon, "the daemon has ended"));
        };
        let report = look(args, report?, context)?;
        if context.output.is_json() {
            context.output.line("status", &report);
        } else {
            context.output.screen(&text(&report));
        }
    }
}

/// What was asked for of a report; and that no daemon runs what is scheduled, where that is so.
fn look(args: &Args, mut report: StatusReport, context: &Context) -> Result<StatusReport, Failure> {
    if let Some(job) = &args.job {
        report.jobs = vec![of_job(&report, job)?.clone()];
    }
    let scheduled = report.jobs.iter().any(|job| job.schedule.is_some());
    if report.daemon.is_none() && scheduled && !context.global.direct {
        let text = "no daemon answers, so nothing runs by schedule";
        report.faults.push(Failure::new(Code::Daemon, text));
    }
    Ok(report)
}

/// One job of a report.
pub(super) fn of_job<'a>(
    report: &'a StatusReport,
    job: &JobName,
) -> Result<&'a JobStatus, Failure> {
    report.job(job).ok_or_else(|| {
        let known = report.jobs.iter().map(|job| job.protection.job.as_str());
        let known = known.collect::<Vec<_>>().join(", ");
        let known = if known.is_empty() {
            "there is none"
        } else {
            &known
        };
        Failure::new(Code::NoJob, format!("there is no job `{job}`: {known}"))
    })
}

/// The exit status of a monitoring probe.
const fn exit(worst: ProtectionState) -> Exit {
    match worst {
        ProtectionState::Protected => Exit::DONE,
        ProtectionState::AtRisk => Exit::AT_RISK,
        ProtectionState::Breached => Exit::BREACHED,
        ProtectionState::Unknown => Exit::UNKNOWN,
    }
}

pub(super) const fn mark(state: ProtectionState) -> &'static str {
    match state {
        ProtectionState::Protected => "✓",
        ProtectionState::AtRisk => "!",
        ProtectionState::Breached => "✕",
        ProtectionState::Unknown => "?",
    }
}

fn check_text(report: &StatusReport) -> String {
    let worst = report.worst();
    let of_job = report.jobs.first().and_then(|job| {
        let reason = job.protection.reasons.first()?;
        Some(format!("{}: {reason}", job.protection.job))
    });
    let why: Vec<String> = of_job
        .into_iter()
        .chain(report.faults.iter().map(show::failure))
        .collect();
    let why = if why.is_empty() {
        show::count(report.jobs.len(), "job", "jobs")
    } else {
        why.join("; ")
    };
    format!("{} {worst}: {why}", mark(worst))
}

fn text(report: &StatusReport) -> String {
    let mut lines = vec![head(report)];
    for fault in &report.faults {
        lines.push(format!("! {} {}", fault.code, show::failure(fault)));
        lines.extend(hint(fault.code).map(|hint| format!("  {hint}")));
    }
    if report.jobs.is_empty() {
        lines.push("there are no jobs".to_owned());
        return lines.join("\n");
    }
    lines.push(jobs(report));
    lines.extend(report.jobs.iter().filter_map(|job| story(job, report.at)));
    lines.join("\n")
}

/// Who says it, when, and how many jobs are in which state.
fn head(report: &StatusReport) -> String {
    let time = report.at.strftime("%H:%M UTC");
    let who = match &report.daemon {
        Some(daemon) => format!(
            "backupd {} on {} · live · {time}",
            daemon.version, daemon.name
        ),
        None => format!("looked without a daemon · {time}"),
    };
    let states = [
        ProtectionState::Breached,
        ProtectionState::Unknown,
        ProtectionState::AtRisk,
        ProtectionState::Protected,
    ];
    let counts = states.into_iter().filter_map(|state| {
        let jobs = report.jobs.iter();
        let number = jobs.filter(|job| job.protection.state == state).count();
        let word = state.as_str().to_lowercase();
        (number > 0).then(|| format!("{} {number} {word}", mark(state)))
    });
    format!("{who}    {}", counts.collect::<Vec<_>>().join("  "))
}

fn jobs(report: &StatusReport) -> String {
    table(
        [
            ("STATE", Align::Left),
            ("JOB", Align::Left),
            ("LAST GOOD", Align::Left),
            ("RPO", Align::Left),
            ("NEXT", Align::Left),
            ("PROVEN", Align::Left),
            ("REPOSITORY", Align::Left),
        ],
        report.jobs.iter().map(|job| row(job, report.at)),
    )
}

fn row(job: &JobStatus, now: Timestamp) -> [String; 7] {
    let protection = &job.protection;
    let good = protection.last_good.as_ref();
    [
        format!("{} {}", mark(protection.state), protection.state),
        protection.job.to_string(),
        good.map_or_else(|| "never".to_owned(), |good| ago(good.created, now)),
        protection
            .rpo
            .map_or_else(|| "-".to_owned(), |rpo| Span(rpo).to_string()),
        next(job, now),
        job.proven
            .map_or_else(|| "-".to_owned(), |it| proven(it, now)),
        job.repository.clone(),
    ]
}

pub(super) fn proven(proven: Proven, now: Timestamp) -> String {
    format!("{}, {}", proven.level.as_str(), ago(proven.at, now))
}

/// When a job runs next, or what it does now.
pub(super) fn next(job: &JobStatus, now: Timestamp) -> String {
    let protection = &job.protection;
    if let Some(running) = protection.running {
        let percent = running.percent.map(|it| format!(", {it} %"));
        return format!("running{}", percent.unwrap_or_default());
    }
    if let Some(pause) = &protection.paused {
        let until = pause
            .until
            .map(|until| format!(" until {}", show::time(until)));
        return format!("paused{}", until.unwrap_or_default());
    }
    match job.next {
        Some(next) => soon(next, now),
        None if job.schedule.is_none() => "by hand".to_owned(),
        None => "-".to_owned(),
    }
}

/// A time to come: today only its hour.
fn soon(time: Timestamp, now: Timestamp) -> String {
    if time.duration_since(now) < jiff::SignedDuration::from_hours(20) {
        return time.strftime("%H:%M UTC").to_string();
    }
    show::time(time)
}

pub(super) fn ago(time: Timestamp, now: Timestamp) -> String {
    format!("{} ago", Span(now.duration_since(time)))
}

/// Why a job is not simply protected, and where to look.
fn story(job: &JobStatus, now: Timestamp) -> Option<String> {
    let protection = &job.protection;
    let name = &protection.job;
    let mut lines = Vec::new();
    for reason in &protection.reasons {
        lines.push(format!("{} {name}: {reason}", mark(reason.state())));
    }
    if let Some(pause) = &protection.paused {
        let why = pause
            .why
            .as_ref()
            .map(|why| format!(": {}", show::name(why)));
        let (who, when) = (show::name(&pause.who), ago(pause.at, now));
        lines.push(format!(
            "  {name}: paused by {who} {when}{}",
            why.unwrap_or_default()
        ));
    }
    if protection.state != ProtectionState::Protected {
        let run = job
            .last_run
            .as_ref()
            .filter(|run| run.failure.is_some() || run.warnings > 0);
        let logs = run.map(|run| format!("backupctl run logs {} · ", run.run.short()));
        lines.push(format!(
            "  next: {}backupctl job show {name}",
            logs.unwrap_or_default()
        ));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}
