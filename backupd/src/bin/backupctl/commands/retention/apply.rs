//! `backupctl retention apply`.

use backup_model::{Failure, ForgetReport, JobName, SnapshotName, Why};
use backupd_api::{ForgetRequest, Trial};

use super::{
    command::Plans,
    plan::{plan_text, table_text},
};
use crate::{
    commands::forget::{left, report_text},
    context::Context,
    exit::Exit,
    show,
};

/// Forget what the policies let go: shows the plan, asks, and forgets.
///
/// A forgotten snapshot cannot be restored. The space comes back with `prune apply`. Only what the
/// configuration says is carried out: to try another policy out, see `retention preview`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A job; all of the configuration by default.
    job: Option<JobName>,

    /// Show the plan, and stop.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let service = context.service().await?;
    let plans = Plans::make(&*service, args.job, &Trial::default()).await?;
    let text = |plans: &Plans| plan_text(plans, table_text);
    if args.dry_run {
        context.output.document("retention-plan", &plans, text);
        return Ok(plans.exit());
    }
    let shown = context.propose("retention-plan", &plans, text);
    let gone = gone(&plans);
    let number: usize = gone.iter().map(Vec::len).sum();
    if number > 0 {
        let question = format!("Forget {}?", show::count(number, "run", "runs"));
        context.agree(shown, &question).await?;
    }
    let (mut all, mut exit) = (ForgetReport::default(), plans.exit());
    for snapshots in gone {
        let request = ForgetRequest {
            snapshots,
            why: Why::Retention,
        };
        match service.forget(&request, &context.task()).await {
            Ok(report) => {
                all.forgotten.extend(report.forgotten);
                all.already.extend(report.already);
                all.left.extend(report.left);
            }
            // What one job may not forget keeps no other from it.
            Err(failure) => {
                let failure = context.stop.explain(failure);
                context.output.warning(&failure);
                exit = exit.worse(Exit::of(failure.code));
            }
        }
    }
    context.output.document("retention", &all, report_text);
    Ok(exit.worse(left(&all, context)))
}

/// What goes, the oldest first; a list for each job that has some.
fn gone(plans: &Plans) -> Vec<Vec<SnapshotName>> {
    let plans = plans.jobs.iter().filter_map(|job| job.plan.as_ref());
    let lists = plans.map(|plan| {
        let mut names: Vec<_> = plan
            .gone()
            .map(|verdict| verdict.snapshot.clone())
            .collect();
        names.reverse();
        names
    });
    lists.filter(|names| !names.is_empty()).collect()
}
