//! `backupctl key list`.

use backup_keys::{Administrator, Role, TrustRecord, Writer};
use backup_model::Failure;
use jiff::Timestamp;
use serde::Serialize;

use super::{kit::KitRow, open::Of};
use crate::{
    context::Context,
    exit::Exit,
    show,
    table::{Align, table},
};

/// List who may open backups, the epochs of the data, and who may sign, and whether a recovery kit
/// was proved. Needs no key.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    of: Of,
}

/// What trust says.
#[derive(Debug, Serialize)]
struct Keys {
    repository: String,
    trust: u64,
    administrators: Vec<AdministratorRow>,
    epochs: Vec<EpochRow>,
    writers: Vec<WriterRow>,
    kit: KitRow,
}

#[derive(Debug, Serialize)]
struct AdministratorRow {
    name: String,
    kind: String,
    recipient: Option<String>,
    added: Timestamp,
    /// The epochs that he has a key file for.
    opens: Vec<u64>,
    /// When he last showed to open the newest of them.
    tested: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct EpochRow {
    number: u64,
    recipient: String,
    created: Timestamp,
}

#[derive(Debug, Serialize)]
struct WriterRow {
    name: String,
    key: String,
    roles: Vec<&'static str>,
    jobs: Option<Vec<String>>,
    from: Timestamp,
    until: Option<Timestamp>,
    removed: Option<Timestamp>,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let opened = args.of.open(context).await?;
    let kit = KitRow::of(&opened)?;
    let trust = opened.repository.trust();
    let keys = Keys {
        repository: opened.name,
        trust: trust.version,
        administrators: trust.administrators.iter().map(|a| row(trust, a)).collect(),
        epochs: trust
            .epochs
            .iter()
            .map(|epoch| EpochRow {
                number: epoch.number,
                recipient: epoch.recipient.clone(),
                created: epoch.created,
            })
            .collect(),
        writers: trust.writers.iter().map(writer).collect(),
        kit,
    };
    context.output.document("keys", &keys, text);
    Ok(Exit::DONE)
}

fn row(trust: &TrustRecord, administrator: &Administrator) -> AdministratorRow {
    let name = &administrator.name;
    let opened = || trust.epochs.iter().filter(|epoch| epoch.opened_by(name));
    let newest = opened().next_back();
    let mut files = newest.into_iter().flat_map(|epoch| &epoch.keys);
    let file = files.find(|file| file.administrator == *name);
    AdministratorRow {
        name: name.to_string(),
        kind: administrator.kind.to_string(),
        recipient: administrator.recipient.clone(),
        added: administrator.added,
        opens: opened().map(|epoch| epoch.number).collect(),
        tested: file.and_then(|file| file.tested),
    }
}

fn writer(writer: &Writer) -> WriterRow {
    let jobs = writer.jobs.as_ref();
    WriterRow {
        name: writer.name.to_string(),
        key: writer.key.to_string(),
        roles: writer.roles.iter().copied().map(role).collect(),
        jobs: jobs.map(|jobs| jobs.iter().map(ToString::to_string).collect()),
        from: writer.from,
        until: writer.until,
        removed: writer.removed.as_ref().map(|removal| removal.at),
    }
}

pub(super) const fn role(role: Role) -> &'static str {
    match role {
        Role::Write => "write",
        Role::Maintain => "maintain",
        Role::Prove => "prove",
    }
}

fn text(keys: &Keys) -> String {
    let left = Align::Left;
    let time = |time: Option<Timestamp>| time.map_or_else(|| "never".to_owned(), show::time);
    let administrators = table(
        [
            ("ADMINISTRATOR", left),
            ("KIND", left),
            ("ADDED", left),
            ("OPENS EPOCHS", left),
            ("TESTED", left),
        ],
        keys.administrators.iter().map(|row| {
            let opens: Vec<String> = row.opens.iter().map(ToString::to_string).collect();
            [
                row.name.clone(),
                row.kind.clone(),
                show::time(row.added),
                opens.join(", "),
                time(row.tested),
            ]
        }),
    );
    let current = keys.epochs.last().map_or(0, |epoch| epoch.number);
    let epochs = table(
        [("EPOCH", left), ("SINCE", left), ("", left)],
        keys.epochs.iter().map(|row| {
            let new = row.number == current;
            let word = if new {
                "new data is encrypted to it"
            } else {
                ""
            };
            [
                row.number.to_string(),
                show::time(row.created),
                word.to_owned(),
            ]
        }),
    );
    let writers = table(
        [
            ("WRITER", left),
            ("ROLES", left),
            ("JOBS", left),
            ("SINCE", left),
            ("", left),
        ],
        keys.writers.iter().map(|row| {
            let jobs = row.jobs.as_ref();
            let end = match (row.removed, row.until) {
                (Some(at), _) => format!("removed {}", show::time(at)),
                (None, Some(until)) => format!("until {}", show::time(until)),
                (None, None) => String::new(),
            };
            [
                row.name.clone(),
                row.roles.join(", "),
                jobs.map_or_else(|| "all".to_owned(), |jobs| jobs.join(", ")),
                show::time(row.from),
                end,
            ]
        }),
    );
    format!(
        "{}: trust version {}\n\n{administrators}\n\n{epochs}\n\n{writers}\n\n{}",
        keys.repository,
        keys.trust,
        keys.kit.line()
    )
}
