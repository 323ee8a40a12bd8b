//! All that the window knows, and how it changes: by events only, and the same ones always in the
//! same way. It knows no drawing, no network and no clock.

mod deed;
mod draft;
mod event;
mod followed;
mod held;
mod jobs;
mod key;
mod key_work;
mod needs;
mod notices;
mod order;
mod place;
mod question;
mod server;
mod set_up;
mod trail;
mod tree;
mod trial;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use backup_model::{
    AuditCheck, AuditPage, ChannelState, ConfigurationReport, Difference, DueTime, Failure,
    HealthReport, JobName, JobStatus, KeysReport, RestorePlan, RunDetail, RunId, RunLog, RunPage,
    SnapshotDetail, SnapshotName, StatusReport,
};
use backupd_api::{CallerInfo, ListedRun, Numbered, Scope, TaskInfo};
use jiff::Timestamp;

pub use deed::Deed;
pub use draft::{Draft, Part, Step};
pub use event::{Act, Command, Event};
pub use followed::{Followed, Restores};
use held::Held;
pub use held::View;
pub use jobs::{ShownJob, shown_jobs};
pub use key::{KeySource, KeyState, OpenKey, Secret};
pub use key_work::{KeyChange, KeyWork};
pub use notices::{Notice, Notices};
pub use order::{NewDatabase, Order};
pub use place::{Place, Screen};
pub use question::{Answer, Question};
pub use server::{
    Known, NewServer, Origin, RecoverFrom, Recovery, Server, ServerAct, StorageAccess, Way,
};
pub use set_up::{Home, JobDatabase, NewRepository, SetUp};
pub use trail::Trail;
pub use tree::{Growing, Place as TreePlace, Tree};
use trial::Tried;
pub use trial::{Keep, Rule};

use crate::kit::Mark;

/// How the connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Nobody has answered yet.
    Connecting,
    /// It says how everything stands.
    Live,
    /// It does not answer.
    Lost {
        /// Since when.
        since: Timestamp,
        /// Why.
        failure: Failure,
    },
}

/// All that is known.
#[derive(Clone, Debug)]
pub struct State {
    server: Server,
    known: Vec<Known>,
    home: Option<Home>,
    way: Way,
    connection: Connection,
    place: Place,
    status: Option<(StatusReport, Timestamp)>,
    answers: BTreeMap<Question, Held>,
    trail: Trail,
    doing: Vec<Deed>,
    notices: Notices,
    /// Why the last try of a deed failed, until it is tried again or somebody goes elsewhere.
    refused: Option<(Deed, Failure)>,
    key: KeyState,
    draft: Option<Draft>,
    restores: Restores,
    tried: Option<Tried>,
}

impl State {
    /// Before anything has happened.
    pub fn new(server: Server) -> Self {
        // A repository alone has no jobs, and whoever opens it looks for something in it.
        let place = match server.origin {
            Origin::Private(_) => Place::Snapshots,
            Origin::Start | Origin::Listed(_) => Place::Overview,
        };
        Self {
            server,
            known: Vec::new(),
            home: None,
            way: Way::Here,
            connection: Connection::Connecting,
            place,
            status: None,
            answers: BTreeMap::new(),
            trail: Trail::default(),
            doing: Vec::new(),
            notices: Notices::default(),
            refused: None,
            key: KeyState::Closed,
            draft: None,
            restores: Restores::default(),
            tried: None,
        }
    }

