//! `backupctl health`.

use backup_model::{Failure, HealthItem, HealthReport, HealthState};

use crate::{context::Context, exit::Exit, show};

/// Show what was measured of everything around the jobs, and what to do about it.
///
/// Repositories, databases and their servers, files, certificates, web addresses, the clock, the
/// recovery kit, the daemon. What cannot be measured is said to be unknown. The exit status says
/// how it is: 0 all is well, 5 something is at risk, 6 breached, 7 unknown.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

pub(crate) async fn run(_: &Args, context: &Context) -> Result<Exit, Failure> {
    let report = context.service().await?.health().await?;
    context.output.document("health", &report, text);
    Ok(exit(report.worst()))
}

/// The exit status of a monitoring probe.
const fn exit(worst: HealthState) -> Exit {
    match worst {
        HealthState::Ok => Exit::DONE,
        HealthState::AtRisk => Exit::AT_RISK,
        HealthState::Breached => Exit::BREACHED,
        HealthState::Unknown => Exit::UNKNOWN,
    }
}

const fn mark(state: HealthState) -> &'static str {
    match state {
        HealthState::Ok => "✓",
        HealthState::AtRisk => "!",
        HealthState::Breached => "✕",
        HealthState::Unknown => "?",
    }
}

/// Object by object, the worst first; below what is not well, what to do.
fn text(report: &HealthReport) -> String {
    let ids = report.items.iter().map(|item| item.id.len());
    let width = ids.max().unwrap_or_default();
    let mut lines = Vec::new();
    let mut object = None;
    for item in &report.items {
        if object != Some(&item.object) {
            if object.is_some() {
                lines.push(String::new());
            }
            lines.push(show::name(&item.object));
            object = Some(&item.object);
        }
        lines.extend(rows(item, width));
    }
    lines.push(String::new());
    lines.push(counted(report));
    lines.join("\n")
}

fn rows(item: &HealthItem, width: usize) -> Vec<String> {
    let (mark, word) = (mark(item.state), item.state.as_str());
    let mut rows = vec![format!(
        "  {mark} {word:<8}  {:<width$}  {}",
        item.id,
        show::name(&item.evidence)
    )];
    rows.extend(item.fix.iter().map(|fix| {
        let indent = 14 + width;
        format!("{:indent$}→ {}", "", show::name(fix))
    }));
    rows
}

/// How many of each, and of when.
fn counted(report: &HealthReport) -> String {
    let counts = HealthState::ALL.into_iter().filter_map(|state| {
        let number = report.count(state);
        let word = state.as_str();
        let word = if state == HealthState::Ok {
            word.to_owned()
        } else {
            word.to_lowercase()
        };
        (number > 0).then(|| format!("{} {number} {word}", mark(state)))
    });
    let counts: Vec<String> = counts.collect();
    format!(
        "{}: {}, {}",
        show::count(report.items.len(), "check", "checks"),
        counts.join("  "),
        report.at.strftime("measured at %H:%M:%S UTC")
    )
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn what_a_file_is_called_does_not_steer_a_terminal() {
        let name = "\u{1b}[2J;reboot;.env";
        let item = HealthItem::at_risk("env-mode", name, name, name);
        let report = HealthReport::new(Timestamp::UNIX_EPOCH, vec![item]);
        assert!(!text(&report).contains('\u{1b}'));
    }

    #[test]
    fn it_is_read_from_the_worst_on_with_what_to_do_below() {
        let items = vec![
            HealthItem::ok("clock", "this machine", "the clock is kept right by NTP"),
            HealthItem::ok("repository-latency", "repository main", "median 1.0 ms"),
            HealthItem::at_risk(
                "recovery-kit",
                "repository main",
                "none was proved",
                "Make one.",
            ),
        ];
        let report = HealthReport::new(Timestamp::UNIX_EPOCH, items);
        let expected = "\
repository main
  ! At risk   recovery-kit        none was proved
                                → Make one.
  ✓ OK        repository-latency  median 1.0 ms

this machine
  ✓ OK        clock               the clock is kept right by NTP

3 checks: ! 1 at risk  ✓ 2 OK, measured at 00:00:00 UTC";
        assert_eq!(text(&report), expected);
        assert_eq!(exit(report.worst()), Exit::AT_RISK);
        let nothing = HealthReport::new(Timestamp::UNIX_EPOCH, Vec::new());
        assert_eq!(exit(nothing.worst()), Exit::UNKNOWN);
    }
}
