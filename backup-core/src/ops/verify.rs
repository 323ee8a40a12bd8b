//! Verify: is everything that a snapshot names there and unaltered, and does it read?
//!
//! `storage` needs no key: the record in its chain, recipe, refs and packs by size and digest.
//! `data` reads every stream to its end besides, as a restore would, entry by entry. A store that cannot be
//! reached is not damage: the snapshot is then untested.

use std::{
    collections::HashMap,
    io::{self, Read, Write},
    sync::Arc,
    time::Instant,
};

use backup_keys::OpensKeyFiles;
use backup_model::{
    Code, Digest, Event, Failure, Level, Phase, Progress, Selection, SnapshotName, StreamKind,
    Verdict, VerifyReport,
};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::{
    OpError,
    copy::copy,
    list::{forgotten, read_recipe, selected},
    protect::{protected, still_lives},
};
use crate::{
    format::{Commit, Refs, layout},
    pipeline::{Fetcher, SnapshotReader, Usage, on_thread},
    repo::{JobRuns, RepoError, Repository, RunRecord, RunState, load_refs},
    source::postgres::{ArchiveCheck, ArchiveError},
    store::SizedObject,
};

/// How to verify.
#[derive(Clone, Debug)]
pub enum Verifier {
    /// Everything there and unaltered.
    Storage,
    /// Also: everything reads, with an administrator's identity.
    Data(Arc<dyn OpensKeyFiles>),
}

impl Verifier {
    /// Reads the data with a key.
    pub fn data(key: impl OpensKeyFiles + 'static) -> Self {
        Self::Data(Arc::new(key))
    }

    fn level(&self) -> Level {
        match self {
            Self::Storage => Level::Storage,
            Self::Data(_) => Level::Data,
        }
    }
}

/// Packs that were read already, and what was wrong with them.
type SeenPacks = HashMap<(Digest, u64), Option<Failure>>;