    /// Takes what has happened.
    pub fn apply(&mut self, event: Event, now: Timestamp) {
        match event {
            Event::Status(report) => self.heard(report, now),
            Event::Lost(failure) => self.lost(failure, now),
            Event::Answered(question, answer) => {
                match &answer {
                    Ok(Answer::Audit(page)) => self.trail.hear(&question, page),
                    Ok(Answer::Tasks(tasks)) => self.restores.know(tasks),
                    _ => {}
                }
                if question.needs_key() && self.key.open().is_none() {
                    // It was closed meanwhile, and with it everything that it showed.
                    return;
                }
                if answer.is_ok() {
                    self.forget_trials(&question);
                }
                let held = self.answers.entry(question).or_default();
                held.answered(answer, now);
            }
            Event::Done(deed, outcome) => self.done(deed, outcome, now),
            Event::Begun(task) => self.begun(task),
            Event::Said(id, lines) => self.said(&id, lines, now),
            Event::Unheard(id, failure) => self.restores.unheard(&id, failure, now),
            Event::Key(key) => self.key_is(key),
            Event::Known(known) => self.known = known,
            Event::Home(home) => self.home = Some(home),
            Event::WasSetUp => self.was_set_up(now),
            Event::Way(way) => self.way = way,
            Event::ServersFailed(what, failure) => {
                let text = format!("{what}: {} {}", failure.code, failure.in_full());
                self.notices.tell(Mark::Failed, text, None, now);
            }
            Event::Act(act) => self.act(act),
        }
    }

    fn heard(&mut self, report: StatusReport, now: Timestamp) {
        let was_live = self.connection == Connection::Live;
        let moved = self.status.as_ref().is_none_or(|(before, _)| {
            let ends = |report: &StatusReport| {
                let end = |job: &JobStatus| {
                    let last = job.last_run.as_ref().map(|run| run.run);
                    let running = job.protection.running.map(|running| running.run);
                    (job.protection.job.clone(), last, running, job.snapshots)
                };
                report.jobs.iter().map(end).collect::<Vec<_>>()
            };
            ends(before) != ends(&report)
        });
        if !was_live || moved {
            self.moved();
        }
        self.connection = Connection::Live;
        self.status = Some((report, now));
    }

    fn lost(&mut self, failure: Failure, now: Timestamp) {
        let since = match self.connection {
            Connection::Lost { since, .. } => since,
            Connection::Connecting | Connection::Live => now,
        };
        self.connection = Connection::Lost { since, failure };
        self.answers.values_mut().for_each(Held::lost);
        self.restores.all_unheard();
    }

    fn done(&mut self, deed: Deed, outcome: Result<String, Failure>, now: Timestamp) {
        self.doing.retain(|one| *one != deed);
        let about = self.about(&deed);
        match outcome {
            Ok(words) => {
                let text = format!("{}: {words}", deed.title());
                self.notices.tell(Mark::Ok, text, about, now);
                if self.refused.as_ref().is_some_and(|(one, _)| *one == deed) {
                    self.refused = None;
                }
            }
            Err(failure) => {
                let text = format!("{}: {} {failure}", deed.title(), failure.code);
                self.notices.tell(Mark::Failed, text, about, now);
                self.refused = Some((deed, failure));
            }
        }
        self.moved();
    }

    /// A restore runs: whoever asked for it sees how.
    fn begun(&mut self, task: TaskInfo) {
        let id = task.id.clone();
        self.restores.know(&[task]);
        if self.place == Place::Draft {
            self.draft = None;
            self.go(Place::Restoring(id));
        }
    }

    fn said(&mut self, id: &str, lines: Vec<Numbered>, now: Timestamp) {
        let ended = |restores: &Restores| restores.get(id).is_some_and(|one| one.end.is_some());
        let was_ended = ended(&self.restores);
        self.restores.hear(id, lines, now);
        if !was_ended && ended(&self.restores) {
            self.moved();
        }
    }

    /// Of a key that is closed nothing stays that it has shown.
    fn key_is(&mut self, key: Result<Option<OpenKey>, Failure>) {
        self.key = match key {
            Ok(Some(key)) => KeyState::Open(key),
            Ok(None) => KeyState::Closed,
            Err(failure) => KeyState::Refused(failure),
        };
        self.answers.retain(|question, _| !question.needs_key());
    }

    fn was_set_up(&mut self, now: Timestamp) {
        if let Some(home) = &self.home {
            let text = format!(
                "This machine is set up. Copy the keys in {} to a safe place",
                home.keys.display()
            );
            self.notices.tell(Mark::Ok, text, Some(Place::Keys), now);
        }
    }

