//! A process that works on a repository in a folder is killed, by SIGKILL, at each of its steps in
//! the file system: before it, after it, and in the middle of a write. Whatever it was about,
//! nothing that was committed is lost, nothing half-written is taken for whole, and the next one
//! works.
//!
//! The process is this program once more. A small library, compiled from `kill.c` and preloaded,
//! counts its steps and kills it.

#![expect(clippy::print_stdout, reason = "the figures are the point")]

use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::Arc,
};

use backup_core::{
    ops,
    repo::{Host, Repository, TrustRoot},
    store::Store,
};
use backup_model::{Progress, PruneState, RepositoryId, Silent, Why};
use futures::TryStreamExt as _;
use object_store::{ObjectStore as _, ObjectStoreExt as _};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::{
    scene::{AT_ONCE, Ending, Hosts, Part, Scene, clock, snapshot},
    support::{job, world::folder_job},
};

/// What the process is to do and where; unset in a run of the tests.
const ROLE: &str = "BACKUPD_KILLED_ROLE";
/// Any value: each step, in each way. Otherwise every so many, which takes a tenth of the time.
const ALL: &str = "BACKUPD_ALL_KILLS";
const EVERY: u64 = 7;
const SIGKILL: i32 = 9;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Backup,
    Forget,
    Prune,
}

/// Where a process works: its repository, the hosts, and what is backed up.
struct Place {
    repository: PathBuf,
    hosts: PathBuf,
    source: PathBuf,
    id: RepositoryId,
    root: TrustRoot,
}

impl Role {
    async fn play(self, place: &Place) {
        let store = Store::local(&place.repository).unwrap();
        let repository = Repository::open(store, &place.root).await.unwrap();
        let host = Host::open(&place.hosts.join("0"), place.id).unwrap();
        let cancel = CancellationToken::new();
        match self {
            Self::Backup => {
                let job = folder_job(&job("etc"), place.source.clone());
                let silent: Arc<dyn Progress> = Arc::new(Silent);
                let done = ops::backup(&repository, &host, &job, clock, &silent, &cancel).await;
                assert!(done.unwrap().complete);
            }
            Self::Forget => {
                let names = [snapshot(1), snapshot(3)];
                let done = ops::forget(&repository, host.key(), &names, Why::Request, clock());
                assert_eq!(done.await.unwrap().forgotten, names);
            }
            Self::Prune => {
                let key = host.key();
                let done = ops::prune(&repository, key, None, AT_ONCE, clock, &Silent, &cancel);
                assert_eq!(done.await.unwrap().progress, PruneState::Done);
            }
        }
    }
}
