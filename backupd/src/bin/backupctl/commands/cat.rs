//! `backupctl cat`.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
};

use backup_model::{Code, Failure, Selection};

use super::{administrator::KeyArgs, snapshot::resolve};
use crate::{context::Context, exit::Exit};

/// Write one stream of a snapshot to standard output, after checking it whole.
///
/// A dump is for `pg_restore`, globals for `psql`, files for `tar`. Names are in `snapshot show`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The snapshot, as in webui/41; or a job, for its newest.
    snapshot: Selection,
    /// The stream's name.
    stream: String,
    #[command(flatten)]
    key: KeyArgs,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let key = args.key.read(context).await?;
    let is_sql = Path::new(&args.stream).extension() == Some("sql".as_ref());
    if io::stdout().is_terminal() && !is_sql {
        let text = format!(
            "{} is not text, and standard output is a terminal",
            args.stream
        );
        return Err(Failure::new(Code::Usage, text));
    }
    let service = context.direct()?;
    let name = resolve(&args.snapshot, &service).await?;
    let meant = [Selection::One(name.clone())];
    let keys = key.open(&service, &meant, context).await?;
    let out = Box::new(io::stdout());
    let cancel = context.stop.token();
    service.cat(&name, &args.stream, &keys, out, cancel).await?;
    Ok(Exit::DONE)
}
