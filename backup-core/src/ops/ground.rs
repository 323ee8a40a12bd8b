//! What a run can build on: the index of the job's previous snapshot, and the packs of a run that
//! broke off. Only packs that the store has now, in the right size, that no prune may delete, and
//! that are not retired, may be used; those of a broken run also only if their bytes are what they
//! were.
//!
//! Called after the run's session exists and prunes were looked at, so that whoever prunes waits
//! for this run, or this run knows of it.

use std::{
    collections::{HashMap, HashSet},
    fs, io,
    path::PathBuf,
    sync::Arc,
};

use backup_model::{Code, Digest, Event, Failure, JobName, Progress};
use sha2::{Digest as _, Sha256};

use super::OpError;
use crate::{
    chunk::DedupSecret,
    format::layout,
    pipeline::{Assembled, Dedup, PackUse, RunJournal, on_thread, retire},
    repo::{
        Host, HostError, RepoError, Repository, Run, RunRecord,
        chunks::{
            Frame, Index, IndexFault, IndexHead, Journal, JournalHead, JournalReader, NextIndex,
            PackInfo, Seen,
        },
        load_refs,
    },
};

/// What a run builds on, and where it takes notes.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) dedup: Dedup,
    pub(super) journal: RunJournal,
}

/// The host's files for one run.
#[derive(Debug)]
pub(super) struct Local {
    pub(super) job: JobName,
    pub(super) epoch: u64,
    pub(super) scratch: PathBuf,
    /// Read once: everything of a run belongs to one secret.
    pub(super) secret: Arc<DedupSecret>,
    index: PathBuf,
    journal: PathBuf,
}

impl Local {
    pub(super) fn new(host: &Host, job: JobName, epoch: u64) -> Result<Self, HostError> {
        Ok(Self {
            secret: Arc::new(host.dedup_secret(epoch)?),
            scratch: host.scratch().to_owned(),
            index: host.index_path(&job),
            journal: host.journal_path(&job),
            job,
            epoch,
        })
    }

    fn head(&self, repository: &Repository, record: Digest) -> IndexHead {
        IndexHead {
            repository: repository.id(),
            epoch: self.epoch,
            job: self.job.clone(),
            record,
        }
    }
}

/// Gathers what the run can build on. What cannot be used is a warning: the backup is then larger.
pub(super) async fn ground(
    repository: &Repository,
    local: &Local,
    run: &Run<'_>,
    progress: &Arc<dyn Progress>,
) -> Result<Ground, OpError> {
    if let Some(error) = run.distrust() {
        // Everything is stored anew, which costs space and nothing else.
        progress.event(Event::Warned(Failure::from_error(error.code(), error)));
    }
    let name = run.name();
    let previous = repository
        .snapshot_before(&name.job, name.seq, run.forgotten())
        .await?;
    // What is known of another epoch's chunks is of no use: this one's have other ids.
    let comparable = previous.as_ref().filter(|record| {
        let commit = record.commit();
        commit.is_ok_and(|commit| commit.epoch == local.epoch)
    });
    let index = match comparable {
        None => None,
        Some(record) => open_index(repository, local, record, progress).await?,
    };
    let stored: HashMap<Digest, u64> = repository
        .store()
        .list(layout::PACKS)
        .await?
        .iter()
        .filter_map(|object| Some((layout::parse_pack(&object.key)?, object.size)))
        .filter(|(pack, _)| !run.is_doomed(pack))
        .collect();
    let retired = match (&index, &previous) {
        (Some(index), Some(record)) => match retired(repository, index, record).await {
            // Retiring saves space later. Damage is for verify to tell, not for this run to fail.
            Err(error) if error.code() == Code::Damaged => HashSet::new(),
            retired => retired?,
        },
        _ => HashSet::new(),
    };
    let usable = match &index {
        None => Vec::new(),
        Some(index) => {
            let there = |pack: &PackInfo| stored.get(&pack.sha256) == Some(&pack.size);
            let packs = index.packs().iter();
            packs
                .map(|pack| there(pack) && !retired.contains(&pack.sha256))
                .collect()
        }
    };
    let dedup = Dedup::new(index, usable, Seen::new(&local.scratch));
    let broken = broken_packs(repository, local, &stored, &dedup).await?;
    Ok(Ground {
        dedup,
        journal: new_journal(repository, local, run, broken).await?,
    })
}

/// The index of this very snapshot, or none.
async fn open_index(
    repository: &Repository,
    local: &Local,
    record: &RunRecord,
    progress: &Arc<dyn Progress>,
) -> Result<Option<Index>, OpError> {
    let secret = Arc::clone(&local.secret);
    let (path, head) = (local.index.clone(), local.head(repository, record.digest));
    let opened = on_thread("index", move || Index::open(&path, &head, &secret)).await?;
    match opened {
        Ok(index) => Ok(Some(index)),
        Err(IndexFault::Absent) => Ok(None),
        Err(fault) => {
            let text = format!(
                "the index of `{}` on this host is not used, so everything is stored again",
                local.job
            );
            progress.event(Event::Warned(Failure {
                causes: causes(&fault),
                ..Failure::new(Code::LocalIo, text)
            }));
            Ok(None)
        }
    }
}

