//! `backupctl run …`.

use std::time::Duration;

use backup_model::{
    Failure, JobName, LogLevel, RunDetail, RunInfo, RunKind, RunLog, RunOutcome, RunPage, RunQuery,
};
use backupd::clock;
use tokio::time;

use super::when;
use crate::{
    context::Context,
    exit::Exit,
    show,
    table::{Align, table},
};

/// How often to look for new lines of a run that goes on.
const FOLLOW_EVERY: Duration = Duration::from_millis(500);

/// What to know of runs.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    /// List what was done, the newest first.
    List(ListArgs),
    /// Show one run with its phases and warnings.
    Show(RunArgs),
    /// Show what a run said.
    Logs(LogsArgs),
}

/// Which runs.
#[derive(clap::Args, Debug)]
pub(crate) struct ListArgs {
    /// Only of this job.
    #[arg(long, value_name = "JOB")]
    job: Option<JobName>,

    /// Only of this kind: backup, retention, prune, verify, probe, restore.
    #[arg(long, value_name = "KIND")]
    kind: Option<RunKind>,

    /// Only those that ended so: succeeded, warnings, failed, cancelled, interrupted, missed,
    /// skipped, running.
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<RunOutcome>,

    /// Only those since then: `8h`, `2026-12-01`, or a full RFC 3339 time.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,

    /// Only those older than this run.
    #[arg(long, value_name = "RUN")]
    before: Option<String>,

    /// So many at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
}

/// Which run.
#[derive(clap::Args, Debug)]
pub(crate) struct RunArgs {
    /// The run: its id, or the last digits of it as `run list` shows them.
    run: String,
}

/// Whose log.
#[derive(clap::Args, Debug)]
pub(crate) struct LogsArgs {
    /// The run: its id, or the last digits of it as `run list` shows them.
    run: String,

    /// Go on until the run ends.
    #[arg(short, long)]
    follow: bool,
}

pub(crate) async fn run(command: Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::List(args) => list(args, context).await,
        Command::Show(args) => display(&args, context).await,
        Command::Logs(args) => logs(&args, context).await,
    }
}

async fn list(args: ListArgs, context: &Context) -> Result<Exit, Failure> {
    let since = args.since.as_deref();
    let since = since.map(|text| when::parse_past(text, clock::now()));
    let service = context.service().await?;
    let before = match args.before {
        Some(run) => Some(service.run(&run).await?.info.run),
        None => None,
    };
    let query = RunQuery {
        job: args.job,
        kind: args.kind,
        outcome: args.outcome,
        since: since.transpose()?,
        before,
        limit: Some(args.limit),
    };
    let page = service.runs(&query).await?;
    context.output.document("runs", &page, list_text);
    Ok(Exit::DONE)
}

fn list_text(page: &RunPage) -> String {
    if page.runs.is_empty() {
        return "no runs".to_owned();
    }
    let listed = table(
        [
            ("RUN", Align::Left),
            ("BEGUN", Align::Left),
            ("KIND", Align::Left),
            ("JOB", Align::Left),
            ("OUTCOME", Align::Left),
            ("TOOK", Align::Right),
            ("STORED", Align::Right),
            ("RESULT", Align::Left),
        ],
        page.runs.iter().map(row),
    );
    match page.next {
        Some(last) => format!("{listed}\nthere are older ones: --before {}", last.short()),
        None => listed,
    }
}

fn row(run: &RunInfo) -> [String; 8] {
    let of = run.job.as_ref().map(JobName::as_str);
    let took = run.ended.filter(|_| run.outcome.ran()).map(|ended| {
        let took = ended.duration_since(run.begun);
        show::duration(took.as_secs_f64())
    });
    let stored = run.bytes.stored_bytes;
    [
        run.run.short(),
        show::time(run.begun),
        run.kind.to_string(),
        of.unwrap_or(&run.repository).to_owned(),
        run.outcome.to_string(),
        took.unwrap_or_else(|| "-".to_owned()),
        if stored > 0 {
            show::bytes(stored)
        } else {
            "-".to_owned()
        },
        result(run),
    ]
}

