//! A look over everything public: which snapshots live, and which objects they name.
//!
//! The order is what makes it safe to delete what a look does not name: records and refs are read,
//! then the newest forget, pins last. A record or refs that are missing because their run died
//! meanwhile are excused by that forget; one who pins after the pins were read finds the plan.

use std::collections::{BTreeMap, BTreeSet};

use backup_model::{Amount, Digest, JobName, SnapshotName};
use futures::{StreamExt as _, stream};
use tokio_util::sync::CancellationToken;

use super::OpError;
use crate::{
    format::{Commit, ObjectRef, Refs},
    repo::{
        Forgotten, JobRuns, RepoError, Repository, RunState, StoredPin, Unended, load_pinned_refs,
        load_refs,
    },
    store::store_time,
};

/// Refs are read side by side, this many at once.
const FETCHES: usize = 8;

/// Objects that somebody names, by digest, with their sizes.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) packs: BTreeMap<Digest, u64>,
    pub(super) recipes: BTreeMap<Digest, u64>,
    pub(super) refs: BTreeMap<Digest, u64>,
}

impl Named {
    fn add(&mut self, recipe: ObjectRef, refs: ObjectRef, packs: &Refs) {
        self.recipes.insert(recipe.sha256, recipe.size);
        self.refs.insert(refs.sha256, refs.size);
        let packs = packs.packs.iter().map(|pack| (pack.0, pack.1));
        self.packs.extend(packs);
    }
}

/// A snapshot that lives.
#[derive(Debug)]
pub(super) struct Living {
    pub(super) name: SnapshotName,
    pub(super) commit: Commit,
    pub(super) refs: Refs,
}

/// What a look found.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) living: Vec<Living>,
    /// Runs that have no end.
    pub(super) open: Vec<Unended>,
    pub(super) forgotten: Forgotten,
    /// What living and pinned snapshots name.
    pub(super) named: Named,
    /// Snapshots that are being read.
    pub(super) pinned: BTreeSet<SnapshotName>,
    /// What is wrong. As long as anything is, nothing may be deleted.
    pub(super) faults: Vec<RepoError>,
}

impl Survey {
    /// Fails with the first fault.
    pub(super) fn sound(mut self) -> Result<Self, OpError> {
        if self.faults.is_empty() {
            return Ok(self);
        }
        Err(self.faults.swap_remove(0).into())
    }

    /// The packs that stay, and their size.
    pub(super) fn named_packs(&self) -> Amount {
        let mut amount = Amount::default();
        for &size in self.named.packs.values() {
            amount.add(size);
        }
        amount
    }
}

/// Looks over the repository. Of a store that fails nothing is concluded: that is an error. What
/// is missing or not valid is a fault of its own.
pub(super) async fn survey(
    repository: &Repository,
    cancel: &CancellationToken,
) -> Result<Survey, OpError> {
    let known = repository.forgotten().await?;
    let mut survey = Survey::default();
    let mut commits = Vec::new();
    for job in jobs(repository, &known).await? {
        if cancel.is_cancelled() {
            return Err(OpError::Cancelled);
        }
        take_runs(
            repository.runs_since(&job, &known).await?,
            &mut survey,
            &mut commits,
        )?;
    }
    let mut loads = stream::iter(commits)
        .map(|(name, commit)| async move {
            let refs = load_refs(repository, &commit).await;
            (name, commit, refs)
        })
        .buffered(FETCHES);
    let mut faulty = Vec::new();
    while let Some((name, commit, refs)) = loads.next().await {
        if cancel.is_cancelled() {
            return Err(OpError::Cancelled);
        }
        match refs {
            Ok(refs) => survey.living.push(Living { name, commit, refs }),
            Err(RepoError::Store(error)) => return Err(error.into()),
            Err(error) => faulty.push((name, error)),
        }
    }
    drop(loads);
    survey.forgotten = repository.forgotten_since(&known).await?;
    let forgotten = &survey.forgotten;
    let lives = |name: &SnapshotName| forgotten.dead(&name.job, name.seq).is_none();
    survey.living.retain(|living| lives(&living.name));
    faulty.retain(|(name, _)| lives(name));
    survey
        .faults
        .extend(faulty.into_iter().map(|(_, error)| error));
    for living in &survey.living {
        let commit = &living.commit;
        survey.named.add(commit.recipe, commit.refs, &living.refs);
    }
    take_pins(repository, &mut survey).await?;
    Ok(survey)
}

/// Every job of which anything is there, or was.
async fn jobs(repository: &Repository, known: &Forgotten) -> Result<BTreeSet<JobName>, RepoError> {
    let mut jobs: BTreeSet<JobName> = repository.jobs().await?.into_iter().collect();
    jobs.extend(known.jobs().cloned());
    Ok(jobs)
}

fn take_runs(
    job: JobRuns,
    survey: &mut Survey,
    commits: &mut Vec<(SnapshotName, Commit)>,
) -> Result<(), OpError> {
    for (_, state) in job.runs {
        match state {
            RunState::Ended(record) => {
                if let Ok(commit) = record.commit() {
                    commits.push((record.name.clone(), commit.clone()));
                }
            }
            RunState::Dead(_) => {}
            RunState::Open(run) => survey.open.push(*run),
            RunState::Bad(RepoError::Store(error)) => return Err(error.into()),
            RunState::Bad(error) => survey.faults.push(error),
        }
    }
    Ok(())
}

/// What pins protect: whatever is named by refs that are still there. A pin whose refs are gone
/// came too late, and whoever wrote it finds that out.
async fn take_pins(repository: &Repository, survey: &mut Survey) -> Result<(), OpError> {
    for stored in current_pins(repository).await? {
        let pin = match stored.pin {
            Ok(pin) => pin,
            Err(error) => {
                survey.faults.push(error);
                continue;
            }
        };
        match load_pinned_refs(repository, &pin).await {
            Ok(refs) => {
                survey.named.add(pin.recipe, pin.refs, &refs);
                survey.pinned.insert(SnapshotName {
                    job: pin.job,
                    seq: pin.seq,
                });
            }
            Err(RepoError::ObjectMissing(_)) => {}
            Err(RepoError::Store(error)) => return Err(error.into()),
            Err(error) => survey.faults.push(error),
        }
    }
    Ok(())
}

/// The pins whose time is not over. Where the store's time cannot be had, since that takes a put,
/// all of them.
async fn current_pins(repository: &Repository) -> Result<Vec<StoredPin>, RepoError> {
    let mut pins = repository.pins().await?;
    if pins.is_empty() {
        return Ok(pins);
    }
    if let Ok(now) = store_time(repository.store()).await {
        pins.retain(|pin| pin.until >= now);
    }
    Ok(pins)
}
