//! `backupctl key list`.

use backup_model::{Failure, KeysReport, KitInfo};
use backupd::service::Direct;
use backupd_api::Service as _;
use jiff::Timestamp;

use super::open::Of;
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

pub(super) async fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let opened = args.of.open(context).await?;
    let service = Direct::new(opened.access);
    let keys = service.keys(&opened.name).await?;
    context.output.document("keys", &keys, text);
    Ok(Exit::DONE)
}

fn text(keys: &KeysReport) -> String {
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
        kit_line(&keys.kit)
    )
}

fn kit_line(kit: &KitInfo) -> String {
    if kit.at_risk {
        let next = "backupctl kit create, then kit confirm";
        return format!("recovery kit: at risk, {}; next: {next}", kit.standing);
    }
    let until = kit
        .until
        .map(|until| format!(", until {}", show::time(until)));
    format!(
        "recovery kit: {}{}",
        kit.standing,
        until.unwrap_or_default()
    )
}
