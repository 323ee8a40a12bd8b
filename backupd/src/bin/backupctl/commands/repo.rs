//! `backupctl repo …`.

use backup_core::store;
use backup_model::Failure;
use backupd::storage;
use serde::Serialize;

use super::{check, stats};
use crate::{context::Context, exit::Exit};

/// What to do with the repository's storage.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    Check(check::Args),
    Stats(stats::Args),
    /// Ask the storage whether it keeps two writers apart: creates small objects below `probe/`,
    /// one after another and several at once, and deletes them where that is allowed.
    Probe,
}

#[derive(Serialize)]
struct Report {
    repositories: Vec<Probed>,
}

#[derive(Serialize)]
struct Probed {
    repository: String,
    /// Whether creating an object that is there was refused.
    create_if_absent: bool,
    /// How many of several that created one object at once were told that they did.
    race_winners: usize,
    /// Whether only one host may write to the repository.
    single_writer: bool,
}

pub(crate) async fn run(command: &Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::Check(args) => check::run(args, context).await,
        Command::Stats(args) => stats::run(args, context).await,
        Command::Probe => probe(context).await,
    }
}

async fn probe(context: &Context) -> Result<Exit, Failure> {
    let access = context.access()?;
    let mut repositories = Vec::new();
    for place in access.places_of(None) {
        // Not a word is written to a place that is no repository of ours.
        place.open(&access.secrets).await?;
        let store = place.store(&access.secrets).await?;
        let found = store::probe(&store).await;
        let found = found.map_err(|error| storage::failure(&error))?;
        if !found.is_good() {
            context.output.warning(&storage::single_writer(store).1);
        }
        repositories.push(Probed {
            repository: place.name.clone(),
            create_if_absent: found.honoured,
            race_winners: found.winners,
            single_writer: !found.is_good(),
        });
    }
    let single = repositories.iter().any(|probed| probed.single_writer);
    let report = Report { repositories };
    context.output.document("repo-probe", &report, |report| {
        let lines = report.repositories.iter().map(|probed| {
            format!(
                "{}: create-if-absent {}, {} of 8 won a race\n",
                probed.repository,
                if probed.create_if_absent {
                    "holds"
                } else {
                    "is ignored"
                },
                probed.race_winners,
            )
        });
        lines.collect()
    });
    Ok(if single { Exit::WARNINGS } else { Exit::DONE })
}
