//! `backupctl prune …`.

use std::time::Duration;

use backup_model::{Code, Failure, PrunePlan, PruneReport, PruneState};
use backupd::{clock, units::parse_duration};
use backupd_api::{PruneRequest, Service, Task};
use jiff::Timestamp;

use super::place::{Named, PlaceArg, Places, PlacesArg};
use crate::{ask::Shown, context::Context, exit::Exit, show};

/// Nobody has to wait longer than this for what has ended meanwhile.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// What to do about what no snapshot names.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    /// Show what a prune would delete, what stays, and what it would wait for. Changes nothing.
    Plan(PlanArgs),
    Apply(ApplyArgs),
}

/// What to look at.
#[derive(clap::Args, Debug)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    place: PlacesArg,
}

/// Delete what no snapshot names: shows the plan, asks, and goes as far as can be gone now.
///
/// A prune has two phases. It is begun by storing its plan; what it names is deleted by a later
/// call, after the runs that were under way have ended and the grace has passed. Whoever may
/// maintain the repository can go on with it; backups run meanwhile.
#[derive(clap::Args, Debug)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    place: PlaceArg,

    /// How long the plan stands before anything is deleted: a window for second thoughts, from 0
    /// on.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = grace)]
    grace: Duration,

    /// Wait for open runs and the grace, and finish.
    #[arg(long)]
    wait: bool,

    /// The repository, said once more; needed for a plan that deletes very much.
    #[arg(long, value_name = "REPOSITORY")]
    confirm: Option<String>,

    /// Show the plan, and stop.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(crate) async fn run(command: Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::Plan(args) => plan(&args, context).await,
        Command::Apply(args) => apply(args, context).await,
    }
}

async fn plan(args: &PlanArgs, context: &Context) -> Result<Exit, Failure> {
    let service = context.service().await?;
    let question = async |name: &str| service.plan_prune(name, &context.task()).await;
    let (plans, exit) = args.place.ask(&*service, context, question).await?;
    context
        .output
        .document("prune-plan", &plans, |plans| plans.text(plan_text));
    Ok(exit)
}

async fn apply(args: ApplyArgs, context: &Context) -> Result<Exit, Failure> {
    let service = context.service().await?;
    let name = args.place.choose(&*service).await?;
    let task = context.task();
    let of = service.plan_prune(&name, &task).await?;
    context.output.clear();
    let empty = of.packs.and(of.lists).objects == 0 && !of.begun;
    let large = of.needs_confirmation;
    let repositories = vec![Named {
        name: name.clone(),
        of,
    }];
    let plans = Places { repositories };
    if args.dry_run {
        context
            .output
            .document("prune-plan", &plans, |plans| plans.text(plan_text));
        return Ok(Exit::DONE);
    }
    let shown = context.propose("prune-plan", &plans, |plans| plans.text(plan_text));
    if !empty {
        let confirm = args.confirm.as_deref();
        agree(context, shown, (&name, large), confirm).await?;
    }
    let request = PruneRequest {
        repository: name.clone(),
        grace_secs: args.grace.as_secs(),
        allow_large: large,
    };
    let of = if args.wait {
        until_done(&*service, &request, &task, context).await?
    } else {
        service.prune(&request, &task).await?
    };
    context.output.clear();
    let report = Named { name, of };
    context.output.document("prune", &report, report_text);
    Ok(Exit::DONE)
}

/// What takes much needs the repository's name, everything else a yes.
async fn agree(
    context: &Context,
    shown: Shown,
    (name, large): (&str, bool),
    confirm: Option<&str>,
) -> Result<(), Failure> {
    const QUESTION: &str = "Delete?";
    match confirm {
        None if !large => context.agree(shown, QUESTION).await,
        _ => context.agree_to_loss(shown, QUESTION, name, confirm).await,
    }
}

