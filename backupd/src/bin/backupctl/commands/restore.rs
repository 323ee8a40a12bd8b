//! `backupctl restore`.

use std::path::{Path, PathBuf};

use backup_model::{
    Code, Failure, RestorePlan, RestoreReport, RestoreStep, RestoreTarget, Selection,
};
use backupd::clock;
use backupd_api::{DatabaseOrder, RestoreOrder, Service};

use super::{administrator::KeyArgs, snapshot::resolve};
use crate::{context::Context, exit::Exit, show};

/// Restore a snapshot into new places, or in place.
///
/// Shows the plan, asks, and starts. What exists is never written into: files appear in their
/// folder, and databases under their name, only when every digest agrees. In place, the job is
/// backed up first, and what is replaced is kept beside it under another name.
#[derive(clap::Args, Debug)]
#[command(group = clap::ArgGroup::new("target").multiple(true).required(true))]
pub(crate) struct Args {
    /// The snapshot, as in webui/41; or a job, for its newest.
    snapshot: Selection,

    /// Restore files into this new folder.
    #[arg(long, value_name = "DIR", group = "target")]
    to_folder: Option<PathBuf>,

    /// Restore databases into a new database, by default named `DATABASE_restored_TIME`.
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true, group = "target")]
    #[expect(
        clippy::option_option,
        reason = "how clap says: absent, bare, with a name"
    )]
    to_database: Option<Option<String>>,

    /// Restore everything to where it came from: folders and files to their paths, databases to
    /// their names on the job's server. Asks for a name, as what is there is replaced.
    #[arg(long, group = "target", conflicts_with_all = ["to_folder", "to_database", "path"])]
    in_place: bool,

    /// In place: the name that the plan asks for. With --yes nobody is asked for it.
    #[arg(long, value_name = "NAME", requires = "in_place")]
    confirm: Option<String>,

    /// In place: do not back the job up first.
    #[arg(long, requires = "in_place")]
    no_safety_backup: bool,

    /// The server for the database, as postgres://user@host:port/maintenance-database; by default
    /// the one that the job's configuration names. No passwords here: use the configuration.
    #[arg(long, value_name = "URL", requires = "to_database")]
    server: Option<String>,

    /// Restore this stream only; may be given several times.
    #[arg(long, value_name = "NAME")]
    stream: Vec<String>,

    /// Restore this file or folder only, as `snapshot ls` names it; may be given several times.
    #[arg(
        long,
        value_name = "PATH",
        requires = "to_folder",
        conflicts_with = "to_database"
    )]
    path: Vec<PathBuf>,

    /// Let everything in the database belong to the user who restores it.
    #[arg(long)]
    no_owner: bool,

    /// Restore owners of files by their numbers; needs root.
    #[arg(long)]
    numeric_owner: bool,

    /// Restore set-uid, set-gid and sticky bits.
    #[arg(long)]
    keep_setid: bool,

    /// Show the plan and stop.
    #[arg(short = 'n', long)]
    dry_run: bool,

    #[command(flatten)]
    key: KeyArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let key = args.key.read(context).await?;
    let folder = args.to_folder.as_deref().map(absolute).transpose()?;
    // A folder is this machine's and this user's.
    let service: Box<dyn Service> = match &folder {
        Some(_) => Box::new(context.direct()?),
        None => context.service().await?,
    };
    let snapshot = resolve(&args.snapshot, &*service).await?;
    let meant = [Selection::One(snapshot.clone())];
    let mut order = RestoreOrder {
        snapshot,
        streams: args.stream,
        paths: args.path,
        folder,
        database: args.to_database.map(|name| DatabaseOrder {
            name,
            server: args.server,
        }),
        in_place: args.in_place,
        confirm: None,
        safety_backup: !args.no_safety_backup,
        no_owner: args.no_owner,
        numeric_owner: args.numeric_owner,
        keep_setid: args.keep_setid,
        stamp: clock::stamp(clock::now()),
        keys: key.open(&*service, &meant, context).await?,
    };
    let plan = service.plan_restore(&order).await?;
    if args.dry_run {
        context.output.document("restore-plan", &plan, plan_text);
        return obstacle(&plan).map_or(Ok(Exit::DONE), Err);
    }
    let shown = context.propose("restore-plan", &plan, plan_text);
    if let Some(obstacle) = obstacle(&plan) {
        return Err(obstacle);
    }
    match &plan.confirm {
        None => context.agree(shown, "Start?").await?,
        Some(name) => {
            let given = args.confirm.as_deref();
            context
                .agree_to_loss(shown, "Replace?", name, given)
                .await?;
        }
    }
    order.confirm.clone_from(&plan.confirm);
    let report = service.restore(&order, &context.task()).await?;
    context.output.clear();
    for warning in &report.warnings {
        context.output.warning(warning);
    }
    context.output.document("restore", &report, |report| {
        report_text(report, plan.confirm.is_some())
    });
    Ok(if report.warnings.is_empty() {
        Exit::DONE
    } else {
        Exit::WARNINGS
    })
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::from_error(Code::Usage, &error))
}