/// Packs of the previous snapshot whose content is stored again, so that they can go.
async fn retired(
    repository: &Repository,
    index: &Index,
    record: &RunRecord,
) -> Result<HashSet<Digest>, RepoError> {
    let refs = load_refs(repository, record.commit()?).await?;
    let plain: HashMap<Digest, u64> = index.packs().iter().map(|p| (p.sha256, p.plain)).collect();
    let packs = refs.packs.iter().filter_map(|pack| {
        Some(PackUse {
            sha256: pack.0,
            size: pack.1,
            plain: *plain.get(&pack.0)?,
            share: pack.2,
        })
    });
    let packs: Vec<_> = packs.collect();
    let pack_bytes = repository.record().pack_bytes;
    let retired = retire(&packs, pack_bytes, index.new_bytes());
    Ok(retired.into_iter().collect())
}

/// Adopts the packs of a run that broke off, as far as they are what they were.
async fn broken_packs(
    repository: &Repository,
    local: &Local,
    stored: &HashMap<Digest, u64>,
    dedup: &Dedup,
) -> Result<HashSet<Digest>, OpError> {
    let known = dedup.index().into_iter().flat_map(Index::packs);
    let known: HashSet<Digest> = known.map(|pack| pack.sha256).collect();
    let mut adopted = HashSet::new();
    let Some(mut reader) = old_journal(repository, local).await? else {
        return Ok(adopted);
    };
    loop {
        let (frame, rest) = on_thread("journal", move || (reader.next(), reader)).await?;
        reader = rest;
        let Some(Frame { pack, parts }) = frame else {
            return Ok(adopted);
        };
        let there = stored.get(&pack.sha256) == Some(&pack.size);
        if there && !known.contains(&pack.sha256) && is_whole(repository, &pack).await? {
            dedup.adopt(pack, &parts)?;
            adopted.insert(pack.sha256);
        }
    }
}

/// The journal of a run that broke off. One that cannot be read has nothing that is needed.
async fn old_journal(
    repository: &Repository,
    local: &Local,
) -> Result<Option<JournalReader>, OpError> {
    let secret = Arc::clone(&local.secret);
    let (id, epoch, job) = (repository.id(), local.epoch, local.job.clone());
    let path = local.journal.clone();
    let read = move || Journal::read(&path, &secret, id, epoch, &job).ok();
    Ok(on_thread("journal", read).await?)
}

/// Whether the store has the pack as it was written.
async fn is_whole(repository: &Repository, pack: &PackInfo) -> Result<bool, OpError> {
    let bytes = repository.store().find(&layout::pack(&pack.sha256)).await?;
    let Some(bytes) = bytes else { return Ok(false) };
    let digest = on_thread("sha256", move || Digest(Sha256::digest(&bytes).into())).await?;
    Ok(digest == pack.sha256)
}

/// Begins this run's journal, in the place of the one of the run that broke off, with what was
/// adopted from it.
async fn new_journal(
    repository: &Repository,
    local: &Local,
    run: &Run<'_>,
    adopted: HashSet<Digest>,
) -> Result<RunJournal, OpError> {
    let secret = Arc::clone(&local.secret);
    let head = JournalHead {
        repository: repository.id(),
        epoch: local.epoch,
        job: local.job.clone(),
        nonce: run.nonce(),
        seq: run.name().seq,
    };
    let earlier = old_journal(repository, local).await?.into_iter().flatten();
    let path = local.journal.clone();
    let create = move || {
        let adopted = earlier.filter(|frame| adopted.contains(&frame.pack.sha256));
        Journal::create(&path, &head, &secret, adopted)
    };
    Ok(RunJournal::new(on_thread("journal", create).await?))
}

/// Keeps what the next run can build on. The snapshot is committed, so whatever fails here is a
/// warning: the next backup is then larger.
pub(super) async fn keep(
    repository: &Repository,
    local: Local,
    record: Digest,
    assembled: Assembled,
    progress: &Arc<dyn Progress>,
) {
    let head = local.head(repository, record);
    let job = local.job.clone();
    let warn = |what: &str, cause: String| {
        progress.event(Event::Warned(Failure {
            causes: vec![cause],
            ..Failure::new(Code::LocalIo, format!("`{job}`: {what}"))
        }));
    };
    if let Some(page) = assembled.dedup.index().and_then(Index::spoilt) {
        let what = "the index on this host went bad while it was used, so more was stored";
        warn(what, page.to_string());
    }
    let kept = on_thread("index", move || {
        write_index(&local, &head, assembled)?;
        match fs::remove_file(&local.journal) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    });
    let what = "this host could not keep its index, so the next backup stores everything again";
    match kept.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => warn(what, error.to_string()),
        Err(error) => warn(what, error.to_string()),
    }
}

fn write_index(local: &Local, head: &IndexHead, assembled: Assembled) -> io::Result<()> {
    let new_bytes = assembled.new_stored_bytes();
    let Assembled { dedup, caches, .. } = assembled;
    let packs = dedup.packs_to_keep();
    let usable = |slot: u32| packs.get(slot as usize).is_some_and(Option::is_some);
    // An empty place keeps the numbers of the others what they are.
    let places: Vec<PackInfo> = packs.iter().map(|pack| pack.unwrap_or(NO_PACK)).collect();
    let next = NextIndex {
        folder: &local.scratch,
        packs: &places,
        keep: &|slot| usable(slot).then_some(slot),
        old: dedup.index(),
        streams: caches,
        new_bytes,
    };
    next.write(&local.index, head, &local.secret)
}

/// A place in the index without a pack: nothing that is stored has no bytes.
const NO_PACK: PackInfo = PackInfo {
    sha256: Digest([0; 32]),
    size: 0,
    head: Digest([0; 32]),
    plain: 0,
};

fn causes(error: &dyn std::error::Error) -> Vec<String> {
    let mut causes = vec![error.to_string()];
    let mut source = error.source();
    while let Some(error) = source {
        causes.push(error.to_string());
        source = error.source();
    }
    causes
}
