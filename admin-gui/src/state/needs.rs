//! What each place shows, and how old it may be: so no screen can forget to ask, or ask in each
//! frame.

use backup_model::{JobName, RunId, RunOutcome, SnapshotName, StreamKind};
use jiff::SignedDuration;

use super::{Place, Question, State, Step};

/// A question, and how old its answer may be.
type Need = (Question, SignedDuration);

const SOON: SignedDuration = SignedDuration::from_secs(10);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const MINUTES: SignedDuration = SignedDuration::from_mins(5);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

impl State {
    /// What the screen shows, and how old each may be.
    pub(super) fn needs(&self) -> Vec<Need> {
        // The rail marks where something is to be mended.
        let mut needs = vec![(Question::Health, MINUTE), (Question::Caller, MINUTES)];
        needs.extend(match &self.place {
            Place::Overview => self.of_overview(),
            Place::SetUp => Vec::new(),
            Place::Jobs => vec![
                (Question::Runs(None), MINUTE),
                (Question::Configuration, HOUR),
            ],
            Place::Job(job, run) => self.of_job(job, *run),
            Place::Snapshots => vec![(Question::Snapshots, MINUTE)],
            Place::Contents(name, against) => self.of_contents(name, against.as_ref()),
            Place::Restores => vec![(Question::Restores, MINUTE), (Question::Tasks, SOON)],
            Place::Draft => self.of_draft(),
            Place::Restoring(_) => vec![(Question::Tasks, MINUTE)],
            Place::Verification => vec![(Question::Verifications, MINUTE)],
            Place::Keys => self.of_keys(),
            Place::Health => vec![(Question::Channels, MINUTE), (Question::Snapshots, MINUTES)],
            Place::Audit => self.of_audit(),
            Place::Settings => vec![(Question::Configuration, HOUR)],
        });
        needs
    }

    fn of_overview(&self) -> Vec<Need> {
        let jobs = self.status.iter().flat_map(|(report, _)| &report.jobs);
        let dues = jobs.map(|job| (Question::Dues(job.protection.job.clone()), MINUTE));
        let rest = [
            (Question::Configuration, HOUR),
            (Question::Snapshots, MINUTES),
        ];
        dues.chain(rest).collect()
    }

    fn of_job(&self, job: &JobName, run: Option<RunId>) -> Vec<Need> {
        let mut needs = vec![
            (Question::Runs(Some(job.clone())), MINUTE),
            (Question::Dues(job.clone()), MINUTE),
            (Question::Configuration, HOUR),
        ];
        let tried = self.tried.as_ref().filter(|tried| tried.job == *job);
        needs.extend(tried.map(|tried| (tried.question(), MINUTES)));
        if let Some(run) = run {
            let age = match self.run(run).value.map(|run| run.info.outcome) {
                Some(RunOutcome::Running) => SignedDuration::from_secs(2),
                _ => HOUR,
            };
            needs.extend([(Question::Run(run), age), (Question::RunLog(run), age)]);
        }
        needs
    }

    fn of_contents(&self, name: &SnapshotName, against: Option<&SnapshotName>) -> Vec<Need> {
        let mut needs = vec![
            (Question::Snapshots, MINUTES),
            (Question::Contents(name.clone()), HOUR),
        ];
        let streams = self.contents(name).value;
        let streams = streams.and_then(|it| it.streams.as_ref());
        let mut streams = streams.into_iter().flatten();
        if streams.any(|stream| stream.kind == StreamKind::Files) {
            needs.push((Question::Tree(name.clone()), HOUR));
        }
        let compared = |before: &SnapshotName| {
            let question = Question::Differences(before.clone(), name.clone());
            (question, HOUR)
        };
        needs.extend(against.map(compared));
        needs
    }

    /// As far as the draft has come.
    fn of_draft(&self) -> Vec<Need> {
        let mut needs = vec![
            (Question::Snapshots, MINUTES),
            (Question::Configuration, HOUR),
        ];
        let draft = self.draft.as_ref();
        let draft = draft.filter(|draft| draft.step >= Step::Preview);
        if let Some(order) = draft.and_then(super::Draft::order) {
            needs.push((Question::Plan(Box::new(order)), MINUTE));
        }
        needs
    }

    fn of_keys(&self) -> Vec<Need> {
        let told = self.configuration().value;
        let repositories = told.into_iter().flat_map(|told| &told.repositories);
        let keys = repositories.map(|it| (Question::Keys(it.name.clone()), MINUTES));
        let first = [(Question::Configuration, HOUR)];
        first.into_iter().chain(keys).collect()
    }

    fn of_audit(&self) -> Vec<Need> {
        let older = self.trail.wanted();
        let older = older.map(|before| (Question::Audit(Some(before)), HOUR));
        let newest = (Question::Audit(None), SignedDuration::from_secs(20));
        let all = [newest, (Question::AuditCheck, HOUR)];
        all.into_iter().chain(older).collect()
    }
}
