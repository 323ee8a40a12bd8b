//! `backupctl snapshot hold` and `backupctl snapshot release`.

use backup_core::format::is_reason;
use backup_model::{Failure, HoldInfo, Selection, SnapshotName};
use serde::Serialize;

use super::snapshot::resolve;
use crate::{context::Context, exit::Exit, show};

/// Keep a snapshot, whatever the policy says, until it is released.
#[derive(clap::Args, Debug)]
pub(crate) struct HoldArgs {
    /// The snapshot, as in webui/41; or a job, for its newest.
    snapshot: Selection,

    /// Why it is held. Whoever can read the storage can read this.
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,

    /// Say what would be held, and stop.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Let a held snapshot go again: from now on the policy decides about it.
#[derive(clap::Args, Debug)]
pub(crate) struct ReleaseArgs {
    /// The snapshot, as in webui/41.
    snapshot: SnapshotName,

    /// Say what would be released, and stop.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// What a hold would do.
#[derive(Serialize)]
struct HoldPlan {
    snapshot: SnapshotName,
    reason: String,
    /// Why it is held now.
    held: Option<String>,
}

/// What a release does, or would do.
#[derive(Serialize)]
struct Release {
    snapshot: SnapshotName,
    /// Whether it was held.
    held: bool,
}

pub(super) async fn hold(args: HoldArgs, context: &Context) -> Result<Exit, Failure> {
    let service = context.service().await?;
    let snapshot = resolve(&args.snapshot, &*service).await?;
    if args.dry_run {
        let held = service.snapshot(&snapshot, None).await?.info.held;
        let plan = HoldPlan {
            snapshot,
            reason: args.reason,
            held,
        };
        context.output.document("hold-plan", &plan, plan_text);
        return Ok(Exit::DONE);
    }
    let hold = service.hold(&snapshot, &args.reason).await?;
    context.output.document("hold", &hold, hold_text);
    Ok(Exit::DONE)
}

pub(super) async fn release(args: ReleaseArgs, context: &Context) -> Result<Exit, Failure> {
    let service = context.service().await?;
    let snapshot = args.snapshot;
    if args.dry_run {
        let info = service.snapshot(&snapshot, None).await?.info;
        let held = info.held.is_some();
        let plan = Release { snapshot, held };
        context.output.document("release-plan", &plan, |plan| {
            if plan.held {
                format!("would release {}", plan.snapshot)
            } else {
                format!("{} is not held", plan.snapshot)
            }
        });
        return Ok(Exit::DONE);
    }
    let held = service.release(&snapshot).await?;
    let released = Release { snapshot, held };
    context.output.document("release", &released, |released| {
        if released.held {
            format!(
                "{} is no longer held: from now on the policy decides about it",
                released.snapshot
            )
        } else {
            format!("{} was not held; nothing changed", released.snapshot)
        }
    });
    Ok(Exit::DONE)
}

fn reason(text: &str) -> Result<String, &'static str> {
    if is_reason(text) {
        Ok(text.to_owned())
    } else {
        Err("a reason has 1 to 200 bytes and no control characters")
    }
}

fn plan_text(plan: &HoldPlan) -> String {
    let now = plan.held.as_ref().map_or_else(String::new, |reason| {
        format!("; it is held already: {}", show::name(reason))
    });
    format!(
        "would hold {}: {}{now}",
        plan.snapshot,
        show::name(&plan.reason)
    )
}

fn hold_text(hold: &HoldInfo) -> String {
    format!(
        "{} is held until `backupctl snapshot release {}`: {}",
        hold.snapshot,
        hold.snapshot,
        show::name(&hold.reason)
    )
}
