//! `backupctl retention preview`.

use backup_model::{Failure, JobName};

use super::{calendar::calendar, command::Plans, plan::plan_text, trial::TrialFlags};
use crate::{context::Context, exit::Exit};

/// Show what stays of a job's snapshots, what goes, and why. Changes nothing.
///
/// Flags try another policy out: each stands in the place of what the configuration says.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A job; all of the configuration by default.
    job: Option<JobName>,

    /// Print months with the days on which something stays or goes, instead of a table.
    #[arg(long)]
    calendar: bool,

    #[command(flatten)]
    trial: TrialFlags,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let service = context.service().await?;
    let plans = Plans::make(&*service, args.job, &args.trial.into()).await?;
    let body = if args.calendar {
        calendar
    } else {
        super::plan::table_text
    };
    context
        .output
        .document("retention-plan", &plans, |plans| plan_text(plans, body));
    Ok(plans.exit())
}
