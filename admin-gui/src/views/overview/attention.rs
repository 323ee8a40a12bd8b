//! What needs somebody, the worst first: which cards there are, and what stands on each.

use backup_model::{Failure, JobStatus, ProtectionState, Selection, Span, StatusReport};
use jiff::{Timestamp, tz::TimeZone};

use super::cause::{self, Remedy, capital};
use crate::{
    kit::{Mark, words},
    state::{Act, Command, Deed, Place},
};

/// More would not be read.
const MOST: usize = 5;

/// What a card is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Subject<'a> {
    /// The daemon itself.
    Daemon(&'a Failure),
    /// A job.
    Job(&'a JobStatus),
}

impl Subject<'_> {
    /// How it stands, or stood.
    pub(super) const fn state(self) -> ProtectionState {
        match self {
            Self::Daemon(_) => ProtectionState::AtRisk,
            Self::Job(job) => job.protection.state,
        }
    }
}

/// The worst of what needs somebody, and how many there are in all.
pub(super) fn chosen(report: &StatusReport) -> (Vec<Subject<'_>>, usize) {
    let jobs = report.jobs.iter().map(Subject::Job);
    let faults = report.faults.iter().map(Subject::Daemon);
    let mut all: Vec<Subject<'_>> = faults
        .chain(jobs)
        .filter(|one| one.state() > ProtectionState::Protected)
        .collect();
    // Stable: among equals the order is that of the report.
    all.sort_by_key(|one| std::cmp::Reverse(one.state()));
    let count = all.len();
    all.truncate(MOST);
    (all, count)
}

/// A card.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Card {
    pub(super) mark: Mark,
    pub(super) state: &'static str,
    pub(super) name: String,
    pub(super) code: &'static str,
    /// Why, in one sentence.
    pub(super) sentence: String,
    /// Why, with all there is to say.
    pub(super) all: String,
    pub(super) since: String,
    pub(super) action: Action,
    /// What else can be opened.
    pub(super) links: Vec<(&'static str, Place)>,
    /// What helps and is done in a terminal.
    pub(super) terminal: Option<String>,
}

/// What can be done at once.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Action {
    pub(super) word: &'static str,
    pub(super) command: Command,
}

impl Action {
    fn open(word: &'static str, place: Place) -> Self {
        Self {
            word,
            command: Act::Go(place).into(),
        }
    }
}

/// What stands on the card of a subject.
pub(super) fn card(subject: Subject<'_>, now: Timestamp, zone: &TimeZone) -> Card {
    match subject {
        Subject::Daemon(failure) => of_daemon(failure),
        Subject::Job(job) => of_job(job, now, zone),
    }
}

fn of_daemon(failure: &Failure) -> Card {
    let sentence = capital(&failure.in_full());
    Card {
        mark: Mark::Warn,
        state: ProtectionState::AtRisk.as_str(),
        name: "The daemon".to_owned(),
        code: failure.code.as_str(),
        all: sentence.clone(),
        sentence,
        since: String::new(),
        action: Action::open("Open health", Place::Health),
        links: Vec::new(),
        terminal: None,
    }
}

fn of_job(job: &JobStatus, now: Timestamp, zone: &TimeZone) -> Card {
    let reasons = &job.protection.reasons;
    let reason = cause::foremost(reasons);
    let all: Vec<String> = reasons
        .iter()
        .map(|one| capital(&one.to_string()))
        .collect();
    let since = reason.and_then(|reason| cause::since(reason, job, now));
    let since = since.map(|since| {
        let at = words::moment(since, now, zone);
        format!("Since {at}, for {}", Span(now.duration_since(since)))
    });
    let others = match reasons.len() {
        0 | 1 => None,
        2 => Some("1 more reason".to_owned()),
        more => Some(format!("{} more reasons", more - 1)),
    };
    let since: Vec<String> = since.into_iter().chain(others).collect();
    let state = job.protection.state;
    Card {
        mark: Mark::from(state),
        state: state.as_str(),
        name: job.protection.job.to_string(),
        code: reason.and_then(cause::code).unwrap_or_default(),
        sentence: reason.map_or_else(|| "No reason was told".to_owned(), cause::sentence),
        all: all.join("\n"),
        since: since.join(" · "),
        action: action(job, reason.map_or(Remedy::Job, cause::remedy)),
        links: links(job, reason.map_or(Remedy::Job, cause::remedy)),
        terminal: reason.and_then(|reason| cause::terminal(reason, job)),
    }
}

fn action(job: &JobStatus, remedy: Remedy) -> Action {
    let name = job.protection.job.clone();
    match (remedy, job.protection.running) {
        // It is being done already.
        (Remedy::BackUp, Some(running)) => {
            Action::open("Open run", Place::Job(name, Some(running.run)))
        }
        (Remedy::BackUp, None) => Action {
            word: "Back up now",
            command: Deed::BackUp(name).into(),
        },
        (Remedy::Verify, _) => Action {
            word: "Verify now",
            command: Deed::Verify(Selection::Job(name)).into(),
        },
        (Remedy::Health, _) => Action::open("Open health", Place::Health),
        (Remedy::Job, _) => Action::open("Open job", Place::Job(name, None)),
    }
}

fn links(job: &JobStatus, remedy: Remedy) -> Vec<(&'static str, Place)> {
    let name = &job.protection.job;
    let run = job.protection.reasons.iter().find_map(cause::run);
    let log = run.map(|run| ("Open log", Place::Job(name.clone(), Some(run))));
    let own = (remedy != Remedy::Job).then(|| ("Open job", Place::Job(name.clone(), None)));
    log.into_iter().chain(own).collect()
}

#[cfg(test)]
mod tests;