/// Calls again and again until the prune is done. Stopped, it is taken up by the next call.
async fn until_done(
    service: &dyn Service,
    request: &PruneRequest,
    task: &Task,
    context: &Context,
) -> Result<PruneReport, Failure> {
    let mut told = None;
    loop {
        let report = service.prune(request, task).await?;
        let Some(pause) = pause(&report.progress, clock::now()) else {
            return Ok(report);
        };
        let state = state_text(&report);
        if told.as_ref() != Some(&state) {
            context.output.note(&format!("waiting: {state}"));
            told = Some(state);
        }
        // Dropping the pause is safe: it holds nothing.
        tokio::select! {
            () = task.cancel.cancelled() => return Err(context.stop.failure()),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// How long to wait before looking again; none when there is nothing to wait for.
fn pause(state: &PruneState, now: Timestamp) -> Option<Duration> {
    match state {
        PruneState::Waiting { .. } => Some(LOOK_EVERY),
        PruneState::Grace { until } => {
            // The store's clock decides, and it may go differently than ours.
            let left = Duration::try_from(until.duration_since(now)).unwrap_or_default();
            Some(left.clamp(Duration::from_secs(1), LOOK_EVERY))
        }
        _ => None,
    }
}

fn grace(text: &str) -> Result<Duration, Failure> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    parse_duration(text).map_err(|error| Failure::from_error(Code::Usage, &error))
}

fn plan_text(named: &Named<PrunePlan>) -> String {
    let Named { name, of: plan } = named;
    let stays = format!(
        "{}, {}, for {}",
        show::number(plan.kept.objects, "pack", "packs"),
        show::bytes(plan.kept.bytes),
        show::number(plan.snapshots, "snapshot", "snapshots"),
    );
    if plan.packs.and(plan.lists).objects == 0 && !plan.begun {
        return format!("{name}: nothing to prune; {stays}");
    }
    let mut lines = vec![format!(
        "{name}: prune {}{}",
        plan.generation,
        if plan.begun {
            ", which has begun: `backupctl prune apply` goes on with it"
        } else {
            ""
        }
    )];
    let share = match plan.share_percent {
        0 => "less than 1 %".to_owned(),
        share => format!("{share} %"),
    };
    lines.push(format!(
        "  goes   {}, {}, and {}, {}: {share} of what snapshots once named",
        show::number(plan.packs.objects, "pack", "packs"),
        show::bytes(plan.packs.bytes),
        show::number(plan.lists.objects, "list", "lists"),
        show::bytes(plan.lists.bytes),
    ));
    lines.push(format!("  stays  {stays}"));
    for run in &plan.open {
        lines.push(format!("  waits for {}", show::open_run(run)));
    }
    for pinned in &plan.pinned {
        lines.push(format!(
            "  somebody is reading {pinned}: what it names stays"
        ));
    }
    if plan.needs_confirmation {
        lines.push(format!(
            "  ! that is very much: it needs --confirm {name} beside a yes"
        ));
    }
    lines.join("\n")
}

fn report_text(named: &Named<PruneReport>) -> String {
    let Named { name, of: report } = named;
    let mut lines = vec![format!("{name}: {}", state_text(report))];
    for run in &report.fenced {
        lines.push(format!("  ended {run}, which was past its limit"));
    }
    if report.retained.objects > 0 {
        lines.push(format!(
            "  the store keeps {}, {}, since they are locked; they are dead all the same",
            show::number(report.retained.objects, "object", "objects"),
            show::bytes(report.retained.bytes),
        ));
    }
    lines.join("\n")
}

/// How far it came, and when to call again.
fn state_text(report: &PruneReport) -> String {
    let planned = format!(
        "prune {} has begun, with {} and {} to delete",
        report.generation,
        show::number(report.packs.objects, "pack", "packs"),
        show::bytes(report.packs.and(report.lists).bytes),
    );
    match &report.progress {
        PruneState::Nothing => "nothing to prune".to_owned(),
        PruneState::Waiting { runs } => {
            let runs: Vec<String> = runs.iter().map(show::open_run).collect();
            format!(
                "{planned}; it waits for {}. Call again when that has ended",
                runs.join(" and for ")
            )
        }
        PruneState::Grace { until } => format!(
            "{planned}; nothing is deleted before {}. Call again then, or now with --grace 0",
            show::time(*until)
        ),
        PruneState::Done => {
            let all = report.packs.and(report.lists);
            let freed = all.bytes.saturating_sub(report.retained.bytes);
            format!(
                "deleted {} and {}, {} freed, {}",
                show::number(report.packs.objects, "pack", "packs"),
                show::number(report.lists.objects, "list", "lists"),
                show::bytes(freed),
                show::duration(report.took_secs),
            )
        }
        _ => "a state that this program does not know".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use backup_model::{Amount, OpenRun};

    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn open() -> OpenRun {
        OpenRun {
            run: "webui/42".parse().unwrap(),
            began: time("2026-11-22T02:30:00Z"),
            limit: time("2026-11-23T02:30:00Z"),
        }
    }

    fn amount(objects: u64, bytes: u64) -> Amount {
        Amount { objects, bytes }
    }

    fn named<T>(of: T) -> Named<T> {
        let name = "main".to_owned();
        Named { name, of }
    }

    #[test]
    fn a_plan_says_what_goes_what_stays_and_what_it_waits_for() {
        let mut plan = PrunePlan {
            generation: 7,
            begun: false,
            packs: amount(41, 612 << 20),
            lists: amount(24, 80 << 10),
            snapshots: 14,
            kept: amount(38, 556 << 20),
            open: vec![open()],
            pinned: vec!["webui/40".parse().unwrap()],
            share_percent: 52,
            needs_confirmation: true,
        };
        assert_eq!(
            plan_text(&named(plan.clone())),
            "main: prune 7\n\
             \x20 goes   41 packs, 612.0 MiB, and 24 lists, 80.0 KiB: 52 % of what snapshots once named\n\
             \x20 stays  38 packs, 556.0 MiB, for 14 snapshots\n\
             \x20 waits for webui/000042, which began 2026-11-22 02:30 UTC and may be ended from 2026-11-23 02:30 UTC\n\
             \x20 somebody is reading webui/000040: what it names stays\n\
             \x20 ! that is very much: it needs --confirm main beside a yes"
        );
        (plan.packs, plan.lists) = (Amount::default(), Amount::default());
        assert_eq!(
            plan_text(&named(plan)),
            "main: nothing to prune; 38 packs, 556.0 MiB, for 14 snapshots"
        );
    }

    #[test]
    fn a_report_says_how_far_it_came_and_what_next() {
        let until = time("2026-11-23T02:30:00Z");
        let report = |progress| {
            report_text(&named(PruneReport {
                generation: 7,
                progress,
                packs: amount(41, 612 << 20),
                lists: amount(24, 80 << 10),
                retained: amount(1, 16 << 20),
                fenced: vec!["wiki/3".parse().unwrap()],
                took_secs: 4.2,
            }))
        };
        for (state, words) in [
            (PruneState::Nothing, "main: nothing to prune\n"),
            (
                PruneState::Waiting { runs: vec![open()] },
                "it waits for webui/000042, which began 2026-11-22 02:30 UTC and may be ended from \
                 2026-11-23 02:30 UTC. Call again",
            ),
            (
                PruneState::Grace { until },
                "nothing is deleted before 2026-11-23 02:30 UTC. Call again then",
            ),
            (
                PruneState::Done,
                "main: deleted 41 packs and 24 lists, 596.1 MiB freed, 4.2 s\n\
                 \x20 ended wiki/000003, which was past its limit\n\
                 \x20 the store keeps 1 object, 16.0 MiB",
            ),
        ] {
            let text = report(state);
            assert!(text.contains(words), "{text}");
        }
    }

    #[test]
    fn pauses_are_bounded() {
        let now = time("2026-11-22T02:30:00Z");
        let until = |text| PruneState::Grace { until: time(text) };
        let secs = |state| pause(&state, now).map(|pause| pause.as_secs());
        assert_eq!(secs(until("2026-11-22T02:30:07Z")), Some(7));
        assert_eq!(secs(until("2027-11-22T02:30:07Z")), Some(30));
        assert_eq!(secs(until("2026-11-22T02:29:00Z")), Some(1));
        assert_eq!(secs(PruneState::Waiting { runs: vec![open()] }), Some(30));
        assert_eq!(secs(PruneState::Done), None);
    }

    #[test]
    fn a_grace_may_be_none() {
        assert_eq!(grace("0"), Ok(Duration::ZERO));
        assert_eq!(grace("2d"), Ok(Duration::from_hours(48)));
        assert_eq!(grace("24").unwrap_err().code, Code::Usage);
    }
}
