//! `backupctl snapshot forget`.

use std::collections::BTreeSet;

use backup_model::{
    Code, End, Failure, ForgetReport, JobName, Selection, SnapshotInfo, SnapshotName, Why,
};
use backupd_api::{ForgetRequest, Service};
use serde::Serialize;

use super::snapshot::end;
use crate::{
    context::Context,
    exit::Exit,
    show,
    table::{Align, table},
};

/// Forget snapshots for good, whatever the policy says.
///
/// Shows what is lost and asks for the job's name. Without a terminal it needs `--yes --confirm
/// JOB`. Nobody can restore a forgotten snapshot; the space comes back with `prune apply`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The snapshots, as in webui/41, all of one job.
    #[arg(value_name = "SNAPSHOT", required = true)]
    snapshots: Vec<SnapshotName>,

    /// The job whose snapshots are to be lost, said once more.
    #[arg(long, value_name = "JOB")]
    confirm: Option<String>,

    /// Show what would be lost, and stop.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// What forgetting would do.
#[derive(Serialize)]
struct ForgetPlan {
    job: JobName,
    /// What goes, oldest first.
    goes: Vec<SnapshotInfo>,
    /// What goes though its record is not to be believed.
    damaged: Vec<SnapshotName>,
    /// What was forgotten before.
    already: Vec<SnapshotName>,
    /// How many snapshots of the job stay.
    stay: usize,
    /// The newest complete one that stays.
    newest_complete: Option<SnapshotName>,
    /// Whether the newest snapshot goes.
    newest_goes: bool,
    /// What speaks against it.
    obstacles: Vec<Failure>,
}

impl ForgetPlan {
    /// How many runs go.
    fn runs(&self) -> usize {
        self.goes.len() + self.damaged.len()
    }
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let names: BTreeSet<SnapshotName> = args.snapshots.into_iter().collect();
    let service = context.service().await?;
    let plan = plan(&*service, names).await?;
    if args.dry_run {
        context.output.document("forget-plan", &plan, plan_text);
        return plan
            .obstacles
            .into_iter()
            .next()
            .map_or(Ok(Exit::DONE), Err);
    }
    let shown = context.propose("forget-plan", &plan, plan_text);
    if let Some(obstacle) = plan.obstacles.first() {
        return Err(obstacle.clone());
    }
    if plan.runs() > 0 {
        let job = plan.job.as_str();
        let confirm = args.confirm.as_deref();
        let agreed = context.agree_to_loss(shown, "Forget for good?", job, confirm);
        agreed.await?;
    }
    let gone = plan.goes.iter().map(|info| info.snapshot.clone());
    let request = ForgetRequest {
        snapshots: gone.chain(plan.damaged).chain(plan.already).collect(),
        why: Why::Request,
    };
    let report = service.forget(&request, &context.task()).await?;
    context.output.document("forget", &report, report_text);
    Ok(left(&report, context))
}

/// Tells what could not be deleted, which prune tries again.
pub(super) fn left(report: &ForgetReport, context: &Context) -> Exit {
    for failure in &report.left {
        context.output.warning(failure);
    }
    if report.left.is_empty() {
        Exit::DONE
    } else {
        Exit::WARNINGS
    }
}

async fn plan(service: &dyn Service, names: BTreeSet<SnapshotName>) -> Result<ForgetPlan, Failure> {
    let jobs: BTreeSet<JobName> = names.iter().map(|name| name.job.clone()).collect();
    let mut jobs = jobs.into_iter();
    let (Some(job), None) = (jobs.next(), jobs.next()) else {
        let text = "these are snapshots of several jobs; forget those of one at a time";
        return Err(Failure::new(Code::Usage, text));
    };
    let mut runs = Vec::new();
    for run in service.snapshots(&Selection::Job(job.clone())).await? {
        // A record that is not to be believed counts for nothing that stays.
        runs.extend(run.ok());
    }
    let mut plan = weigh(job, runs, &names);
    for name in names {
        if plan.goes.iter().all(|info| info.snapshot != name) {
            match service.snapshot(&name, None).await {
                Err(failure) if failure.code == Code::Forgotten => plan.already.push(name),
                // As long as it lives nothing can be pruned: it must be possible to give it up.
                Err(failure) if failure.code == Code::RepositoryDamaged => {
                    plan.damaged.push(name);
                }
                Err(failure) => plan.obstacles.push(failure),
                // It has come in between: what is shown must be what is done.
                Ok(_) => plan.obstacles.push(Failure::new(
                    Code::Busy,
                    format!("{name} was made while this looked"),
                )),
            }
        }
    }
    Ok(plan)
}

/// What goes of the runs of a job, and what that means for the rest.
fn weigh(job: JobName, runs: Vec<SnapshotInfo>, names: &BTreeSet<SnapshotName>) -> ForgetPlan {
    let is_snapshot = |info: &&SnapshotInfo| show::is_snapshot(info.end);
    let newest = runs.iter().rfind(is_snapshot);
    let newest_goes = newest.is_some_and(|info| names.contains(&info.snapshot));
    let (goes, stays): (Vec<_>, Vec<_>) = runs
        .into_iter()
        .partition(|info| names.contains(&info.snapshot));
    let complete = stays.iter().rfind(|info| info.end == End::Complete);
    let obstacles = goes.iter().filter_map(obstacle).collect();
    ForgetPlan {
        job,
        damaged: Vec::new(),
        already: Vec::new(),
        stay: stays.iter().filter(is_snapshot).count(),
        newest_complete: complete.map(|info| info.snapshot.clone()),
        newest_goes,
        obstacles,
        goes,
    }
}