fn result(run: &RunInfo) -> String {
    let warnings = usize::try_from(run.warnings).unwrap_or(usize::MAX);
    match (&run.failure, &run.snapshot) {
        (Some(failure), _) => format!("{} {}", failure.code, failure.message),
        (None, Some(snapshot)) if warnings > 0 => {
            format!(
                "{snapshot}, {}",
                show::count(warnings, "warning", "warnings")
            )
        }
        (None, Some(snapshot)) => snapshot.to_string(),
        (None, None) => String::new(),
    }
}

async fn display(args: &RunArgs, context: &Context) -> Result<Exit, Failure> {
    let run = context.service().await?.run(&args.run).await?;
    context.output.document("run", &run, detail_text);
    Ok(Exit::DONE)
}

fn detail_text(run: &RunDetail) -> String {
    let info = &run.info;
    let of = info.job.as_ref().map(JobName::as_str);
    let mut lines = vec![format!(
        "{}  {} of {}  {}",
        info.run,
        info.kind,
        of.unwrap_or(&info.repository),
        info.outcome
    )];
    let mut add = |name: &str, text: String| lines.push(format!("  {name:9} {text}"));
    let by = info
        .asked_by
        .as_ref()
        .map(|by| format!(", by {}", show::name(by)));
    add("cause", format!("{}{}", info.cause, by.unwrap_or_default()));
    if let Some(due) = info.due {
        add("due", show::time(due));
    }
    add("begun", show::time(info.begun));
    if let Some(ended) = info.ended {
        add("ended", show::time(ended));
    }
    add(
        "bytes",
        format!(
            "read {}, of which new {}; stored {}",
            show::bytes(info.bytes.read_bytes),
            show::bytes(info.bytes.new_bytes),
            show::bytes(info.bytes.stored_bytes)
        ),
    );
    if let Some(snapshot) = &info.snapshot {
        add("snapshot", snapshot.to_string());
    }
    if let Some(failure) = &info.failure {
        add(
            "failure",
            format!("{} {}", failure.code, show::failure(failure)),
        );
    }
    for warning in &run.first_warnings {
        add(
            "warning",
            format!("{} {}", warning.code, show::failure(warning)),
        );
    }
    for phase in &run.phases {
        let took = phase.ended.map(|ended| {
            let took = ended.duration_since(phase.begun);
            show::duration(took.as_secs_f64())
        });
        let took = took.unwrap_or_else(|| "not ended".to_owned());
        add(
            "phase",
            format!("{} {}, {took}", word(phase.phase), phase.object),
        );
    }
    lines.join("\n")
}

fn word(phase: backup_model::Phase) -> String {
    format!("{phase:?}").to_lowercase()
}

async fn logs(args: &LogsArgs, context: &Context) -> Result<Exit, Failure> {
    let service = context.service().await?;
    let mut from = 0;
    loop {
        let log = service.run_log(&args.run, from).await?;
        show_lines(&log, context);
        from = log.next;
        let more = !log.lines.is_empty() || args.follow && !log.ended;
        if !more {
            if log.dropped > 0 {
                let lines = show::number(log.dropped, "line was", "lines were");
                context.output.note(&format!("{lines} not kept"));
            }
            return Ok(Exit::DONE);
        }
        if log.lines.is_empty() {
            tokio::select! {
                () = time::sleep(FOLLOW_EVERY) => {}
                () = context.stop.token().cancelled() => return Ok(Exit::DONE),
            }
        }
    }
}

fn show_lines(log: &RunLog, context: &Context) {
    for line in &log.lines {
        if context.output.is_json() {
            context.output.line("log", line);
            continue;
        }
        let mark = match line.level {
            LogLevel::Error => "✗ ",
            LogLevel::Warn => "! ",
            _ => "  ",
        };
        let time = line.at.strftime("%Y-%m-%d %H:%M:%S");
        context
            .output
            .text(&format!("{time} {mark}{}", show::name(&line.text)));
    }
}
