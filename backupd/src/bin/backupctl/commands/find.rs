//! `backupctl snapshot find`.

use backup_model::{Code, Failure, Found, JobName, Selection};
use backupd_api::FindRequest;

use super::{administrator::KeyArgs, ls::size};
use crate::{context::Context, exit::Exit, show};

/// What to search for.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A pattern with *, ?, […] and **. With a slash in it, it is for whole paths; without one, for
    /// the last name.
    glob: String,
    /// Search snapshots of this job only.
    #[arg(long, value_name = "JOB")]
    job: Option<JobName>,
    #[command(flatten)]
    key: KeyArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let key = args.key.read(context).await?;
    let service = context.service().await?;
    let meant = [args.job.map_or(Selection::All, Selection::Job)];
    let keys = key.open(&*service, &meant, context).await?;
    let [selection] = meant;
    let request = FindRequest {
        selection,
        glob: args.glob,
        keys,
    };
    let mut trouble = Exit::DONE;
    let mut report = |found: Result<Found, Failure>| match found {
        Ok(found) if context.output.is_json() => context.output.line("found", &found),
        Ok(found) => context.output.text(&line(&found)),
        Err(failure) => {
            context.output.warning(&failure);
            trouble = trouble.worse(Exit::of(failure.code));
        }
    };
    match service.find(&request, &mut report, &context.task()).await {
        // What ended the search is told as a warning where something worse was found before.
        Err(failure) if trouble.worse(Exit::of(failure.code)) == trouble => {
            context.output.warning(&failure);
            Ok(trouble)
        }
        Err(failure) => Err(failure),
        // What could not be searched may hold it.
        Ok(_) if trouble != Exit::DONE => Ok(trouble),
        Ok(0) => {
            let text = format!("no snapshot has anything like `{}`", request.glob);
            Err(Failure::new(Code::NoPath, text))
        }
        Ok(_) => Ok(Exit::DONE),
    }
}

fn line(found: &Found) -> String {
    let entry = &found.entry;
    let digest = entry.digest.to_string();
    format!(
        "{}  {:>10}  {:20}  {}  {}",
        found.snapshot,
        size(entry),
        entry.modified.map_or_else(|| "-".to_owned(), show::time),
        digest.get(..12).unwrap_or(&digest),
        show::name(&entry.path),
    )
}