fn obstacle(info: &SnapshotInfo) -> Option<Failure> {
    let name = &info.snapshot;
    if let Some(reason) = &info.held {
        let reason = show::name(reason);
        return Some(Failure::new(
            Code::Held,
            format!("{name} is held: {reason}"),
        ));
    }
    (info.end == End::Open)
        .then(|| Failure::new(Code::Busy, format!("the run {name} has no end yet")))
}

fn plan_text(plan: &ForgetPlan) -> String {
    let job = &plan.job;
    let mut lines = Vec::new();
    for name in &plan.already {
        lines.push(format!("{name} was forgotten before"));
    }
    for obstacle in &plan.obstacles {
        lines.push(format!("✗ {}", show::failure(obstacle)));
    }
    if plan.runs() == 0 {
        lines.push("nothing to forget".to_owned());
        return lines.join("\n");
    }
    let runs = show::count(plan.runs(), "run", "runs");
    lines.push(format!("forget {runs} of {job} for good:"));
    for name in &plan.damaged {
        lines.push(format!(
            "  {name}: its record is damaged, what it held is not known"
        ));
    }
    if !plan.goes.is_empty() {
        lines.push(goes_table(&plan.goes));
    }

    let lost = plan.goes.iter().any(|info| info.end == End::Complete);
    match &plan.newest_complete {
        None if lost => lines.push(format!(
            "  ! no complete snapshot of {job} is left: it cannot be restored afterwards"
        )),
        Some(name) if plan.newest_goes => lines.push(format!(
            "  ! the newest snapshot goes; what is left to restore is {name}"
        )),
        _ => {}
    }
    let stay = show::count(
        plan.stay,
        "snapshot of the job stays",
        "snapshots of the job stay",
    );
    lines.push(stay);
    lines.join("\n")
}

fn goes_table(goes: &[SnapshotInfo]) -> String {
    table(
        [
            ("  SNAPSHOT", Align::Left),
            ("CREATED", Align::Left),
            ("END", Align::Left),
            ("STORED", Align::Right),
        ],
        goes.iter().map(|info| {
            [
                format!("  {}", info.snapshot),
                show::time(info.created),
                end(info),
                show::bytes(info.stored_bytes),
            ]
        }),
    )
}

pub(super) fn report_text(report: &ForgetReport) -> String {
    let mut lines = Vec::new();
    if report.forgotten.is_empty() {
        lines.push("nothing to forget".to_owned());
    } else {
        let runs = show::count(report.forgotten.len(), "run", "runs");
        lines.push(format!(
            "forgot {runs}; the space comes back with `backupctl prune apply`"
        ));
    }
    for name in &report.already {
        lines.push(format!("  {name} was forgotten before"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(ends: &[End]) -> Vec<SnapshotInfo> {
        let numbered = ends.iter().zip(1_u64..);
        let info = |(&end, number)| SnapshotInfo {
            snapshot: format!("webui/{number}").parse().unwrap(),
            end,
            created: "2026-11-22T02:30:00Z".parse().unwrap(),
            kinds: vec!["files".to_owned()],
            packs: 2,
            stored_bytes: 3 << 20,
            added_bytes: 1 << 20,
            record: "0".repeat(64).parse().unwrap(),
            reason: None,
            held: None,
        };
        numbered.map(info).collect()
    }

    fn shown(runs: Vec<SnapshotInfo>, names: &[&str]) -> String {
        let names = names.iter().map(|name| name.parse().unwrap()).collect();
        plan_text(&weigh("webui".parse().unwrap(), runs, &names))
    }

    #[test]
    fn a_plan_says_what_is_lost() {
        let three = [End::Complete, End::Partial, End::Complete];
        assert_eq!(
            shown(runs(&three), &["webui/1"]),
            "forget 1 run of webui for good:\n\
             \x20 SNAPSHOT      CREATED               END        STORED\n\
             \x20 webui/000001  2026-11-22 02:30 UTC  complete  3.0 MiB\n\
             2 snapshots of the job stay"
        );
        let newest = shown(runs(&three), &["webui/3"]);
        assert!(
            newest.contains("the newest snapshot goes; what is left to restore is webui/000001")
        );
        let last = shown(runs(&three), &["webui/1", "webui/3"]);
        assert!(
            last.contains("no complete snapshot of webui is left"),
            "{last}"
        );
    }

    #[test]
    fn what_is_held_or_open_speaks_against_it() {
        let mut two = runs(&[End::Complete, End::Open]);
        two[0].held = Some("for the\u{1b} auditors".to_owned());
        let plan = weigh(
            "webui".parse().unwrap(),
            two,
            &["webui/1", "webui/2"]
                .map(|name| name.parse().unwrap())
                .into(),
        );
        let codes: Vec<Code> = plan.obstacles.iter().map(|failure| failure.code).collect();
        assert_eq!(codes, [Code::Held, Code::Busy]);
        let text = plan_text(&plan);
        assert!(
            text.contains("✗ webui/000001 is held: for the\\u{1b} auditors"),
            "{text}"
        );
    }
}
