//! Listing: what there is, from public records; and what is in it, with an identity.

use std::{collections::BTreeSet, sync::Arc};

use backup_keys::{Identity, OpensKeyFiles};
use backup_model::{
    DatabaseFacts, Digest, End, FilesFacts, JobName, Selection, SnapshotDetail, SnapshotInfo,
    SnapshotName, StreamInfo, StreamKind,
};

use super::OpError;
use crate::{
    format::{Commit, Recipe, RecipeStream, RunEnd},
    repo::{
        Dead, JobRuns, RepoError, Repository, RunRecord, RunState, Unended, load_recipe, unlock,
    },
};

/// The runs of the jobs that are meant. A job that does not exist is an error.
pub(super) async fn selected(
    repository: &Repository,
    selection: &Selection,
) -> Result<Vec<JobRuns>, OpError> {
    let known = repository.forgotten().await?;
    let mut jobs: BTreeSet<JobName> = repository.jobs().await?.into_iter().collect();
    jobs.extend(known.jobs().cloned());
    if let Some(job) = selection.job() {
        if !jobs.contains(job) {
            return Err(RepoError::NoJob(job.clone()).into());
        }
        jobs.retain(|each| each == job);
    }
    let mut runs = Vec::new();
    for job in jobs {
        runs.push(repository.runs_since(&job, &known).await?);
    }
    Ok(runs)
}

/// Every run that is meant and not forgotten, newest last within its job. Records that are not
/// valid are errors of their own and do not hide the rest.
pub async fn list(
    repository: &Repository,
    selection: &Selection,
) -> Result<Vec<Result<SnapshotInfo, RepoError>>, OpError> {
    let mut all = Vec::new();
    for job in selected(repository, selection).await? {
        let latest = job.latest().map(|record| record.name.seq);
        let JobRuns { job, runs, holds } = job;
        for (seq, state) in runs {
            let meant = match selection {
                Selection::All | Selection::Job(_) => true,
                Selection::Latest => Some(seq) == latest,
                Selection::One(one) => one.seq == seq,
            };
            if !meant {
                continue;
            }
            let name = SnapshotName {
                job: job.clone(),
                seq,
            };
            let hold = holds.iter().find(|hold| hold.snapshot == name);
            all.push(match state {
                RunState::Ended(record) => Ok(SnapshotInfo {
                    held: hold.map(|hold| hold.reason.clone()),
                    ..info(&record)
                }),
                RunState::Dead(dead) if matches!(selection, Selection::One(_)) => {
                    return Err(forgotten(name, dead).into());
                }
                RunState::Dead(_) => continue,
                RunState::Open(run) => {
                    let open = open_info(&run);
                    run.into_fault().map_or(Ok(open), Err)
                }
                RunState::Bad(error) => Err(error),
            });
        }
    }
    match selection {
        Selection::One(name) if all.is_empty() => Err(RepoError::NoSnapshot(name.clone()).into()),
        _ => Ok(all),
    }
}

/// The record of one snapshot, which must have committed.
pub(super) async fn committed(
    repository: &Repository,
    name: &SnapshotName,
) -> Result<RunRecord, OpError> {
    let runs = selected(repository, &Selection::One(name.clone())).await?;
    let state = runs
        .into_iter()
        .flat_map(|job| job.runs)
        .find(|(seq, _)| *seq == name.seq)
        .map(|(_, state)| state);
    match state {
        Some(RunState::Ended(record)) => {
            record.commit()?;
            Ok(*record)
        }
        Some(RunState::Bad(error)) => Err(error.into()),
        Some(RunState::Dead(dead)) => Err(forgotten(name.clone(), dead).into()),
        Some(RunState::Open(run)) => {
            let open = RepoError::NotCommitted {
                run: name.clone(),
                how: "has no end yet".to_owned(),
            };
            Err(run.into_fault().unwrap_or(open).into())
        }
        None => Err(RepoError::NoSnapshot(name.clone()).into()),
    }
}

/// The newest snapshot of a job. If what came after it cannot be believed, that is the answer:
/// silently taking an older one would hide that the newest is gone.
pub async fn newest(repository: &Repository, job: &JobName) -> Result<SnapshotName, OpError> {
    let runs = selected(repository, &Selection::Job(job.clone())).await?;
    for (_, state) in runs.into_iter().flat_map(|job| job.runs.into_iter().rev()) {
        match state {
            RunState::Ended(record) if record.commit().is_ok() => return Ok(record.name),
            RunState::Bad(error) => return Err(error.into()),
            RunState::Open(run) => {
                if let Some(error) = run.into_fault() {
                    return Err(error.into());
                }
            }
            RunState::Ended(_) | RunState::Dead(_) => {}
        }
    }
    Err(RepoError::NoneCommitted(job.clone()).into())
}

