//! Stats: what a repository holds, job by job, from public objects alone.

use std::collections::{BTreeMap, BTreeSet};

use backup_model::{Amount, Digest, JobName, JobStats, RepositoryStats};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{
    OpError,
    survey::{Living, survey},
};
use crate::{format::layout, repo::Repository};

/// Says what a repository holds.
pub async fn stats(
    repository: &Repository,
    cancel: &CancellationToken,
) -> Result<RepositoryStats, OpError> {
    let survey = survey(repository, cancel).await?.sound()?;
    let mut lists = Amount::default();
    for &size in survey
        .named
        .recipes
        .values()
        .chain(survey.named.refs.values())
    {
        lists.add(size);
    }
    let packs = survey.named_packs();
    let (mut data, mut records) = (Amount::default(), Amount::default());
    for object in repository.store().list_all().await? {
        let key = object.key.as_str();
        let is_data = layout::parse_pack(key)
            .or_else(|| layout::parse_recipe(key))
            .or_else(|| layout::parse_refs(key))
            .is_some();
        if is_data {
            data.add(object.size);
        } else if layout::is_ours(key) {
            records.add(object.size);
        }
    }
    let named = packs.and(lists);
    Ok(RepositoryStats {
        repository: repository.id(),
        jobs: jobs(&survey.living),
        packs,
        lists,
        unnamed: Amount {
            objects: data.objects.saturating_sub(named.objects),
            bytes: data.bytes.saturating_sub(named.bytes),
        },
        records,
    })
}

/// What its objects take up, in bytes, needed or not: one listing, and nothing is read.
pub async fn stored_bytes(repository: &Repository) -> Result<u64, OpError> {
    let objects = repository.store().list_all().await?;
    Ok(objects.iter().map(|object| object.size).sum())
}

fn jobs(living: &[Living]) -> Vec<JobStats> {
    let mut jobs: BTreeMap<&JobName, Vec<&Living>> = BTreeMap::new();
    for snapshot in living {
        jobs.entry(&snapshot.name.job).or_default().push(snapshot);
    }
    let jobs = jobs.into_iter();
    jobs.map(|(job, snapshots)| job_stats(job, &snapshots))
        .collect()
}

/// `snapshots` are in the order of their numbers.
fn job_stats(job: &JobName, snapshots: &[&Living]) -> JobStats {
    let created = |living: &&Living| living.commit.created;
    let packs = snapshots.iter().flat_map(|living| &living.refs.packs);
    let packs: BTreeSet<(Digest, u64)> = packs.map(|pack| (pack.0, pack.1)).collect();
    let mut once = Amount::default();
    for (_, size) in packs {
        once.add(size);
    }
    let oldest: Option<Timestamp> = snapshots.first().map(created);
    JobStats {
        job: job.clone(),
        snapshots: snapshots.len() as u64,
        oldest,
        newest: snapshots.last().map(created),
        packs: once,
        apart_bytes: snapshots.iter().map(|living| living.commit.bytes).sum(),
        newest_bytes: snapshots.last().map_or(0, |living| living.commit.bytes),
    }
}
