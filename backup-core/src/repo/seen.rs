//! What a machine has seen of a repository, so that a roll-back or a fork shows:
//! `<state>/seen/<repository id>.json`, not a secret, and needed for nothing else.
//!
//! ```text
//! {"trust":[<version>,"<digest>"],"forget":[<version>,"<digest>"],"runs":{"<job>":[<number>,"<digest>"]}}
//! ```
//!
//! Of each chain the newest link that was seen, which must be there ever after. What is read is
//! compared with what was known when the repository was opened, and not with what others have seen
//! meanwhile: a reader may be behind them and still be right.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder},
    io::{self, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use backup_model::{Digest, JobName, RepositoryId, Seq};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{HostError, RepoError, Repository, RunState};
use crate::format::layout;

/// The newest link of a chain that was seen: its number, and its digest.
type Link = (u64, Digest);

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Links {
    trust: Option<Link>,
    forget: Option<Link>,
    runs: BTreeMap<JobName, Link>,
}

impl Links {
    /// Takes over what is newer.
    fn raise(&mut self, newer: Self) {
        let raise = |link: &mut Option<Link>, other: Option<Link>| {
            if other.map(|other| other.0) > link.map(|link| link.0) {
                *link = other;
            }
        };
        raise(&mut self.trust, newer.trust);
        raise(&mut self.forget, newer.forget);
        for (job, other) in newer.runs {
            let link = self.runs.entry(job).or_insert(other);
            if other.0 > link.0 {
                *link = other;
            }
        }
    }
}

/// What this machine has seen of one repository.
#[derive(Debug)]
pub struct Memory {
    path: PathBuf,
    /// When the repository was opened.
    known: Links,
    /// Since then.
    seen: Mutex<Links>,
}

impl Memory {
    /// Reads what was seen, if anything ever was.
    pub fn open(state: &Path, id: RepositoryId) -> Result<Self, HostError> {
        let path = state.join("seen").join(format!("{id}.json"));
        let known = read(&path).map_err(|source| HostError::Io {
            path: path.clone(),
            source,
        })?;
        Ok(Self {
            path,
            seen: Mutex::new(known.clone()),
            known,
        })
    }

    /// Remembers what was read and found right. A machine that cannot write it down forgets it:
    /// whoever has nothing but a rescue system must be able to read.
    fn note(&self, links: Links) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = seen.clone();
        seen.raise(links);
        if *seen != before {
            self.store(&mut seen).ok();
        }
    }

    /// Writes it down, with what others have written meanwhile.
    fn store(&self, seen: &mut Links) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        seen.raise(read(&self.path)?);
        let mut file = NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut file, seen)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }
}

fn read(path: &Path) -> io::Result<Links> {
    match fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Links::default()),
        Err(error) => Err(error),
    }
}

impl Repository {
    /// The same, compared with what this machine has seen of it, now and whatever is read later.
    pub fn remembering(mut self, memory: Memory) -> Result<Self, RepoError> {
        let chain = self.trust_chain();
        if let Some((version, digest)) = memory.known.trust {
            let there = usize::try_from(version).ok();
            let there = there.and_then(|version| chain.get(version.checked_sub(1)?));
            let key = layout::trust(version);
            compare(&memory, key, there.copied(), digest)?;
        }
        let newest = chain.last().map(|&digest| (chain.len() as u64, digest));
        self.memory = Some(memory.into());
        if let Some((version, digest)) = newest {
            self.remember_trust(version, digest);
        }
        Ok(self)
    }

    /// Remembers a trust record that was read, or stored from here.
    pub(crate) fn remember_trust(&self, version: u64, digest: Digest) {
        self.note(Links {
            trust: Some((version, digest)),
            ..Links::default()
        });
    }

    /// Remembers a forget that was read, or stored from here.
    pub(super) fn note_forget(&self, forget: Option<Link>) {
        self.note(Links {
            forget,
            ..Links::default()
        });
    }

