//! `backupctl snapshot …`.

use backup_model::{
    Failure, Selection, SnapshotDetail, SnapshotInfo, SnapshotName, StreamInfo, Table, TableKind,
    Tables,
};
use serde::Serialize;

use super::{administrator::KeyArgs, diff, find, forget, hold, ls};
use crate::{
    context::Context,
    exit::Exit,
    show,
    table::{Align, table},
};

/// What to do with snapshots.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    /// List runs and their snapshots, oldest first.
    List(ListArgs),
    /// Show one snapshot; with an identity also what is in it, down to the tables of databases.
    Show(ShowArgs),
    /// List what is in the folders of a snapshot.
    Ls(ls::Args),
    /// Say what differs between two snapshots: added, removed and changed files; dumps as a whole.
    Diff(diff::Args),
    /// Search snapshots for files and folders, newest first.
    Find(find::Args),
    Hold(hold::HoldArgs),
    Release(hold::ReleaseArgs),
    Forget(forget::Args),
}

/// Which snapshots to list.
#[derive(clap::Args, Debug)]
pub(crate) struct ListArgs {
    /// A job, or one snapshot; everything by default.
    selection: Option<Selection>,
}

/// Which snapshot to show.
#[derive(clap::Args, Debug)]
pub(crate) struct ShowArgs {
    /// The snapshot, as in webui/41; or a job, for its newest.
    snapshot: Selection,
    #[command(flatten)]
    key: KeyArgs,
}

pub(crate) async fn run(command: Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::List(args) => list(args, context).await,
        Command::Show(args) => display(args, context).await,
        Command::Ls(args) => ls::run(args, context).await,
        Command::Diff(args) => diff::run(args, context).await,
        Command::Find(args) => find::run(args, context).await,
        Command::Hold(args) => hold::hold(args, context).await,
        Command::Release(args) => hold::release(args, context).await,
        Command::Forget(args) => forget::run(args, context).await,
    }
}

#[derive(Serialize)]
struct Listed {
    snapshots: Vec<SnapshotInfo>,
    invalid: Vec<Failure>,
}

async fn list(args: ListArgs, context: &Context) -> Result<Exit, Failure> {
    let selection = args.selection.unwrap_or(Selection::All);
    let mut listed = Listed {
        snapshots: Vec::new(),
        invalid: Vec::new(),
    };
    for run in context.service().await?.snapshots(&selection).await? {
        match run {
            Ok(info) => listed.snapshots.push(info),
            Err(failure) => listed.invalid.push(failure),
        }
    }
    context.output.document("snapshots", &listed, list_text);
    if !context.output.is_json() {
        for failure in &listed.invalid {
            context.output.warning(failure);
        }
    }
    let exits = listed.invalid.iter().map(|failure| Exit::of(failure.code));
    Ok(exits.fold(Exit::DONE, Exit::worse))
}

fn list_text(listed: &Listed) -> String {
    if listed.snapshots.is_empty() {
        return match listed.invalid.len() {
            0 => "no snapshots yet".to_owned(),
            n => format!(
                "no readable snapshots: {}",
                show::count(n, "bad record", "bad records")
            ),
        };
    }
    table(
        [
            ("SNAPSHOT", Align::Left),
            ("CREATED", Align::Left),
            ("END", Align::Left),
            ("HOLDS", Align::Left),
            ("STORED", Align::Right),
            ("ADDED", Align::Right),
        ],
        listed.snapshots.iter().map(row),
    )
}

fn row(info: &SnapshotInfo) -> [String; 6] {
    let sized = show::is_snapshot(info.end);
    let size = |bytes: u64| {
        if sized {
            show::bytes(bytes)
        } else {
            "-".to_owned()
        }
    };
    [
        info.snapshot.to_string(),
        show::time(info.created),
        end(info),
        if sized {
            info.kinds.join(", ")
        } else {
            "-".to_owned()
        },
        size(info.stored_bytes),
        size(info.added_bytes),
    ]
}

pub(super) fn end(info: &SnapshotInfo) -> String {
    let word = show::end(info.end);
    let held = info.held.as_ref().map_or("", |_| ", held");
    match &info.reason {
        None => format!("{word}{held}"),
        Some(reason) => format!("{word} ({reason}){held}"),
    }
}

async fn display(args: ShowArgs, context: &Context) -> Result<Exit, Failure> {
    let key = args.key.read_if_given(context).await?;
    let service = context.service().await?;
    let name = resolve(&args.snapshot, &*service).await?;
    let keys = match key {
        Some(key) => {
            let meant = [Selection::One(name.clone())];
            Some(key.open(&*service, &meant, context).await?)
        }
        None => None,
    };
    let detail = service.snapshot(&name, keys.as_ref()).await?;
    context.output.document("snapshot", &detail, show_text);
    if detail.streams.is_none() {
        context
            .output
            .note("what is in it can be read with --identity");
    }
    Ok(Exit::DONE)
}

