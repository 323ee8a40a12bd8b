//! `backupctl repo stats`.

use backup_model::{Failure, JobStats, RepositoryStats};

use super::place::{Named, PlacesArg};
use crate::{
    context::Context,
    exit::Exit,
    show,
    table::{Align, table},
};

/// Say what a repository holds: job by job, all told, and what is in nobody's name.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    place: PlacesArg,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let service = context.service().await?;
    let question = async |name: &str| service.stats(name, &context.task()).await;
    let (report, exit) = args.place.ask(&*service, context, question).await?;
    context
        .output
        .document("repo-stats", &report, |report| report.text(text));
    Ok(exit)
}

fn text(named: &Named<RepositoryStats>) -> String {
    let Named { name, of: stats } = named;
    let mut lines = vec![format!("{name}: repository {}", stats.repository)];
    if stats.jobs.is_empty() {
        lines.push("no snapshots yet".to_owned());
    } else {
        lines.push(table(
            [
                ("JOB", Align::Left),
                ("SNAPSHOTS", Align::Right),
                ("OLDEST", Align::Left),
                ("NEWEST", Align::Left),
                ("STORED", Align::Right),
                ("EACH BY ITSELF", Align::Right),
                ("NEWEST ALONE", Align::Right),
            ],
            stats.jobs.iter().map(row),
        ));
        lines.push(String::new());
    }
    let all = stats.packs.and(stats.lists).and(stats.records);
    lines.push(format!(
        "in use   {} in {}: {} of data, {} of recipes and lists, {} of records",
        show::bytes(all.bytes),
        show::number(all.objects, "object", "objects"),
        show::bytes(stats.packs.bytes),
        show::bytes(stats.lists.bytes),
        show::bytes(stats.records.bytes),
    ));
    if stats.unnamed.objects > 0 {
        lines.push(format!(
            "in nobody's name   {} in {}: of runs under way or broken off, or of forgotten \
             snapshots; `backupctl prune apply {name}` frees what it may",
            show::bytes(stats.unnamed.bytes),
            show::number(stats.unnamed.objects, "object", "objects"),
        ));
    }
    lines.join("\n")
}

fn row(job: &JobStats) -> [String; 7] {
    let time = |time: Option<_>| time.map_or_else(|| "-".to_owned(), show::time);
    [
        job.job.to_string(),
        job.snapshots.to_string(),
        time(job.oldest),
        time(job.newest),
        show::bytes(job.packs.bytes),
        show::bytes(job.apart_bytes),
        show::bytes(job.newest_bytes),
    ]
}

#[cfg(test)]
mod tests {
    use backup_model::Amount;

    use super::*;

    #[test]
    fn jobs_and_totals_are_told_and_what_could_be_freed() {
        let amount = |objects, bytes| Amount { objects, bytes };
        let stats = RepositoryStats {
            repository: "0123456789abcdef0123456789abcdef".parse().unwrap(),
            jobs: vec![JobStats {
                job: "webui".parse().unwrap(),
                snapshots: 14,
                oldest: Some("2026-11-08T02:30:00Z".parse().unwrap()),
                newest: Some("2026-11-22T02:30:00Z".parse().unwrap()),
                packs: amount(38, 556 << 20),
                apart_bytes: 7 << 30,
                newest_bytes: 512 << 20,
            }],
            packs: amount(38, 556 << 20),
            lists: amount(28, 280 << 10),
            unnamed: amount(2, 32 << 20),
            records: amount(30, 30 << 10),
        };
        let name = "main".to_owned();
        assert_eq!(
            text(&Named { name, of: stats }),
            "main: repository 0123456789abcdef0123456789abcdef\n\
             JOB    SNAPSHOTS  OLDEST                NEWEST                   STORED  EACH BY ITSELF  NEWEST ALONE\n\
             webui         14  2026-11-08 02:30 UTC  2026-11-22 02:30 UTC  556.0 MiB         7.0 GiB     512.0 MiB\n\
             \n\
             in use   556.3 MiB in 96 objects: 556.0 MiB of data, 280.0 KiB of recipes and lists, 30.0 KiB of records\n\
             in nobody's name   32.0 MiB in 2 objects: of runs under way or broken off, or of forgotten snapshots; `backupctl prune apply main` frees what it may"
        );
    }
}
