//! `backupctl backup`.

use backup_model::{BackupReport, Failure, JobName};

use crate::{context::Context, exit::Exit, show};

/// Run a job of the configuration now.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The job.
    job: JobName,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
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