/// One snapshot; its streams too, if an identity is given.
pub async fn describe(
    repository: &Repository,
    name: &SnapshotName,
    identity: Option<&dyn OpensKeyFiles>,
) -> Result<SnapshotDetail, OpError> {
    let record = committed(repository, name).await?;
    let streams = match identity {
        None => None,
        Some(identity) => {
            let (_, recipe) = read_recipe(repository, record.commit()?, identity).await?;
            let streams: Result<Vec<_>, _> = recipe.source_streams().map(opened_info).collect();
            Some(streams?)
        }
    };
    let forgotten = repository.forgotten().await?;
    let held = forgotten.hold(name).map(|hold| hold.reason.clone());
    Ok(SnapshotDetail {
        info: SnapshotInfo {
            held,
            ..info(&record)
        },
        streams,
    })
}

pub(super) fn forgotten(run: SnapshotName, dead: Dead) -> RepoError {
    RepoError::Forgotten { run, why: dead.why }
}

/// Opens the epoch of a commit with an administrator's identity, and reads the recipe.
pub(super) async fn read_recipe(
    repository: &Repository,
    commit: &Commit,
    administrator: &dyn OpensKeyFiles,
) -> Result<(Identity, Arc<Recipe>), OpError> {
    let epoch = unlock(repository, commit.epoch, administrator).await?;
    let recipe = load_recipe(repository, commit, &epoch).await?;
    Ok((epoch, Arc::new(recipe)))
}

/// The streams that sources gave.
pub(super) fn stream_infos(recipe: &Recipe) -> Result<Vec<StreamInfo>, OpError> {
    recipe.source_streams().map(stream_info).collect()
}

/// A stream without the names of tables: reports of backups are read by those who have no key,
/// and whoever restores or compares has no use for them.
pub(super) fn stream_info(stream: &RecipeStream) -> Result<StreamInfo, OpError> {
    let mut info = opened_info(stream)?;
    if let Some(database) = &mut info.database {
        database.tables = None;
    }
    Ok(info)
}

/// All that the recipe says of a stream.
fn opened_info(stream: &RecipeStream) -> Result<StreamInfo, OpError> {
    let line = &stream.line;
    let unknown = |source| OpError::UnknownFacts {
        stream: line.name.clone(),
        source,
    };
    let facts = line.facts.clone();
    let database: Option<DatabaseFacts> = match (line.kind, &facts) {
        (StreamKind::Postgres, Some(facts)) => {
            Some(serde_json::from_value(facts.clone()).map_err(unknown)?)
        }
        _ => None,
    };
    let files: Option<FilesFacts> = match (line.kind, facts) {
        (StreamKind::Files, Some(facts)) => Some(serde_json::from_value(facts).map_err(unknown)?),
        _ => None,
    };
    Ok(StreamInfo {
        name: line.name.clone(),
        kind: line.kind,
        length_bytes: line.length,
        digest: line.digest,
        // The end of the archive is an entry too, but not one that people count.
        entries: line.entries.map(|list| list.count.saturating_sub(1)),
        database,
        files,
    })
}

fn open_info(run: &Unended) -> SnapshotInfo {
    SnapshotInfo {
        snapshot: run.name().clone(),
        end: End::Open,
        created: run.began(),
        kinds: Vec::new(),
        packs: 0,
        stored_bytes: 0,
        added_bytes: 0,
        record: Digest([0; 32]),
        reason: None,
        held: None,
    }
}

pub(super) fn info(record: &RunRecord) -> SnapshotInfo {
    let mut info = SnapshotInfo {
        snapshot: record.name.clone(),
        end: End::Fenced,
        created: record.end.created(),
        kinds: Vec::new(),
        packs: 0,
        stored_bytes: 0,
        added_bytes: 0,
        record: record.digest,
        reason: None,
        held: None,
    };
    match &record.end {
        RunEnd::Commit(commit) => {
            info.end = if commit.complete {
                End::Complete
            } else {
                End::Partial
            };
            info.kinds.clone_from(&commit.kinds);
            info.packs = commit.packs;
            info.stored_bytes = commit.bytes;
            // As a backup reports it: all that the run stored.
            info.added_bytes = commit.added_bytes + commit.recipe.size + commit.refs.size;
        }
        RunEnd::Aborted(aborted) => {
            info.end = End::Aborted;
            info.reason = Some(aborted.reason.clone());
        }
        RunEnd::Fence(_) => {}
    }
    info
}