    /// Where the thing is shown that a deed is about.
    fn about(&self, deed: &Deed) -> Option<Place> {
        if let Deed::Cancel(run) = deed {
            let (report, _) = self.status.as_ref()?;
            let mut names = report.jobs.iter().map(|job| &job.protection.job);
            let job = names.find(|job| report.running(job) == Some(*run))?;
            return Some(Place::Job(job.clone(), Some(*run)));
        }
        Some(Place::Job(deed.job()?.clone(), None))
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Go(place) => self.go(place),
            Act::Up => {
                if let Some(place) = self.place.above() {
                    self.go(place);
                }
            }
            Act::Refresh => self.expire(),
            Act::Try(job, keep) => self.tried = Some(Tried { job, keep }),
            Act::ReadOlder => self.read_older(),
            Act::Draft(draft) => self.draft = draft,
            Act::Close(number) => self.notices.close(number),
            Act::SeeNotices => self.notices.see(),
        }
    }

    fn go(&mut self, place: Place) {
        if self.place.screen() != place.screen() {
            self.refused = None;
        }
        self.place = place;
    }

    /// What was asked for a page before is in the trail by now, and is not kept twice.
    fn read_older(&mut self) {
        self.answers
            .retain(|question, _| !matches!(question, Question::Audit(Some(_))));
        self.trail.want_older();
    }

    /// Something has happened at the daemon. The whole audit log is not read again for that.
    fn moved(&mut self) {
        for (question, held) in &mut self.answers {
            if *question != Question::AuditCheck && !question.is_of_snapshots() {
                held.expire();
            }
        }
    }

    fn expire(&mut self) {
        self.answers.values_mut().for_each(Held::expire);
    }

    /// What the screen needs and does not have, or not anew; each is taken to be asked now.
    pub fn wants(&mut self, now: Timestamp) -> Vec<Question> {
        if self.connection != Connection::Live {
            return Vec::new();
        }
        let mut wanted = self.needs();
        let is_open = self.key.open().is_some();
        wanted.retain(|(question, _)| is_open || !question.needs_key());
        wanted.retain(|(question, age)| {
            let held = self.answers.entry(question.clone()).or_default();
            let due = held.is_due(*age, now);
            if due {
                held.asked(now);
            }
            due
        });
        wanted.into_iter().map(|(question, _)| question).collect()
    }

    /// The restores that should be listened to from now on, each from a line on.
    pub fn follow_now(&mut self, now: Timestamp) -> Vec<(String, u64)> {
        match self.connection {
            Connection::Live => self.restores.follow_now(now),
            Connection::Connecting | Connection::Lost { .. } => Vec::new(),
        }
    }

    /// Takes a key as being opened.
    pub fn opening(&mut self) {
        self.key = KeyState::Opening;
    }

    /// Takes a deed as begun, and says whether it is to be: not while nobody answers, nor twice.
    pub fn begin(&mut self, deed: &Deed) -> bool {
        if self.connection != Connection::Live || self.doing.contains(deed) {
            return false;
        }
        self.refused = None;
        self.doing.push(deed.clone());
        true
    }

    /// Whether the daemon would let us; nothing is held against whoever it has not told yet, or
    /// does not tell because it is older.
    pub fn may(&self, scope: Scope) -> bool {
        let caller = self.caller().value;
        caller.is_none_or(|caller| caller.scopes.allow(scope))
    }

    /// Which daemon.
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// The servers that the window can go to.
    pub fn known(&self) -> &[Known] {
        &self.known
    }

    /// Where this machine's own daemon is, or would be.
    pub const fn home(&self) -> Option<&Home> {
        self.home.as_ref()
    }

    /// How it stands with going to another server.
    pub const fn way(&self) -> &Way {
        &self.way
    }

    /// How the connection stands.
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Where somebody is.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// How it stands with an administrator's key.
    pub const fn key(&self) -> &KeyState {
        &self.key
    }

    /// The restore that is being drafted.
    pub const fn draft(&self) -> Option<&Draft> {
        self.draft.as_ref()
    }

    /// The restores that were heard of.
    pub const fn restores(&self) -> &Restores {
        &self.restores
    }

    /// How everything stood when the daemon last said it, and when that was.
    pub fn status(&self) -> Option<(&StatusReport, Timestamp)> {
        self.status.as_ref().map(|(report, at)| (report, *at))
    }

    /// What is being done.
    pub fn doing(&self) -> &[Deed] {
        &self.doing
    }

    /// What the window has told.
    pub const fn notices(&self) -> &Notices {
        &self.notices
    }

    /// The audit log, as far as it was read.
    pub const fn trail(&self) -> &Trail {
        &self.trail
    }

    /// Why the page of the audit log that is waited for did not come.
    pub fn older_failure(&self) -> Option<&Failure> {
        let before = self.trail.wanted()?;
        let held = self.answers.get(&Question::Audit(Some(before)))?;
        held.failure()
    }

    /// The last deed that failed, while it matters.
    pub fn refused(&self) -> Option<(&Deed, &Failure)> {
        self.refused.as_ref().map(|(deed, failure)| (deed, failure))
    }

    fn view<'a, T>(
        &'a self,
        question: &Question,
        kind: impl FnOnce(&'a Answer) -> Option<&'a T>,
    ) -> View<'a, T> {
        match self.answers.get(question) {
            Some(held) => held.view(kind),
            None => View::none(),
        }
    }
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $answer:ty: $question:expr => $kind:ident;)*) => {
        impl State {
            $($(#[$doc])*
            pub fn $name(&self, $($arg: $type),*) -> View<'_, $answer> {
                self.view(&$question, |answer| match answer {
                    Answer::$kind(value) => Some(value),
                    _ => None,
                })
            })*
        }
    };
}

