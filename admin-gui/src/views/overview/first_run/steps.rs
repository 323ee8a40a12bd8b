//! The steps from nothing to a first restore: what is done of them, and by what the rest is.

use backup_model::{
    ConfigurationReport, HealthItem, HealthReport, HealthState, JobStatus, StatusReport,
};

use super::super::super::Sight;
use crate::{
    kit::Mark,
    state::{Act, Command, Deed, Place},
};

/// What a step's button does.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "few at a time, and each for a moment"
)]
pub(super) enum Does {
    Ask(Command),
    Draft,
}

/// A step.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) sentence: String,
    pub(super) done: bool,
    /// What was checked: how it is, its name, what was seen.
    pub(super) checks: Vec<(Mark, &'static str, String)>,
    pub(super) action: Option<(&'static str, Does)>,
    pub(super) commands: Vec<String>,
}

/// Whether the steps are shown: until something was restored once, unless there is more than a first
/// job and its first snapshot, or something that needs somebody more than this.
pub(in super::super) fn is_on(sight: &Sight<'_>, report: &StatusReport) -> bool {
    let (first, rest) = match report.jobs.split_first() {
        None => return true,
        Some((first, rest)) => (first, rest),
    };
    let few = first.snapshots.is_none_or(|snapshots| snapshots <= 1);
    let well = first
        .last_run
        .as_ref()
        .is_none_or(|run| run.outcome.is_success());
    let at_own = sight.state.home().is_some_and(|home| home.is_set_up);
    at_own && rest.is_empty() && few && well && !was_restored(sight)
}

/// Whether something came back well since the daemon was started.
fn was_restored(sight: &Sight<'_>) -> bool {
    let all = sight.state.restores().all();
    all.iter().any(|restore| restore.report.is_some())
}

/// All steps, in their order.
pub(super) fn steps(sight: &Sight<'_>, jobs: &[JobStatus]) -> Vec<Step> {
    let state = sight.state;
    vec![
        repository(state.configuration().value, state.health().value),
        kit(state.health().value),
        job(jobs.first()),
        backup(jobs.first()),
        restore(jobs.first(), was_restored(sight)),
    ]
}

fn repository(told: Option<&ConfigurationReport>, health: Option<&HealthReport>) -> Step {
    let repository = told.and_then(|told| told.repositories.first());
    let named = repository.map(|one| format!("{} at {}", one.name, one.url));
    let reachable = check(health, "repository-reachable", "Reachable");
    let refuses = check(
        health,
        "repository-create-if-absent",
        "Refuses to overwrite",
    );
    Step {
        name: "Repository",
        sentence: named.unwrap_or_else(|| {
            "Where all snapshots go: a folder or a bucket. Put what it prints into the \
             configuration"
                .to_owned()
        }),
        done: repository.is_some(),
        checks: reachable.into_iter().chain(refuses).collect(),
        action: None,
        commands: commands(&[
            "backupctl init --repository /var/lib/backupd/repo --keys ~/backupd-keys",
        ]),
    }
}

fn kit(health: Option<&HealthReport>) -> Step {
    let kit = check(health, "recovery-kit", "Kit proved");
    Step {
        name: "Recovery kit",
        sentence: "The kit is the only way back if this server is gone".to_owned(),
        done: kit.as_ref().is_some_and(|(mark, ..)| *mark == Mark::Ok),
        checks: kit.into_iter().collect(),
        action: Some(("Make and prove it…", Does::Ask(Act::Go(Place::Keys).into()))),
        commands: commands(&[
            "backupctl kit create --identity ~/backupd-keys/admin.key --out ~/kit.txt",
            "backupctl kit confirm ~/kit.txt",
        ]),
    }
}

fn job(job: Option<&JobStatus>) -> Step {
    let named = job.map(|job| {
        let schedule = job.schedule.as_deref().unwrap_or("by hand");
        format!("{}, {schedule}", job.protection.job)
    });
    Step {
        name: "First job",
        sentence: named.unwrap_or_else(|| {
            "Put what it reads into the configuration. Nothing is read before".to_owned()
        }),
        done: job.is_some(),
        checks: Vec::new(),
        action: None,
        commands: commands(&["backupctl config check", "systemctl reload backupd"]),
    }
}

fn backup(job: Option<&JobStatus>) -> Step {
    let done = job.is_some_and(|job| job.snapshots.is_some_and(|snapshots| snapshots > 0));
    let running = job.is_some_and(|job| job.protection.running.is_some());
    let sentence = match (done, running) {
        (true, _) => "The first snapshot is there",
        (false, true) => "It runs now",
        (false, false) => "Only what was read and stored can come back",
    };
    let action = job.filter(|_| !running).map(|job| {
        let deed = Deed::BackUp(job.protection.job.clone());
        ("Back up now", Does::Ask(deed.into()))
    });
    let name = job.map_or("JOB".to_owned(), |job| job.protection.job.to_string());
    Step {
        name: "First backup",
        sentence: sentence.to_owned(),
        done,
        checks: Vec::new(),
        action,
        commands: vec![format!("backupctl backup {name}")],
    }
}

fn restore(job: Option<&JobStatus>, done: bool) -> Step {
    let ready = job.filter(|job| job.snapshots.is_some_and(|snapshots| snapshots > 0));
    let name = job.map_or("JOB".to_owned(), |job| job.protection.job.to_string());
    Step {
        name: "Restore it once",
        sentence: "Into a new place, nothing is overwritten".to_owned(),
        done,
        checks: Vec::new(),
        action: ready.map(|_| ("Restore…", Does::Draft)),
        commands: vec![format!(
            "backupctl restore {name} --to-folder /srv/restored --identity ~/backupd-keys/admin.key"
        )],
    }
}

fn commands(all: &[&str]) -> Vec<String> {
    all.iter().map(|&one| one.to_owned()).collect()
}

/// The worst of the items of a name.
fn check(
    health: Option<&HealthReport>,
    id: &str,
    name: &'static str,
) -> Option<(Mark, &'static str, String)> {
    let items = health?.items.iter().filter(|item| item.id == id);
    let worst: &HealthItem = items.max_by_key(|item| item.state)?;
    let mark = match worst.state {
        HealthState::Ok => Mark::Ok,
        HealthState::AtRisk => Mark::Warn,
        HealthState::Unknown => Mark::Unknown,
        HealthState::Breached => Mark::Failed,
    };
    Some((mark, name, worst.evidence.clone()))
}

#[cfg(test)]
mod tests;
