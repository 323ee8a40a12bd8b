//! `backupctl repo check`.

use backup_model::{CheckReport, Failure};

use super::place::{Named, PlacesArg};
use crate::{context::Context, exit::Exit, show};

/// Look over everything that can be seen without a key: records and their signatures, whether
/// each pack is there with its size, what is in nobody's name. Reads no data: for that there is
/// `verify`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    place: PlacesArg,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let service = context.service().await?;
    let question = async |name: &str| service.check(name, &context.task()).await;
    let (report, exit) = args.place.ask(&*service, context, question).await?;
    let checked = report.repositories.iter();
    let faults = checked.flat_map(|checked| &checked.of.faults);
    let exit = faults.fold(exit, |exit, fault| exit.worse(Exit::of(fault.code)));
    context
        .output
        .document("repo-check", &report, |report| report.text(text));
    Ok(exit)
}

fn text(named: &Named<CheckReport>) -> String {
    let Named { name, of: report } = named;
    let mut lines = vec![format!(
        "{name}: repository {}, trust version {}",
        report.repository, report.trust
    )];
    lines.push(format!(
        "  {}, {} forgotten; they name {}, {}",
        show::number(report.snapshots, "snapshot", "snapshots"),
        report.forgotten,
        show::number(report.named.objects, "pack", "packs"),
        show::bytes(report.named.bytes)
    ));
    if report.unnamed.objects > 0 {
        lines.push(format!(
            "  {}, {}, in nobody's name: of runs under way or broken off, or of forgotten \
             snapshots; `backupctl prune plan {name}`",
            show::number(report.unnamed.objects, "object", "objects"),
            show::bytes(report.unnamed.bytes)
        ));
    }
    for hold in &report.holds {
        lines.push(format!(
            "  {} is held since {}: {}",
            hold.snapshot,
            show::time(hold.created),
            show::name(&hold.reason)
        ));
    }
    lines.extend(
        report
            .open
            .iter()
            .map(|run| format!("  no end yet: {}", show::open_run(run))),
    );
    if let Some(generation) = report.prune {
        lines.push(format!(
            "  prune {generation} has begun and is not finished: `backupctl prune apply {name}`"
        ));
    }
    if report.foreign_objects > 0 {
        lines.push(foreign(report));
    }
    let told = |mark: char, failure: &Failure| {
        format!("  {mark} {} [{}]", show::failure(failure), failure.code)
    };
    lines.extend(report.notes.iter().map(|note| told('!', note)));
    lines.extend(report.faults.iter().map(|fault| told('✗', fault)));
    let took = show::duration(report.took_secs);
    lines.push(match report.faults.len() {
        0 => format!("✓ nothing is wrong, {took}"),
        n => format!("✗ {}, {took}", show::count(n, "fault", "faults")),
    });
    lines.join("\n")
}

fn foreign(report: &CheckReport) -> String {
    let shown = report.foreign.iter().map(|key| show::name(key));
    let shown = shown.collect::<Vec<_>>().join(", ");
    let named = report.foreign.len() as u64;
    let more = match report.foreign_objects.saturating_sub(named) {
        0 => String::new(),
        n => format!(", and {n} more"),
    };
    format!(
        "  {} not ours, left alone: {shown}{more}",
        show::number(report.foreign_objects, "object is", "objects are")
    )
}

#[cfg(test)]
mod tests {
    use backup_model::{Amount, Code, HoldInfo, OpenRun};

    use super::*;

    fn report() -> CheckReport {
        CheckReport {
            repository: "0123456789abcdef0123456789abcdef".parse().unwrap(),
            trust: 1,
            snapshots: 14,
            forgotten: 12,
            holds: Vec::new(),
            open: Vec::new(),
            named: Amount {
                objects: 38,
                bytes: 556 << 20,
            },
            unnamed: Amount::default(),
            prune: None,
            foreign: Vec::new(),
            foreign_objects: 0,
            faults: Vec::new(),
            notes: Vec::new(),
            took_secs: 0.6,
        }
    }

    fn shown(of: CheckReport) -> String {
        let name = "main".to_owned();
        text(&Named { name, of })
    }

    #[test]
    fn a_sound_repository_takes_three_lines() {
        assert_eq!(
            shown(report()),
            "main: repository 0123456789abcdef0123456789abcdef, trust version 1\n\
             \x20 14 snapshots, 12 forgotten; they name 38 packs, 556.0 MiB\n\
             ✓ nothing is wrong, 0.6 s"
        );
    }

    #[test]
    fn everything_that_is_odd_or_wrong_is_told() {
        let time = "2026-11-22T02:30:00Z".parse().unwrap();
        let text = shown(CheckReport {
            unnamed: Amount {
                objects: 1,
                bytes: 16 << 20,
            },
            holds: vec![HoldInfo {
                snapshot: "webui/40".parse().unwrap(),
                reason: "for the auditors".to_owned(),
                created: time,
            }],
            open: vec![OpenRun {
                run: "webui/42".parse().unwrap(),
                began: time,
                limit: time,
            }],
            prune: Some(7),
            foreign: vec!["lost+found\u{1b}".to_owned()],
            foreign_objects: 3,
            notes: vec![Failure::new(Code::Forgotten, "came back")],
            faults: vec![Failure::new(Code::Damaged, "packs/aa is missing")],
            ..report()
        });
        for line in [
            "  1 object, 16.0 MiB, in nobody's name",
            "  webui/000040 is held since 2026-11-22 02:30 UTC: for the auditors",
            "  no end yet: webui/000042, which began 2026-11-22 02:30 UTC",
            "  prune 7 has begun",
            "  3 objects are not ours, left alone: lost+found\\u{1b}, and 2 more",
            "  ! came back [E-FORGOTTEN]",
            "  ✗ packs/aa is missing [E-DAMAGED]",
            "✗ 1 fault, 0.6 s",
        ] {
            assert!(
                text.lines().any(|shown| shown.starts_with(line)),
                "{line}: {text}"
            );
        }
    }
}