answers! {
    /// Who we are to the daemon.
    caller() -> CallerInfo: Question::Caller => Caller;
    /// How the house stands.
    health() -> HealthReport: Question::Health => Health;
    /// What the configuration says.
    configuration() -> ConfigurationReport: Question::Configuration => Configuration;
    /// By which channels people are told.
    channels() -> Vec<ChannelState>: Question::Channels => Channels;
    /// When a job was due.
    dues(job: &JobName) -> Vec<DueTime>: Question::Dues(job.clone()) => Dues;
    /// The last runs.
    runs(job: Option<&JobName>) -> RunPage: Question::Runs(job.cloned()) => Runs;
    /// The last runs that verified something.
    verifications() -> RunPage: Question::Verifications => Runs;
    /// One run.
    run(run: RunId) -> RunDetail: Question::Run(run) => Run;
    /// What a run said.
    run_log(run: RunId) -> RunLog: Question::RunLog(run) => RunLog;
    /// All snapshots.
    snapshots() -> Vec<ListedRun>: Question::Snapshots => Snapshots;
    /// One snapshot.
    snapshot(name: &SnapshotName) -> SnapshotDetail: Question::Snapshot(name.clone()) => Snapshot;
    /// What is in a snapshot.
    contents(name: &SnapshotName) -> SnapshotDetail: Question::Contents(name.clone()) => Contents;
    /// All files of a snapshot.
    tree(name: &SnapshotName) -> Arc<Tree>: Question::Tree(name.clone()) => Tree;
    /// What differs between two snapshots.
    differences(before: &SnapshotName, after: &SnapshotName) -> Arc<Vec<Difference>>: Question::Differences(before.clone(), after.clone()) => Differences;
    /// What a restore would do.
    plan(order: &Order) -> RestorePlan: Question::Plan(Box::new(order.clone())) => Plan;
    /// The last runs that restored something.
    last_restores() -> RunPage: Question::Restores => Runs;
    /// The public side of a repository's keys.
    keys(repository: &str) -> KeysReport: Question::Keys(repository.to_owned()) => Keys;
    /// The newest entries of the audit log.
    audit() -> AuditPage: Question::Audit(None) => Audit;
    /// Whether the audit log is as it was written.
    audit_check() -> AuditCheck: Question::AuditCheck => AuditCheck;
}