    /// The jobs of which runs were seen, be anything left of them or not.
    pub(super) fn remembered_jobs(&self) -> impl Iterator<Item = &JobName> {
        let memories = self.memory.iter();
        memories.flat_map(|memory| memory.known.runs.keys())
    }

    fn note(&self, links: Links) {
        if let Some(memory) = &self.memory {
            memory.note(links);
        }
    }

    /// Compares the newest forget with the one that was seen, which it must follow.
    pub(super) async fn remember_forget(&self, newest: Option<Link>) -> Result<(), RepoError> {
        let Some(memory) = &self.memory else {
            return Ok(());
        };
        if let Some((version, digest)) = memory.known.forget {
            let there = match newest {
                Some((newest, there)) if newest == version => Some(there),
                Some((newest, _)) if newest > version => {
                    // One that is damaged is none that somebody else has put there.
                    match self.forget_record(version).await {
                        Err(RepoError::Store(error)) => return Err(error.into()),
                        Ok(there) => there.and_then(|there| there.record()).map(|at| at.sha256),
                        Err(_) => Some(digest),
                    }
                }
                Some(_) | None => None,
            };
            compare(memory, layout::forget(version), there, digest)?;
        }
        self.note_forget(newest);
        Ok(())
    }

    /// Compares a job's runs with the newest that was seen. It has its verdict like any other.
    pub(super) fn remember_runs(&self, job: &JobName, runs: &mut Vec<(Seq, RunState)>) {
        let Some(memory) = &self.memory else {
            return;
        };
        if let Some(&(number, digest)) = memory.known.runs.get(job) {
            let seq = Seq(number);
            let verdict = |there| compare(memory, layout::snapshot(job, seq), there, digest);
            match runs.iter_mut().find(|(found, _)| *found == seq) {
                None => runs.extend(verdict(None).err().map(|error| (seq, RunState::Bad(error)))),
                Some((_, state)) => {
                    let wrong = match state {
                        RunState::Ended(record) => verdict(Some(record.digest)).err(),
                        RunState::Open(_) => verdict(None).err(),
                        RunState::Dead(_) | RunState::Bad(_) => None,
                    };
                    if let Some(error) = wrong {
                        *state = RunState::Bad(error);
                    }
                }
            }
        }
        let ended = runs.iter().rev().find_map(|(_, state)| match state {
            RunState::Ended(record) => Some(record),
            _ => None,
        });
        if let Some(record) = ended {
            self.remember_run(record.name.seq, &record.name.job, record.digest);
        }
    }

    /// That the newest run of a job that was seen is still there, for one who is about to add the
    /// next.
    pub(super) async fn has_remembered(&self, job: &JobName) -> Result<(), RepoError> {
        let known = self.memory.as_ref().and_then(|memory| {
            let link = memory.known.runs.get(job)?;
            Some((memory, *link))
        });
        let Some((memory, (number, digest))) = known else {
            return Ok(());
        };
        let there = match self.end_of(job, Seq(number)).await {
            // What was forgotten has no digest of its own to compare with.
            Ok(Some((_, None))) => return Ok(()),
            Ok(there) => there.map(|(digest, _)| digest),
            Err(RepoError::Store(error)) => return Err(error.into()),
            // Damage is told where the record is needed.
            Err(_) => return Ok(()),
        };
        compare(memory, layout::snapshot(job, Seq(number)), there, digest)
    }

    /// Remembers the end of a run.
    pub(super) fn remember_run(&self, seq: Seq, job: &JobName, digest: Digest) {
        self.note(Links {
            runs: BTreeMap::from([(job.clone(), (seq.0, digest))]),
            ..Links::default()
        });
    }
}

fn compare(
    memory: &Memory,
    key: String,
    there: Option<Digest>,
    seen: Digest,
) -> Result<(), RepoError> {
    let memory = memory.path.clone();
    match there {
        Some(there) if there == seen => Ok(()),
        Some(_) => Err(RepoError::Forked { key, memory }),
        None => Err(RepoError::RolledBack { key, memory }),
    }
}
