//! `backupctl verify`.

use backup_model::{Code, Failure, Level, Selection, Verdict, VerifyReport};
use backupd_api::VerifyRequest;
use clap::ValueEnum;

use super::administrator::KeyArgs;
use crate::{context::Context, exit::Exit, show};

/// Verify snapshots: is everything there and unaltered, and does it read?
///
/// One line a snapshot. The exit status is 0 when all are good, 4 when one is damaged, 8 when one
/// could not be tested, and another one of the table in the documentation when nothing could.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A snapshot (webui/41), a job for all of its snapshots, or `latest` for the newest of every
    /// job, which is the default.
    #[arg(value_name = "SNAPSHOT|JOB|latest", conflicts_with = "all")]
    selection: Option<Selection>,

    /// Every snapshot of every job.
    #[arg(long)]
    all: bool,

    /// How deep to look.
    #[arg(long, value_enum, default_value = "storage")]
    level: LevelArg,

    #[command(flatten)]
    key: KeyArgs,
}

/// How deep to look.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum LevelArg {
    /// Everything is there, whole, signed, in an unbroken chain. Needs no key.
    Storage,
    /// Also: everything decrypts, decompresses and has its digest. Needs an administrator's key.
    Data,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let selection = match args.selection {
        _ if args.all => Selection::All,
        Some(selection) => selection,
        None => Selection::Latest,
    };
    let (level, key) = match args.level {
        LevelArg::Storage => (Level::Storage, None),
        LevelArg::Data => (Level::Data, Some(args.key.read(context).await?)),
    };
    let service = context.service().await?;
    let meant = [selection];
    let keys = match key {
        Some(key) => Some(key.open(&*service, &meant, context).await?),
        None => None,
    };
    let [selection] = meant;
    let request = VerifyRequest {
        selection,
        level,
        keys,
    };
    let mut tally = Tally::default();
    let mut report = |report: VerifyReport| {
        tally.add(&report);
        if context.output.is_json() {
            context.output.line("verified", &report);
        } else {
            context.output.text(&line(&report));
        }
    };
    service
        .verify(&request, &mut report, &context.task())
        .await?;
    context.output.clear();
    tally.finish(context)
}

/// What was found so far.
#[derive(Debug, Default)]
struct Tally {
    good: usize,
    damaged: Vec<String>,
    untested: usize,
}

impl Tally {
    fn add(&mut self, report: &VerifyReport) {
        match &report.verdict {
            Verdict::Good => self.good += 1,
            Verdict::Damaged { .. } => self.damaged.push(report.snapshot.to_string()),
            _ => self.untested += 1,
        }
    }

    /// Damage is worse than what could not be tested. To have verified nothing is no success.
    fn finish(&self, context: &Context) -> Result<Exit, Failure> {
        let all = self.good + self.damaged.len() + self.untested;
        if all == 0 {
            let text = "there are no snapshots to verify";
            return Err(Failure::new(Code::NoSnapshot, text));
        }
        if let Some(first) = self.damaged.first() {
            context.output.note(&format!(
                "{} of {} damaged, the first one {first}",
                self.damaged.len(),
                show::count(all, "snapshot", "snapshots"),
            ));
            return Ok(Exit::of(Code::Damaged));
        }
        if self.untested > 0 {
            return Ok(Exit::UNTESTED);
        }
        Ok(Exit::DONE)
    }
}

fn line(report: &VerifyReport) -> String {
    let (mark, text) = match &report.verdict {
        Verdict::Good => ('✓', good(report)),
        Verdict::Damaged { faults } => ('✗', described(faults)),
        Verdict::Untested { reason } => ('?', format!("not tested: {}", show::failure(reason))),
        _ => ('?', "an outcome that this program does not know".to_owned()),
    };
    format!(
        "{mark} {}  {}  {:7}  {text}",
        report.snapshot,
        report
            .created
            .map_or_else(|| "time not known".to_owned(), show::time),
        report.level.as_str(),
    )
}

fn good(report: &VerifyReport) -> String {
    let packs = usize::try_from(report.packs).unwrap_or(usize::MAX);
    let mut text = format!(
        "{}, {}",
        show::count(packs, "pack", "packs"),
        show::bytes(report.stored_bytes)
    );
    if report.read_bytes > 0 {
        text.push_str(&format!(", read {}", show::bytes(report.read_bytes)));
    }
    text.push_str(&format!(", {}", show::duration(report.took_secs)));
    text
}

fn described(faults: &[Failure]) -> String {
    let first = faults.first().map_or_else(String::new, show::failure);
    match faults.len() {
        0 | 1 => first,
        n => format!("{first}; and {} more, all with --json", n - 1),
    }
}
