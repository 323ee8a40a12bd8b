//! Which tasks of upkeep a configuration has, and when they are due.

use crate::{
    config::Config,
    schedule::{Task, Timing},
};

/// Everything but backups. Retention only for jobs that have a policy: without one nothing is
/// ever forgotten.
pub(in crate::daemon) fn timings(config: &Config) -> Vec<(Task, Timing)> {
    let upkeep = &config.upkeep;
    let mut all = Vec::new();
    let mut add = |task: Task, timing: &Option<Timing>| {
        all.extend(timing.clone().map(|timing| (task, timing)));
    };
    for (name, job) in &config.jobs {
        if job.retention.is_some() {
            add(Task::Retention(name.clone()), &upkeep.retention);
        }
        add(Task::Verify(name.clone()), &upkeep.verify);
    }
    for name in config.repositories.keys() {
        add(Task::Prune(name.as_str().to_owned()), &upkeep.prune);
        add(Task::Probe(name.as_str().to_owned()), &upkeep.probe);
    }
    all
}