/// Verifies snapshots and gives each report as soon as it is there. Runs without a snapshot
/// (aborted, fenced, open) have nothing to verify; a record that is missing or not valid is
/// damage.
pub async fn verify(
    repository: &Repository,
    selection: &Selection,
    verifier: &Verifier,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
    mut report: impl FnMut(VerifyReport),
) -> Result<(), OpError> {
    let mut verification = Verification::begin(repository, selection, verifier).await?;
    for name in verification.meant(selection) {
        match verification.snapshot(&name, progress, cancel).await {
            Ok(checked) => report(checked),
            // Nobody has to be told of each snapshot that goes while all are read.
            Err(OpError::Repo(RepoError::Forgotten { .. })) if !is_one(selection) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Verifies snapshots one by one, as somebody chooses; what several of them name is read once.
#[derive(Debug)]
pub struct Verification<'a> {
    repository: &'a Repository,
    verifier: &'a Verifier,
    jobs: Vec<JobRuns>,
    seen: SeenPacks,
}

impl<'a> Verification<'a> {
    /// Reads the records of the jobs that are selected.
    pub async fn begin(
        repository: &'a Repository,
        selection: &Selection,
        verifier: &'a Verifier,
    ) -> Result<Self, OpError> {
        Ok(Self {
            repository,
            verifier,
            jobs: selected(repository, selection).await?,
            seen: SeenPacks::new(),
        })
    }

    /// What there is to verify, oldest first within a job, and when each was made; that is unknown
    /// where a record is not to be believed.
    pub fn snapshots(&self) -> Vec<(SnapshotName, Option<Timestamp>)> {
        let runs = self.jobs.iter().flat_map(|job| {
            let runs = job.runs.iter();
            runs.map(|(seq, state)| (job.job.clone(), *seq, state))
        });
        let there = runs.filter_map(|(job, seq, state)| {
            let created = if is_bad(state) {
                None
            } else if let RunState::Ended(record) = state {
                Some(record.commit().ok()?.created)
            } else {
                return None;
            };
            Some((SnapshotName { job, seq }, created))
        });
        there.collect()
    }

    /// The names that a selection means. One that was named is meant whatever became of it.
    fn meant(&self, selection: &Selection) -> Vec<SnapshotName> {
        if let Selection::One(name) = selection {
            return vec![name.clone()];
        }
        let latest = |name: &SnapshotName| {
            let job = self.jobs.iter().find(|job| job.job == name.job);
            job.and_then(JobRuns::latest).map(|record| record.name.seq)
        };
        let snapshots = self.snapshots().into_iter().map(|(name, _)| name);
        let meant = snapshots
            // What cannot be believed may have been a newer one.
            .filter(|name| *selection != Selection::Latest || latest(name) <= Some(name.seq));
        meant.collect()
    }

    /// Verifies one of them.
    pub async fn snapshot(
        &mut self,
        name: &SnapshotName,
        progress: &Arc<dyn Progress>,
        cancel: &CancellationToken,
    ) -> Result<VerifyReport, OpError> {
        if cancel.is_cancelled() {
            return Err(OpError::Cancelled);
        }
        let job = self.jobs.iter().find(|job| job.job == name.job);
        let mut runs = job.into_iter().flat_map(|job| &job.runs);
        let state = runs
            .find(|(seq, _)| *seq == name.seq)
            .map(|(_, state)| state);
        let level = self.verifier.level();
        match state {
            Some(RunState::Ended(record)) => {
                if let Ok(commit) = record.commit() {
                    let (repository, verifier) = (self.repository, self.verifier);
                    let seen = &mut self.seen;
                    let checked =
                        snapshot(repository, record, commit, verifier, seen, progress, cancel);
                    return protected(repository, record, checked).await;
                }
            }
            Some(RunState::Dead(dead)) => return Err(forgotten(name.clone(), *dead).into()),
            Some(RunState::Bad(error)) => return Ok(bad_record(name.clone(), level, error)),
            Some(RunState::Open(run)) => {
                if let Some(error) = run.fault() {
                    return Ok(bad_record(name.clone(), level, error));
                }
            }
            None => {}
        }
        Err(RepoError::NoSnapshot(name.clone()).into())
    }
}

fn is_one(selection: &Selection) -> bool {
    matches!(selection, Selection::One(_))
}

fn is_bad(state: &RunState) -> bool {
    match state {
        RunState::Bad(_) => true,
        RunState::Open(run) => run.fault().is_some(),
        RunState::Ended(_) | RunState::Dead(_) => false,
    }
}

fn bad_record(snapshot: SnapshotName, level: Level, error: &RepoError) -> VerifyReport {
    let failure = Failure::from_error(error.code(), error);
    VerifyReport {
        snapshot,
        created: None,
        level,
        verdict: match error {
            RepoError::Store(_) => Verdict::Untested { reason: failure },
            _ => Verdict::Damaged {
                faults: vec![failure],
            },
        },
        packs: 0,
        stored_bytes: 0,
        read_bytes: 0,
        took_secs: 0.0,
    }
}

async fn snapshot(
    repository: &Repository,
    record: &RunRecord,
    commit: &Commit,
    verifier: &Verifier,
    seen: &mut SeenPacks,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<VerifyReport, OpError> {
    let started = Instant::now();
    let object = record.name.to_string();
    progress.event(Event::Began {
        phase: Phase::Verify,
        object: object.clone(),
        total_bytes: Some(commit.bytes),
    });
    let mut faults = Vec::new();
    let mut read_bytes = 0;
    let storage = storage(
        repository,
        commit,
        seen,
        &object,
        progress,
        cancel,
        &mut faults,
    );
    let mut outcome = storage.await;
    // Data that is not whole need not be decrypted to be known as damaged.
    if let (Ok(refs), Verifier::Data(identity), true) = (&outcome, verifier, faults.is_empty()) {
        match data(repository, commit, refs, &**identity, cancel).await {
            Ok(read) => read_bytes = read,
            Err(error) => outcome = Err(error),
        }
    }
    progress.event(Event::Ended { object });
    let verdict = match outcome {
        Err(OpError::Cancelled) => return Err(OpError::Cancelled),
        Err(error) if error.code() == Code::WrongIdentity => return Err(error),
        Err(error) => {
            let damage = matches!(error.code(), Code::Damaged | Code::RepositoryDamaged);
            if damage || !faults.is_empty() {
                still_lives(repository, &record.name).await?;
                // What was found stays found, whatever could not be looked at after it.
                faults.push(error.to_failure());
                Verdict::Damaged { faults }
            } else {
                Verdict::Untested {
                    reason: error.to_failure(),
                }
            }
        }
        Ok(_) if faults.is_empty() => Verdict::Good,
        Ok(_) => {
            still_lives(repository, &record.name).await?;
            Verdict::Damaged { faults }
        }
    };
    Ok(VerifyReport {
        snapshot: record.name.clone(),
        created: Some(commit.created),
        level: verifier.level(),
        verdict,
        packs: commit.packs,
        stored_bytes: commit.bytes,
        read_bytes,
        took_secs: started.elapsed().as_secs_f64(),
    })
}

/// Every object that the commit names, by size and digest.
async fn storage(
    repository: &Repository,
    commit: &Commit,
    seen: &mut SeenPacks,
    object: &str,
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
    faults: &mut Vec<Failure>,
) -> Result<Refs, OpError> {
    let key = layout::recipe(&commit.recipe.sha256);
    if let Some(fault) = check(repository, &key, commit.recipe.sha256, commit.recipe.size).await? {
        faults.push(fault);
    }
    let refs = load_refs(repository, commit).await?;
    let mut done_bytes = 0;
    for pack in &refs.packs {
        if cancel.is_cancelled() {
            return Err(OpError::Cancelled);
        }
        let (sha256, size) = (pack.0, pack.1);
        let fault = if let Some(known) = seen.get(&(sha256, size)) {
            known.clone()
        } else {
            let found = check(repository, &layout::pack(&sha256), sha256, size).await?;
            seen.insert((sha256, size), found.clone());
            found
        };
        faults.extend(fault);
        done_bytes += size;
        progress.event(Event::Advanced {
            object: object.to_owned(),
            done_bytes,
            stored_bytes: 0,
        });
    }
    Ok(refs)
}

/// What is wrong with one stored object.
async fn check(
    repository: &Repository,
    key: &str,
    sha256: Digest,
    size: u64,
) -> Result<Option<Failure>, OpError> {
    let damaged = |text: String| Ok(Some(Failure::new(Code::Damaged, text)));
    let bytes = match repository.store().find_sized(key, size).await? {
        SizedObject::Bytes(bytes) => bytes,
        SizedObject::Missing => return damaged(format!("{key} is missing")),
        SizedObject::OtherSize(found) => {
            return damaged(format!("{key}: {size} bytes expected, {found} found"));
        }
    };
    let digest = on_thread("sha256", move || Digest(Sha256::digest(&bytes).into())).await?;
    if digest != sha256 {
        return damaged(format!("{key}: SHA-256 {sha256} expected, {digest} found"));
    }
    Ok(None)
}

/// Reads every stream to its end; gives how many bytes they were.
async fn data(
    repository: &Repository,
    commit: &Commit,
    refs: &Refs,
    identity: &dyn OpensKeyFiles,
    cancel: &CancellationToken,
) -> Result<u64, OpError> {
    let (epoch, recipe) = read_recipe(repository, commit, identity).await?;
    let fetcher = Fetcher::spawn(repository.store().clone());
    let snapshot = SnapshotReader::new(fetcher, epoch, Arc::clone(&recipe));
    let refs_key = layout::refs(&commit.refs.sha256);
    let (refs, cancel) = (refs.clone(), cancel.clone());
    on_thread("verify", move || {
        refs_agree(&snapshot, &refs_key, &refs)?;
        let mut read_bytes = 0;
        for stream in &recipe.streams {
            let mut archive = Archive(match stream.line.kind {
                StreamKind::Postgres => Some(Ok(ArchiveCheck::new())),
                _ => None,
            });
            let mut reader = snapshot.open(stream)?;
            read_bytes += copy(&mut reader as &mut dyn Read, &mut archive, &cancel)?;
            archive.finish().map_err(|source| OpError::Archive {
                name: stream.line.name.clone(),
                source,
            })?;
        }
        Ok(read_bytes)
    })
    .await?
}

/// Refs follow from the recipe; whoever has the key makes sure.
fn refs_agree(snapshot: &SnapshotReader, key: &str, refs: &Refs) -> Result<(), OpError> {
    let recipe = Arc::clone(snapshot.recipe());
    let scratch = |source| OpError::io("sort the extents of a snapshot", source);
    let mut usage = Usage::new(&std::env::temp_dir());
    for stream in &recipe.streams {
        for extent in snapshot.extents(stream)? {
            usage.push(extent?).map_err(scratch)?;
        }
    }
    let used = usage.finish(recipe.packs.len()).map_err(scratch)?;
    if Refs::derive(refs.head.clone(), &recipe.packs, &used) == *refs {
        return Ok(());
    }
    Err(RepoError::rule(key, "they do not follow from the recipe").into())
}

/// Walks a dump's archive while it passes by. Its own fault shows at the end, after the stream's
/// digest had its say.
struct Archive(Option<Result<ArchiveCheck, ArchiveError>>);

impl Archive {
    fn finish(self) -> Result<(), ArchiveError> {
        match self.0 {
            Some(check) => check?.finish().map(|_| ()),
            None => Ok(()),
        }
    }
}

impl Write for Archive {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(Ok(check)) = &mut self.0
            && let Err(fault) = check.push(bytes)
        {
            self.0 = Some(Err(fault));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_that_is_none_is_its_own_fault() {
        let mut archive = Archive(Some(Ok(ArchiveCheck::new())));
        archive.write_all(b"not an archive of pg_dump").unwrap();
        archive.write_all(b"and more of it").unwrap();
        assert!(archive.finish().is_err());
        assert!(Archive(Some(Ok(ArchiveCheck::new()))).finish().is_err());
        assert!(Archive(None).finish().is_ok());
    }
}
