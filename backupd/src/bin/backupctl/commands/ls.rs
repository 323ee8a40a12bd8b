//! `backupctl snapshot ls`.

use std::path::PathBuf;

use backup_model::{EntryInfo, EntryKind, Failure, Selection};
use backupd_api::LsRequest;

use super::{administrator::KeyArgs, snapshot::resolve};
use crate::{context::Context, exit::Exit, show};

/// What to look at.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The snapshot, as in webui/41; or a job, for its newest.
    snapshot: Selection,
    /// A file or folder in it; the outermost ones by default.
    path: Option<PathBuf>,
    /// Everything beneath, too.
    #[arg(short, long)]
    recursive: bool,
    #[command(flatten)]
    key: KeyArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let key = args.key.read(context).await?;
    let service = context.service().await?;
    let snapshot = resolve(&args.snapshot, &*service).await?;
    let meant = [Selection::One(snapshot.clone())];
    let request = LsRequest {
        snapshot,
        path: args.path,
        recursive: args.recursive,
        keys: key.open(&*service, &meant, context).await?,
    };
    let mut report = |entry: EntryInfo| {
        if context.output.is_json() {
            context.output.line("entry", &entry);
        } else {
            context.output.text(&line(&entry));
        }
    };
    service.ls(&request, &mut report, &context.task()).await?;
    Ok(Exit::DONE)
}

fn line(entry: &EntryInfo) -> String {
    let owner = format!("{}:{}", entry.uid, entry.gid);
    let mut text = format!(
        "{}{}  {owner:>11}  {:>10}  {:20}  {}",
        letter(entry.kind),
        show::mode(entry.mode),
        size(entry),
        entry.modified.map_or_else(|| "-".to_owned(), show::time),
        show::name(&entry.path),
    );
    if let Some(target) = &entry.target {
        let arrow = match entry.kind {
            EntryKind::Hardlink => "is",
            _ => "->",
        };
        text.push_str(&format!(" {arrow} {}", show::name(target)));
    }
    text
}

/// The size of a file; nothing else has one.
pub(super) fn size(entry: &EntryInfo) -> String {
    match entry.kind {
        EntryKind::File => show::bytes(entry.size_bytes),
        _ => "-".to_owned(),
    }
}

const fn letter(kind: EntryKind) -> char {
    match kind {
        EntryKind::File => '-',
        EntryKind::Directory => 'd',
        EntryKind::Symlink => 'l',
        EntryKind::Hardlink => 'h',
        _ => '?',
    }
}
