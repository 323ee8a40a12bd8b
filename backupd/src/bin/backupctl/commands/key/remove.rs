//! `backupctl key remove`.

use backup_model::{Failure, JobName};

use super::{
    open::{Of, RootKey, authority, failed},
    plan::{Plan, told},
};
use crate::{context::Context, exit::Exit};

/// Put an administrator or a writer out.
///
/// An administrator has read what he has read, and may keep a copy of his key files: `key rotate
/// --without NAME` first keeps new backups from him. Of a writer, what is in the repository goes on
/// to count.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The administrator, or the writer with --writer.
    name: JobName,

    /// It is a writer.
    #[arg(long)]
    writer: bool,

    #[command(flatten)]
    root: RootKey,

    #[command(flatten)]
    of: Of,

    /// Say what would be done, and stop.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let root = args.root.read()?;
    let opened = args.of.open(context).await?;
    let authority = authority(&opened.repository, &root)?;
    let name = &args.name;
    let plan = if args.writer {
        Plan {
            repository: opened.name.clone(),
            change: format!("put the writer `{name}` out"),
            consequences: vec!["What it has stored so far stays; it stores nothing more."],
        }
    } else {
        Plan {
            repository: opened.name.clone(),
            change: format!("put the administrator `{name}` out, and delete his key files"),
            consequences: vec![
                "What he has read, he has read. New backups are kept from him by",
                "`backupctl key rotate --without NAME`, before he is put out.",
            ],
        }
    };
    if !plan.agree(args.dry_run, context).await? {
        return Ok(Exit::DONE);
    }
    let change = if args.writer {
        authority.remove_writer(name).await
    } else {
        authority.remove_administrator(name).await
    };
    let change = change.map_err(|error| failed(&error))?;
    let done = format!("`{name}` is out");
    Ok(told(&opened.name, &change, &done, context))
}
