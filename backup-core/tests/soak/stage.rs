//! Where all work, and what each has told: what was written, what may be forgotten by now, and
//! what a restore must give.
//!
//! Every tree says in a file whose it is and which of his, so a restored one is known whoever has
//! or has not lived to tell that its snapshot was made.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use backup_core::{
    ops::{OpError, Verifier},
    repo::{RepoError, Repository, TrustRoot},
    store::Store,
};
use backup_keys::{Identity, SecretKey};
use backup_model::{Code, JobName, SnapshotName};
use jiff::Timestamp;
use tokio::sync::Notify;

use crate::support::world::{Tree, read_tree, restore};

/// The file that says which tree it is in.
pub(crate) const VERSION: &str = "version";

/// A tree that a writer once had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    pub(crate) writer: usize,
    pub(crate) number: u64,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.writer, self.number)
    }
}

impl Version {
    fn parse(text: &str) -> Self {
        let (writer, number) = text.split_once(' ').unwrap();
        let (writer, number) = (writer.parse().unwrap(), number.parse().unwrap());
        Self { writer, number }
    }
}

/// What was done so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) backups: u64,
    pub(crate) kills: u64,
    pub(crate) forgets: u64,
    pub(crate) forgotten: u64,
    pub(crate) prunes: u64,
    pub(crate) prunes_waiting: u64,
    pub(crate) packs_deleted: u64,
    pub(crate) bytes_deleted: u64,
    pub(crate) verifications: u64,
    pub(crate) snapshots_verified: u64,
    pub(crate) restores: u64,
    pub(crate) refusals: BTreeMap<(&'static str, &'static str), u64>,
}

/// What is known of all that happened.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) counts: Counts,
    /// Snapshots whose writers were told of a success.
    pub(crate) written: BTreeMap<SnapshotName, Version>,
    pub(crate) trees: BTreeMap<Version, Arc<Tree>>,
    /// Runs that somebody has set out to forget.
    pub(crate) doomed: BTreeSet<SnapshotName>,
    /// Those that are forgotten.
    pub(crate) forgotten: BTreeSet<SnapshotName>,
    /// Jobs of which a writer died last, by writer.
    pub(crate) died: BTreeMap<usize, JobName>,
}

/// A repository and those who work on it.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) store: Store,
    pub(crate) root: TrustRoot,
    pub(crate) admin: Identity,
    /// Where each writer's tree is.
    pub(crate) sources: Vec<PathBuf>,
    pub(crate) jobs: BTreeSet<JobName>,
    pub(crate) until: Instant,
    /// Somebody's run has ended: a prune that waits may go on.
    pub(crate) ended: Notify,
    pub(crate) told: Mutex<Told>,
}

impl Stage {
    pub(crate) fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap()
    }

    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    pub(crate) async fn open(&self, store: &Store) -> Result<Repository, RepoError> {
        Repository::open(store.clone(), &self.root).await
    }

    /// As somebody who pins what he reads, or not.
    pub(crate) async fn open_to_read(&self, key: Option<&Arc<SecretKey>>) -> Repository {
        let repository = self.open(&self.store).await.unwrap();
        match key {
            Some(key) => repository.read_by(Arc::clone(key)),
            None => repository,
        }
    }

    pub(crate) fn verifier(&self) -> Verifier {
        Verifier::data(self.admin.clone())
    }

    /// Counts a refusal that was due; any other ends the test.
    pub(crate) fn refused(&self, who: &'static str, error: &OpError, due: &[Code]) {
        let code = error.code();
        assert!(due.contains(&code), "{who}: {code} is not due: {error:?}");
        let mut told = self.told();
        *told
            .counts
            .refusals
            .entry((who, code.as_str()))
            .or_default() += 1;
    }

    /// Restores a snapshot and compares it with the tree that its writer had.
    pub(crate) async fn restore(
        &self,
        repository: &Repository,
        name: &SnapshotName,
    ) -> Result<(), OpError> {
        let target = tempfile::tempdir().unwrap();
        let folder = target.path().join("restored");
        let restored = restore(repository, &self.admin, name, &folder).await;
        assert!(
            restored.is_ok() || !folder.exists(),
            "{name}: what is that?"
        );
        restored?;
        let mut found = self
            .sources
            .iter()
            .enumerate()
            .filter_map(|(writer, source)| {
                let place = within(&folder, source);
                place.exists().then_some((writer, place))
            });
        let (writer, place) = found.next().expect("it is somebody's");
        let version = Version::parse(&fs::read_to_string(place.join(VERSION)).unwrap());
        assert_eq!(version.writer, writer, "{name} has another's tree");
        let (expected, written, doomed) = {
            let told = self.told();
            (
                told.trees.get(&version).cloned(),
                told.written.get(name).copied(),
                told.doomed.contains(name),
            )
        };
        assert!(
            written.is_none_or(|written| written == version),
            "{name} is {version}"
        );
        match expected {
            Some(expected) => compare(name, &read_tree(&place), &expected),
            None => assert!(doomed, "{name}: nobody ever had {version}"),
        }
        Ok(())
    }
}

fn within(folder: &Path, source: &Path) -> PathBuf {
    folder.join(source.strip_prefix("/").unwrap())
}

/// Equal, or the first paths that are not.
fn compare(name: &SnapshotName, found: &Tree, expected: &Tree) {
    if found == expected {
        return;
    }
    let paths: BTreeSet<_> = found.keys().chain(expected.keys()).collect();
    let other: Vec<_> = paths
        .into_iter()
        .filter(|path| found.get(*path) != expected.get(*path))
        .collect();
    panic!("{name} holds something else: {other:?}");
}

/// The machine's time.
#[expect(
    clippy::disallowed_methods,
    reason = "a file may be taken over unread once it is two seconds old"
)]
pub(crate) fn clock() -> Timestamp {
    Timestamp::now()
}

/// Longer than anything here may take.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
