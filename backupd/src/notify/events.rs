//! What there is to tell: conditions that begin and end, out of one report after another.
//!
//! A condition is told when it begins and when it is over, and not in between. One that was told
//! is told again [`QUIET`] after that at the earliest: what comes and goes in the meantime says
//! nothing, and what is still there then is told. Of a job that nobody could look at nothing is
//! believed to be over.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use backup_model::{
    Code, EventKind, JobName, JobStatus, ProtectionReason as Reason, ProtectionState as State,
    StatusReport,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The least time between two tellings that the same thing has begun.
pub(super) const QUIET: SignedDuration = SignedDuration::from_mins(15);

/// What something is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// The daemon itself.
    Daemon,
    /// A job.
    Job(JobName),
    /// A repository, by its name in the configuration.
    Repository(String),
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daemon => f.write_str("the daemon"),
            Self::Job(job) => write!(f, "job {job}"),
            Self::Repository(name) => write!(f, "repository {name}"),
        }
    }
}

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What it is.
    pub kind: EventKind,
    /// What is over, of a recovery.
    pub over: Option<EventKind>,
    /// What it is about.
    pub about: About,
    /// Why, as a sentence.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Topic {
    kind: EventKind,
    about: About,
}

/// What is remembered of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    /// It is there.
    open: bool,
    /// Somebody was told that it is there, and not yet that it is over.
    told: bool,
    /// When somebody was last told that it has begun.
    at: Option<Timestamp>,
}

/// What people were told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(Topic, Entry)>", into = "Vec<(Topic, Entry)>")]
pub struct Told(BTreeMap<Topic, Entry>);

impl From<Vec<(Topic, Entry)>> for Told {
    fn from(entries: Vec<(Topic, Entry)>) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl From<Told> for Vec<(Topic, Entry)> {
    fn from(told: Told) -> Self {
        told.0.into_iter().collect()
    }
}

impl Told {
    /// Takes a report, and gives what is new in it.
    pub fn advance(&mut self, report: &StatusReport) -> Vec<Event> {
        let now = report.at;
        let (there, judged) = (conditions(report), judged(report));
        let mut events = Vec::new();
        for (topic, text) in &there {
            let entry = self.0.entry(topic.clone()).or_insert(Entry {
                open: true,
                told: false,
                at: None,
            });
            entry.open = true;
            if !entry.told && entry.at.is_none_or(|at| is_past(at, now)) {
                (entry.told, entry.at) = (true, Some(now));
                events.push(Event {
                    kind: topic.kind,
                    over: None,
                    about: topic.about.clone(),
                    text: text.clone(),
                });
            }
        }
        for (topic, entry) in &mut self.0 {
            let is = |kind| {
                let about = topic.about.clone();
                there.contains_key(&Topic { kind, about })
            };
            // What has come to the worst is at risk all the same.
            let worse = topic.kind == EventKind::AtRisk && is(EventKind::Breached);
            let over = judged.get(&topic.about) == Some(&true) && !is(topic.kind) && !worse;
            if !over || !entry.open {
                continue;
            }
            entry.open = false;
            if std::mem::take(&mut entry.told) {
                events.push(Event {
                    kind: EventKind::Recovered,
                    over: Some(topic.kind),
                    about: topic.about.clone(),
                    text: format!("`{}` is over", topic.kind),
                });
            }
        }
        // What the configuration has lost is nobody's concern; what was over for long is past.
        self.0.retain(|topic, entry| {
            let known = judged.contains_key(&topic.about);
            known && (entry.open || entry.at.is_some_and(|at| !is_past(at, now)))
        });
        events
    }
}

/// A clock that was set back makes nobody silent.
fn is_past(at: Timestamp, now: Timestamp) -> bool {
    now < at || now.duration_since(at) >= QUIET
}

/// Whether anybody could look at it.
fn looked_at(job: &JobStatus) -> bool {
    let blind =
        |reason: &Reason| matches!(reason, Reason::NotLookedYet | Reason::DaemonUnreachable);
    !job.protection.reasons.iter().any(blind)
}

/// What the report is about, and whether what it does not say is not so.
fn judged(report: &StatusReport) -> BTreeMap<About, bool> {
    let mut judged = BTreeMap::from([(About::Daemon, true)]);
    for job in &report.jobs {
        let looked = looked_at(job);
        judged.insert(About::Job(job.protection.job.clone()), looked);
        let repository = About::Repository(job.repository.clone());
        let all = judged.entry(repository).or_insert(true);
        *all &= looked;
    }
    judged
}

/// What is the case, and why.
fn conditions(report: &StatusReport) -> BTreeMap<Topic, String> {
    let mut all = BTreeMap::new();
    for fault in &report.faults {
        let kind = match fault.code {
            Code::Config => EventKind::ConfigInvalid,
            _ => EventKind::Fault,
        };
        let about = About::Daemon;
        all.insert(Topic { kind, about }, format!("{} {fault}", fault.code));
    }
    for job in report.jobs.iter().filter(|job| looked_at(job)) {
        let stands = &job.protection;
        let about = About::Job(stands.job.clone());
        let state = match stands.state {
            State::Breached => Some(EventKind::Breached),
            State::AtRisk => Some(EventKind::AtRisk),
            State::Protected | State::Unknown => None,
        };
        if let Some(kind) = state {
            let reasons: BTreeSet<String> = stands
                .reasons
                .iter()
                .filter(|reason| reason.state() == stands.state)
                .map(ToString::to_string)
                .collect();
            let text = reasons.into_iter().collect::<Vec<_>>().join("; ");
            let about = about.clone();
            all.insert(Topic { kind, about }, text);
        }
        for reason in &stands.reasons {
            let Some(kind) = own_kind(reason) else {
                continue;
            };
            let about = match kind {
                EventKind::KitUnconfirmed => About::Repository(job.repository.clone()),
                _ => about.clone(),
            };
            all.insert(Topic { kind, about }, reason.to_string());
        }
    }
    all
}

/// What a reason is told as, besides the state that it causes.
fn own_kind(reason: &Reason) -> Option<EventKind> {
    match reason {
        Reason::LastRunFailed { .. } | Reason::FailedUncovered { .. } => Some(EventKind::Failed),
        Reason::Damaged { .. } => Some(EventKind::Damage),
        Reason::Overdue { .. } => Some(EventKind::Missed),
        Reason::KitNotConfirmed | Reason::KitLapsed { .. } | Reason::KitOld { .. } => {
            Some(EventKind::KitUnconfirmed)
        }
        _ => None,
    }
}
