//! `backupctl backup`.

use backup_model::{BackupReport, Code, Failure, JobName};
use backupd_api::TaskRequest;

use crate::{context::Context, exit::Exit, show};

/// Run a job of the configuration now.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The job.
    job: JobName,

    /// Leave it to the daemon, and do not wait for its end.
    #[arg(long)]
    detach: bool,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    if args.detach {
        return detach(args, context).await;
    }
    let service = context.service().await?;
    let report = service.backup(&args.job, &context.task()).await?;
    context.output.clear();
    for warning in &report.warnings {
        context.output.warning(warning);
    }
    context.output.document("backup", &report, text);
    Ok(if report.complete && report.warnings.is_empty() {
        Exit::DONE
    } else {
        Exit::WARNINGS
    })
}

async fn detach(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let Some(daemon) = context.daemon().await? else {
        let text = "no daemon answers that it could be left to";
        return Err(Failure::new(Code::Daemon, text));
    };
    let job = args.job.clone();
    let begun = daemon.begin(&TaskRequest::Backup { job }).await?;
    context.output.document("task", &begun, |task| {
        format!(
            "begun; what comes of it: backupctl run list --job {}",
            task.object
        )
    });
    Ok(Exit::DONE)
}

fn text(report: &BackupReport) -> String {
    let state = if report.complete {
        "complete"
    } else {
        "partial: something could not be read"
    };
    let resumed = match report.resumed_bytes {
        0 => String::new(),
        bytes => format!(" ({} of it by a run that broke off)", show::bytes(bytes)),
    };
    format!(
        "{}  {}  {state}\n  read {}, of which new {}; stored {} for it{resumed}; {}",
        report.snapshot,
        show::time(report.created),
        show::bytes(report.read_bytes),
        show::bytes(report.new_bytes),
        show::bytes(report.added_bytes),
        show::duration(report.took_secs),
    )
}
