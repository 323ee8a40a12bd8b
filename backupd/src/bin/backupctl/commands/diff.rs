//! `backupctl snapshot diff`.

use std::path::PathBuf;

use backup_model::{Aspect, Change, Difference, EntryInfo, Failure, Selection};
use backupd_api::DiffRequest;

use super::{administrator::KeyArgs, ls::size, snapshot::resolve};
use crate::{context::Context, exit::Exit, show};

/// What to compare.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The first snapshot, as in webui/40.
    before: Selection,
    /// The second one; a job means its newest.
    after: Selection,
    /// Only this file or folder.
    path: Option<PathBuf>,
    #[command(flatten)]
    key: KeyArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let key = args.key.read(context).await?;
    let service = context.service().await?;
    let before = resolve(&args.before, &*service).await?;
    let after = resolve(&args.after, &*service).await?;
    let meant = [&before, &after].map(|name| Selection::One(name.clone()));
    let request = DiffRequest {
        before,
        after,
        path: args.path,
        keys: key.open(&*service, &meant, context).await?,
    };
    let mut count = 0;
    let mut report = |difference: Difference| {
        count += 1;
        if context.output.is_json() {
            context.output.line("difference", &difference);
        } else {
            context.output.text(&line(&difference));
        }
    };
    service.diff(&request, &mut report, &context.task()).await?;
    if count == 0 {
        context.output.note("nothing differs");
    }
    Ok(Exit::DONE)
}

fn line(difference: &Difference) -> String {
    let (change, name, aspects, sizes) = match difference {
        Difference::Stream {
            name,
            change,
            aspects,
            before,
            after,
        } => {
            let length = |stream: &backup_model::StreamInfo| show::bytes(stream.length_bytes);
            let sizes = [before, after].map(|side| side.as_deref().map(length));
            (
                change,
                format!("stream {}", show::name(name)),
                aspects,
                sizes,
            )
        }
        Difference::Entry {
            change,
            aspects,
            before,
            after,
        } => {
            let sizes = [before, after].map(|side| side.as_deref().map(size));
            (
                change,
                entry_name(before.as_deref(), after.as_deref()),
                aspects,
                sizes,
            )
        }
        _ => return "something that this program does not know".to_owned(),
    };
    let details = match sizes {
        [Some(before), Some(after)] => {
            let words = aspects.iter().map(|aspect| match aspect {
                Aspect::Size => format!("{before} → {after}"),
                other => word(*other).to_owned(),
            });
            words.collect::<Vec<_>>().join(", ")
        }
        [before, after] => before.or(after).unwrap_or_default(),
    };
    format!("{}  {name}  ({details})", mark(*change))
}

fn entry_name(before: Option<&EntryInfo>, after: Option<&EntryInfo>) -> String {
    let entry = before.or(after);
    entry.map_or_else(String::new, |entry| show::name(&entry.path))
}

const fn mark(change: Change) -> &'static str {
    match change {
        Change::Added => "added  ",
        Change::Removed => "removed",
        Change::Changed => "changed",
        _ => "differs",
    }
}

const fn word(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Kind => "kind",
        Aspect::Size => "size",
        Aspect::Content => "content",
        Aspect::Modified => "time",
        Aspect::Mode => "permissions",
        Aspect::Owner => "owner",
        Aspect::Target => "target",
        Aspect::Digest => "digest",
        Aspect::Facts => "facts",
        _ => "something else",
    }
}
