//! Another policy than the configured one, tried out on the snapshots that a job has. Rules by time
//! stay as they are configured: only counts are tried.

use backup_model::{JobName, RetentionPlan, RetentionPolicy};
use backupd_api::Trial;

use super::{Answer, Question, State, View};

/// A rule that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its key in the configuration.
    pub key: &'static str,
    /// What it is called.
    pub name: &'static str,
}

const fn rule(key: &'static str, name: &'static str) -> Rule {
    Rule { key, name }
}

/// How many snapshots each rule keeps, in the order of [`Keep::RULES`]; 0 is no rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Keep(pub [u32; 7]);

impl Keep {
    /// The rules that count.
    pub const RULES: [Rule; 7] = [
        rule("keep_last", "Last snapshots"),
        rule("keep_hourly", "Hours"),
        rule("keep_daily", "Days"),
        rule("keep_weekly", "Weeks"),
        rule("keep_monthly", "Months"),
        rule("keep_yearly", "Years"),
        rule("min_keep", "Never fewer than"),
    ];

    /// What a policy counts.
    pub const fn of(policy: &RetentionPolicy) -> Self {
        Self([
            policy.keep_last,
            policy.keep_hourly,
            policy.keep_daily,
            policy.keep_weekly,
            policy.keep_monthly,
            policy.keep_yearly,
            policy.min_keep,
        ])
    }

    /// What a job without a policy begins with.
    pub const fn none() -> Self {
        Self([0, 0, 0, 0, 0, 0, RetentionPolicy::DEFAULT_MIN_KEEP])
    }

    /// As the daemon is asked.
    pub fn trial(self) -> Trial {
        let [last, hourly, daily, weekly, monthly, yearly, least] = self.0.map(Some);
        Trial {
            keep_last: last,
            keep_hourly: hourly,
            keep_daily: daily,
            keep_weekly: weekly,
            keep_monthly: monthly,
            keep_yearly: yearly,
            min_keep: least,
            ..Trial::default()
        }
    }

    /// What differs from another: rule, its count there, its count here.
    pub fn changes(self, before: Self) -> impl Iterator<Item = (Rule, u32, u32)> {
        let counts = before.0.into_iter().zip(self.0);
        let all = Self::RULES.into_iter().zip(counts);
        all.filter(|(_, (before, after))| before != after)
            .map(|(rule, (before, after))| (rule, before, after))
    }
}

/// What is tried on which job; none where it is what the configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tried {
    pub(super) job: JobName,
    pub(super) keep: Option<Keep>,
}

impl Tried {
    pub(super) fn question(&self) -> Question {
        Question::Retention(self.job.clone(), self.keep)
    }
}

impl State {
    /// Whether this is tried on a job.
    pub fn tries(&self, job: &JobName, keep: Option<Keep>) -> bool {
        let tried = self.tried.as_ref();
        tried.is_some_and(|tried| tried.job == *job && tried.keep == keep)
    }

    /// What would stay of a job's snapshots. While that is asked, what was told before.
    pub fn retention(&self, job: &JobName) -> View<'_, Option<Box<RetentionPlan>>> {
        let Some(tried) = self.tried.as_ref().filter(|tried| tried.job == *job) else {
            return View::none();
        };
        let now = self.view(&tried.question(), as_plan);
        if !now.is_first() {
            return now;
        }
        let of_job = self
            .answers
            .iter()
            .filter(|(question, _)| matches!(question, Question::Retention(of, _) if of == job));
        let told = of_job.map(|(_, held)| held.view(as_plan));
        let last = told.max_by_key(|told| told.at);
        let asked = now.asked;
        last.map_or(now, |last| View { asked, ..last })
    }

    /// Of policies that were tried, the last one is enough.
    pub(super) fn forget_trials(&mut self, answered: &Question) {
        if !matches!(answered, Question::Retention(..)) {
            return;
        }
        self.answers.retain(|question, _| {
            !matches!(question, Question::Retention(_, Some(_))) || question == answered
        });
    }
}

fn as_plan(answer: &Answer) -> Option<&Option<Box<RetentionPlan>>> {
    match answer {
        Answer::Retention(plan) => Some(plan),
        _ => None,
    }
}
