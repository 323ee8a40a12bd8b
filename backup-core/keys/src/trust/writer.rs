//! Writers: what a key may sign, and what of one that was removed goes on to count.

use std::collections::BTreeMap;

use backup_model::{Digest, JobName, Seq};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::PublicKey;

/// What a writer key may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sessions and snapshots.
    Write,
    /// Fences, forgets and prunes.
    Maintain,
    /// Proofs.
    Prove,
}

/// A key that signs records of jobs. Its roles and jobs never change, or what it signed would lose
/// its ground: who shall do less is removed, and comes again with another key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Writer {
    /// A name, spelled as a job's.
    pub name: JobName,
    /// The key.
    pub key: PublicKey,
    /// What it may sign.
    pub roles: Vec<Role>,
    /// For which jobs; `None` for all.
    pub jobs: Option<Vec<JobName>>,
    /// Since when.
    pub from: Timestamp,
    /// Until when it may begin backups; what it signed stays valid.
    pub until: Option<Timestamp>,
    /// Set when it was taken out.
    pub removed: Option<Removal>,
}

impl Writer {
    /// Whether it has a role for a job.
    pub fn may(&self, role: Role, job: &JobName) -> bool {
        let covers = self.jobs.as_ref().is_none_or(|jobs| jobs.contains(job));
        covers && self.roles.contains(&role)
    }

    /// Whether it has the role to forget and prune: what is of the whole repository.
    pub fn maintains_all(&self) -> bool {
        self.jobs.is_none() && self.roles.contains(&Role::Maintain)
    }

    /// Whether the record of a run that it signed counts: all do until it is removed, then those
    /// that were in the repository.
    pub fn counts(&self, job: &JobName, seq: Seq, digest: Digest) -> bool {
        self.removed
            .as_ref()
            .is_none_or(|removal| removal.accepted.has_run(job, seq, digest))
    }

    /// Whether a forget that it signed counts: all do until it is removed, then those up to the one
    /// that was the newest, whose digest the trust record pins. Whether it has the role is asked
    /// apart, of a removed writer too.
    pub fn forget_counts(&self, version: u64) -> bool {
        self.removed.as_ref().is_none_or(|removal| {
            let pinned = removal.accepted.forget.as_ref();
            pinned.is_some_and(|forget| version <= forget.version)
        })
    }

    /// Whether a record of a prune that it signed counts: after its removal, those of earlier
    /// prunes, and of the one that was the newest those that were there. Whether it has the role
    /// is asked apart, of a removed writer too.
    pub fn prune_counts(&self, generation: u64, part: PrunePart, digest: Digest) -> bool {
        self.removed.as_ref().is_none_or(|removal| {
            removal.accepted.prune.as_ref().is_some_and(|newest| {
                generation < newest.generation
                    || generation == newest.generation && newest.digest(part) == Some(digest)
            })
        })
    }
}

/// A writer's removal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removal {
    /// When.
    pub at: Timestamp,
    /// What goes on to count.
    pub accepted: Accepted,
}

/// What is in the repository of a writer that is removed, or under it, and goes on to count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// The ends of runs that it signed, by job: each by its digest, since of a chain that has lost
    /// a link nobody knows what was before it.
    pub runs: Vec<AcceptedRuns>,
    /// The newest forget, whoever signed it; for a maintainer of the whole repository.
    pub forget: Option<LastForget>,
    /// The newest prune, whoever signed it; for a maintainer of the whole repository.
    pub prune: Option<LastPrune>,
}

impl Accepted {
    fn has_run(&self, job: &JobName, seq: Seq, digest: Digest) -> bool {
        let of_job = self.runs.binary_search_by(|runs| runs.job.cmp(job));
        let runs = of_job.ok().and_then(|at| self.runs.get(at));
        runs.is_some_and(|of_job| {
            let found = of_job.runs.binary_search_by_key(&seq, |run| run.0);
            found.is_ok_and(|at| of_job.runs[at].1 == digest)
        })
    }

    /// What counts by this one or by a later one. Where they differ about a run, this one is right:
    /// nobody writes an end twice.
    #[must_use]
    pub fn and(&self, later: &Self) -> Self {
        let mut jobs: BTreeMap<&JobName, BTreeMap<Seq, Digest>> = BTreeMap::new();
        for of_job in later.runs.iter().chain(&self.runs) {
            let runs = of_job.runs.iter().map(|run| (run.0, run.1));
            jobs.entry(&of_job.job).or_default().extend(runs);
        }
        let runs = jobs.into_iter().map(|(job, runs)| AcceptedRuns {
            job: job.clone(),
            runs: runs
                .into_iter()
                .map(|(seq, sha)| AcceptedRun(seq, sha))
                .collect(),
        });
        let forgets = [later.forget, self.forget].into_iter().flatten();
        let prunes = [later.prune, self.prune].into_iter().flatten();
        let mut prune = prunes.max_by_key(|prune| prune.generation);
        if let (Some(prune), Some(later)) = (&mut prune, later.prune)
            && prune.generation == later.generation
        {
            prune.last = prune.last.or(later.last);
            prune.done = prune.done.or(later.done);
        }
        Self {
            runs: runs.collect(),
            forget: forgets.max_by_key(|forget| forget.version),
            prune,
        }
    }
}

/// The ends of a job's runs that a removed writer signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedRuns {
    /// The job.
    pub job: JobName,
    /// By number.
    pub runs: Vec<AcceptedRun>,
}

/// The number of a run, and the digest of its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedRun(pub Seq, pub Digest);

/// The newest forget when a maintainer was removed. A forget says all, so this one and no older
/// one is needed; those before it count as long as readers come past them to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastForget {
    /// Its version.
    pub version: u64,
    /// Its digest.
    pub sha256: Digest,
}

/// The newest prune when a maintainer was removed. All before it are done. Of this one, the
/// records named here are those that are accepted; what it still lacks, somebody else must sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastPrune {
    /// Its generation.
    pub generation: u64,
    /// The digest of its plan.
    pub plan: Digest,
    /// The digest of its final, if there was one.
    #[serde(rename = "final")]
    pub last: Option<Digest>,
    /// The digest of its done, if there was one.
    pub done: Option<Digest>,
}

/// One of the three records of a prune.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrunePart {
    /// What it may delete.
    Plan,
    /// What it deletes.
    Final,
    /// That it is done.
    Done,
}

impl LastPrune {
    fn digest(&self, part: PrunePart) -> Option<Digest> {
        match part {
            PrunePart::Plan => Some(self.plan),
            PrunePart::Final => self.last,
            PrunePart::Done => self.done,
        }
    }
}