/// One snapshot from what was typed: a job means its newest.
pub(super) async fn resolve(
    selection: &Selection,
    service: &dyn backupd_api::Service,
) -> Result<SnapshotName, Failure> {
    match selection {
        Selection::One(name) => Ok(name.clone()),
        Selection::Job(job) => service.newest(job).await,
        Selection::Latest | Selection::All => {
            let all = service.snapshots(&Selection::All).await?;
            let jobs: std::collections::BTreeSet<_> = all
                .iter()
                .flatten()
                .map(|info| info.snapshot.job.clone())
                .collect();
            let mut jobs = jobs.into_iter();
            match (jobs.next(), jobs.next()) {
                (Some(job), None) => service.newest(&job).await,
                (None, _) => Err(Failure::new(
                    backup_model::Code::NoSnapshot,
                    "there are no snapshots",
                )),
                (Some(_), Some(_)) => Err(Failure::new(
                    backup_model::Code::Usage,
                    "`latest` is not one snapshot here: there are several jobs; name one",
                )),
            }
        }
    }
}

fn show_text(detail: &SnapshotDetail) -> String {
    let info = &detail.info;
    let mut lines = vec![
        format!("{}  {}", info.snapshot, end(info)),
        format!("  created  {}", show::time(info.created)),
        format!(
            "  stored   {} in {}, {} of it added by this run",
            show::bytes(info.stored_bytes),
            show::count(usize::try_from(info.packs).unwrap_or(0), "pack", "packs"),
            show::bytes(info.added_bytes)
        ),
        format!("  record   {}", info.record),
    ];
    if let Some(reason) = &info.held {
        lines.insert(1, format!("  held     {}", show::name(reason)));
    }
    if let Some(streams) = &detail.streams {
        lines.push(String::new());
        lines.push(streams_table(streams));
        lines.extend(streams.iter().filter_map(facts));
    }
    lines.join("\n")
}

fn streams_table(streams: &[StreamInfo]) -> String {
    table(
        [
            ("  STREAM", Align::Left),
            ("KIND", Align::Left),
            ("LENGTH", Align::Right),
            ("ENTRIES", Align::Right),
        ],
        streams.iter().map(|stream| {
            [
                format!("  {}", stream.name),
                stream.kind.as_str().to_owned(),
                show::bytes(stream.length_bytes),
                stream
                    .entries
                    .map_or_else(|| "-".to_owned(), |n| n.to_string()),
            ]
        }),
    )
}

fn facts(stream: &StreamInfo) -> Option<String> {
    if let Some(database) = &stream.database {
        let extensions: Vec<_> = database.extensions.iter().map(|e| &e.name[..]).collect();
        return Some(format!(
            "\n  {}: database {} of PostgreSQL {}, {}, extensions: {}; roles: {}\n{}",
            stream.name,
            database.database,
            database.server_version,
            database.encoding,
            extensions.join(", "),
            database.roles.join(", "),
            tables(database.tables.as_ref()),
        ));
    }
    let files = stream.files.as_ref()?;
    let mut text = format!("\n  {}: {}", stream.name, files.roots.join(", "));
    if files.unreadable > 0 {
        text.push_str(&format!("\n  {} could not be read:", files.unreadable));
        for example in &files.examples {
            text.push_str(&format!("\n    {}: {}", example.path, example.error));
        }
    }
    if files.excluded > 0 {
        text.push_str(&format!("\n  {} left out by `exclude`", files.excluded));
    }
    if files.too_large > 0 {
        text.push_str(&format!("\n  {} left out as too large:", files.too_large));
        for example in &files.too_large_examples {
            let size = show::bytes(example.size_bytes);
            text.push_str(&format!("\n    {}: {size}", example.path));
        }
    }
    Some(text)
}

fn tables(tables: Option<&Tables>) -> String {
    let Some(Tables { total, list }) = tables else {
        return "  its tables are not known".to_owned();
    };
    if list.is_empty() {
        return format!("  {}", show::number(*total, "table", "tables"));
    }
    let mut text = table(
        [
            ("  TABLE", Align::Left),
            ("ROWS", Align::Right),
            ("SIZE", Align::Right),
        ],
        list.iter().map(|table| {
            [
                format!("  {}", table_name(table)),
                table
                    .rows
                    .map_or_else(|| "-".to_owned(), |rows| format!("≈ {rows}")),
                show::bytes(table.bytes),
            ]
        }),
    );
    let shown = list.len() as u64;
    if shown < *total {
        text.push_str(&format!("\n  the first {shown} of {total} tables"));
    }
    text
}

fn table_name(table: &Table) -> String {
    let kind = match table.kind {
        TableKind::Partitioned => " (partitioned)",
        TableKind::MaterializedView => " (materialized view)",
        TableKind::Foreign => " (foreign)",
        _ => "",
    };
    format!(
        "{}.{}{kind}",
        show::name(&table.schema),
        show::name(&table.name)
    )
}