fn obstacle(plan: &RestorePlan) -> Option<Failure> {
    let first = plan.steps.iter().flat_map(|step| &step.obstacles).next();
    first.cloned()
}

fn plan_text(plan: &RestorePlan) -> String {
    let mut lines = vec![format!(
        "{} of {}: fetch {}",
        plan.snapshot,
        show::time(plan.created),
        show::bytes(plan.fetch_bytes),
    )];
    let in_place = plan.confirm.is_some();
    for step in &plan.steps {
        lines.push(step_text(step, in_place));
        for obstacle in &step.obstacles {
            lines.push(format!("      ✗ {}", obstacle.message));
        }
    }
    if !plan.left_out.is_empty() {
        lines.push(format!("  left out: {}", plan.left_out.join(", ")));
    }
    if in_place {
        let job = &plan.snapshot.job;
        lines.push(if plan.safety_backup {
            format!("  before anything is replaced, `{job}` is backed up")
        } else {
            format!("  `{job}` is not backed up before")
        });
    }
    lines.join("\n")
}

fn step_text(step: &RestoreStep, in_place: bool) -> String {
    let much = match step.chosen {
        None => show::bytes(step.stream.length_bytes),
        Some(chosen) => format!(
            "{} of it, {}",
            show::count(
                usize::try_from(chosen.entries).unwrap_or(usize::MAX),
                "entry",
                "entries"
            ),
            show::bytes(chosen.length_bytes)
        ),
    };
    let place = target(&step.target, in_place);
    let mut text = format!("  {} ({much}) → {place}", step.stream.name);
    if let Some(free) = step.free_bytes {
        text.push_str(&format!(", {} free there", show::bytes(free)));
    }
    if in_place {
        text.push_str(&match &step.kept_as {
            Some(kept) => format!("\n      what is there is kept as {kept}"),
            None => "\n      nothing is there".to_owned(),
        });
    }
    let Some(files) = &step.stream.files else {
        return text;
    };
    let unreadable = files.unreadable;
    if unreadable > 0 {
        text.push_str(&format!(
            "\n      ! {unreadable} things could not be read when it was made"
        ));
    }
    let passed_over = files.excluded + files.too_large;
    if in_place && passed_over > 0 {
        text.push_str(&format!(
            "\n      ! {passed_over} things of this stream were not to be backed up: they will be \
             only in what is kept"
        ));
    }
    text
}

fn target(target: &RestoreTarget, in_place: bool) -> String {
    let new = if in_place { "" } else { "new " };
    match target {
        RestoreTarget::Database { database, server } => {
            format!("{new}database {database} on {server}")
        }
        RestoreTarget::Folder { path } if in_place => path.display().to_string(),
        RestoreTarget::Folder { path } => format!("new folder {}", path.display()),
        _ => "a place that this program does not know".to_owned(),
    }
}

fn report_text(report: &RestoreReport, in_place: bool) -> String {
    let mut lines = vec![format!(
        "restored {} in {}",
        report.snapshot,
        show::duration(report.took_secs)
    )];
    if let Some(safety) = &report.safety {
        lines.push(format!("  what was there is {safety}, too"));
    }
    for stream in &report.streams {
        let entries = stream.entries.map_or_else(String::new, |entries| {
            format!(
                ", {}",
                show::count(usize::try_from(entries).unwrap_or(0), "entry", "entries")
            )
        });
        lines.push(format!(
            "  {} → {}: {}{entries}, digest compared",
            stream.name,
            target(&stream.target, in_place),
            show::bytes(stream.read_bytes),
        ));
        if let Some(kept) = &stream.kept_as {
            lines.push(format!("      what was there is kept as {kept}"));
            lines.push(format!(
                "      once nobody needs it: {}",
                thrown_away(&stream.target, kept)
            ));
        }
    }
    lines.join("\n")
}

/// What throws the old one away.
fn thrown_away(target: &RestoreTarget, kept: &str) -> String {
    match target {
        RestoreTarget::Database { .. } => {
            format!("DROP DATABASE \"{}\";", kept.replace('"', "\"\""))
        }
        _ => format!("rm -r '{}'", kept.replace('\'', r"'\''")),
    }
}
