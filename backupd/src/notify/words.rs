//! What a message says to people: a title and lines, the same by every channel that carries text.

use std::collections::BTreeMap;

use backup_model::{EventKind, JobStatus, ProtectionState, Span, StatusReport};

use super::{Event, Message};

/// In one line.
pub(super) fn title(server: &str, message: &Message) -> String {
    let what = match message {
        Message::Events(_, events) => changes(events),
        Message::Digest(report) => counts(report),
        Message::Test(_) => "a test".to_owned(),
        Message::Run(run, ..) => format!("run {run}"),
    };
    format!("backupd on {server}: {what}")
}

/// The whole of it.
pub(super) fn text(message: &Message) -> String {
    match message {
        Message::Events(_, events) => {
            let line = |event: &Event| format!("{}: {}: {}", event.about, event.kind, event.text);
            events.iter().map(line).collect::<Vec<_>>().join("\n")
        }
        Message::Digest(report) => digest(report),
        Message::Test(_) => {
            "This is a test. Whoever reads it will hear of backups here.".to_owned()
        }
        Message::Run(_, _, text) => text.clone(),
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// Nothing is wrong, or something is over.
    Good,
    /// Something is to be seen to.
    Warning,
    /// Backups are lost, or not made.
    Severe,
}

/// The worst of what it says.
pub(super) fn weight(message: &Message) -> Weight {
    let is_severe = |kind| {
        matches!(
            kind,
            EventKind::Breached | EventKind::Damage | EventKind::Failed
        )
    };
    match message {
        Message::Events(_, events) if events.iter().any(|event| is_severe(event.kind)) => {
            Weight::Severe
        }
        Message::Events(_, events) => {
            let good = |event: &Event| event.kind == EventKind::Recovered;
            let all = !events.is_empty() && events.iter().all(good);
            if all { Weight::Good } else { Weight::Warning }
        }
        Message::Digest(report) => {
            let states = report.jobs.iter().map(|job| job.protection.state);
            match states.max().unwrap_or(ProtectionState::Protected) {
                ProtectionState::Breached => Weight::Severe,
                ProtectionState::Protected if report.faults.is_empty() => Weight::Good,
                _ => Weight::Warning,
            }
        }
        Message::Test(_) | Message::Run(..) => Weight::Warning,
    }
}

fn changes(events: &[Event]) -> String {
    let Some((first, more)) = events.split_first() else {
        return "nothing new".to_owned();
    };
    let first = format!("{}: {}", first.about, first.kind);
    if more.is_empty() {
        first
    } else {
        format!("{first} and {} more", more.len())
    }
}

/// How many jobs are in each state, the worst first.
fn counts(report: &StatusReport) -> String {
    let mut states: BTreeMap<ProtectionState, usize> = BTreeMap::new();
    for job in &report.jobs {
        *states.entry(job.protection.state).or_default() += 1;
    }
    if states.is_empty() {
        return "no jobs".to_owned();
    }
    let each = states.iter().rev();
    let each: Vec<_> = each
        .map(|(state, n)| format!("{n} {}", plain(*state)))
        .collect();
    each.join(", ")
}

/// The word as it stands within a sentence.
fn plain(state: ProtectionState) -> String {
    state.to_string().to_lowercase()
}

fn digest(report: &StatusReport) -> String {
    let mut lines: Vec<String> = report
        .faults
        .iter()
        .map(|fault| format!("the daemon: {} {fault}", fault.code))
        .collect();
    let mut jobs: Vec<&JobStatus> = report.jobs.iter().collect();
    jobs.sort_by(|a, b| {
        let (a, b) = (&a.protection, &b.protection);
        b.state.cmp(&a.state).then_with(|| a.job.cmp(&b.job))
    });
    for job in jobs {
        let stands = &job.protection;
        let good = match &stands.last_good {
            Some(good) => {
                let age = Span(report.at.duration_since(good.created));
                format!("last good snapshot {age} ago")
            }
            None => "no good snapshot".to_owned(),
        };
        let state = plain(stands.state);
        lines.push(format!("job {}: {state}, {good}", stands.job));
        if let Some(paused) = &stands.paused {
            let why = paused.why.as_deref().unwrap_or("no reason given");
            lines.push(format!("  paused by {}: {why}", paused.who));
        }
        lines.extend(stands.reasons.iter().map(|reason| format!("  {reason}")));
    }
    lines.join("\n")
}
