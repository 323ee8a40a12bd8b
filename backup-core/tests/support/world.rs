//! A repository on any store, its keys, and folders that its jobs read.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use backup_core::{
    ops::{self, BackupJob, Clock, OpError, RestoreRequest, Source, Verifier},
    pipeline::LevelMode,
    repo::{
        AdministratorKey, Host, NewRepository, RepoError, Repository, RunLimits, TrustRoot,
        WriterKey, init, new_repository_id,
    },
    sink::directory::ExtractOptions,
    source::files::FilesSpec,
    store::Store,
};
use backup_keys::{Identity, SecretKey};
use backup_model::{
    BackupReport, JobName, Progress, Selection, Silent, SnapshotName, VerifyReport,
};
use jiff::Timestamp;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// What is in a folder: mode, modification time, and content or target; nothing for folders.
pub(crate) type Tree = BTreeMap<PathBuf, (u32, (i64, i64), Option<Vec<u8>>)>;

/// The keys and folders of a repository; which store it is on is said at each call.
pub(crate) struct World {
    pub(crate) root: SecretKey,
    pub(crate) admin: Identity,
    pub(crate) host: Host,
    folder: TempDir,
}

impl World {
    /// Makes a repository in an empty store.
    pub(crate) async fn new(store: &Store) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let id = new_repository_id().unwrap();
        let host = Host::create(
            &folder.path().join("state"),
            id,
            SecretKey::generate().unwrap(),
        );
        let world = Self {
            root: SecretKey::generate().unwrap(),
            admin: Identity::generate(),
            host: host.unwrap(),
            folder,
        };
        let new = NewRepository {
            id,
            root: SecretKey::from_file_text(&world.root.to_file_text("root").unwrap()).unwrap(),
            administrator: AdministratorKey {
                name: job("admin"),
                identity: world.admin.clone(),
            },
            writer: WriterKey {
                name: job("host"),
                key: world.host.key().public().clone(),
            },
            now: clock(),
        };
        init(store, &new).await.unwrap();
        world
    }

    pub(crate) async fn open(&self, store: &Store) -> Result<Repository, RepoError> {
        let root = TrustRoot::Key(self.root.public().clone());
        Repository::open(store.clone(), &root).await
    }

    /// The folder that a job reads.
    pub(crate) fn source(&self, job: &JobName) -> PathBuf {
        let path = self.folder.path().join("sources").join(job.as_str());
        fs::create_dir_all(&path).unwrap();
        path
    }

    pub(crate) fn tree(&self, job: &JobName) -> Tree {
        read_tree(&self.source(job))
    }

    pub(crate) async fn backup(
        &self,
        store: &Store,
        name: &JobName,
    ) -> Result<BackupReport, OpError> {
        self.backup_at(store, name, clock, &silent()).await
    }

    /// Backs up at another time, and tells what happens.
    pub(crate) async fn backup_at(
        &self,
        store: &Store,
        name: &JobName,
        clock: Clock,
        progress: &Arc<dyn Progress>,
    ) -> Result<BackupReport, OpError> {
        self.backup_by(&self.host, store, name, clock, progress)
            .await
    }

    /// The same from another host.
    pub(crate) async fn backup_by(
        &self,
        host: &Host,
        store: &Store,
        name: &JobName,
        clock: Clock,
        progress: &Arc<dyn Progress>,
    ) -> Result<BackupReport, OpError> {
        let repository = self.open(store).await?;
        let job = folder_job(name, self.source(name));
        let cancel = CancellationToken::new();
        ops::backup(&repository, host, &job, clock, progress, &cancel).await
    }

    /// Restores a snapshot and gives what it holds of the job's folder.
    pub(crate) async fn restore(
        &self,
        repository: &Repository,
        snapshot: &SnapshotName,
    ) -> Result<Tree, OpError> {
        let target = tempfile::tempdir_in(self.folder.path()).unwrap();
        let folder = target.path().join("restored");
        let restored = restore(repository, &self.admin, snapshot, &folder).await;
        if restored.is_err() {
            assert!(!folder.exists(), "a failed restore leaves nothing behind");
        }
        restored?;
        let source = self.source(&snapshot.job);
        Ok(read_tree(&folder.join(source.strip_prefix("/").unwrap())))
    }
}

/// A job that reads a folder.
pub(crate) fn folder_job(name: &JobName, folder: PathBuf) -> BackupJob {
    BackupJob {
        audit: None,
        name: name.clone(),
        sources: vec![Source::Files {
            name: "data".to_owned(),
            spec: FilesSpec {
                roots: vec![folder],
                ..FilesSpec::default()
            },
        }],
        level: LevelMode::Fixed(3),
        limits: RunLimits::default(),
    }
}

/// Restores a snapshot of folders into a new one.
pub(crate) async fn restore(
    repository: &Repository,
    identity: &Identity,
    snapshot: &SnapshotName,
    folder: &Path,
) -> Result<(), OpError> {
    restore_paths(repository, identity, snapshot, folder, Vec::new()).await
}

/// Restores some paths of a snapshot of folders into a new one.
pub(crate) async fn restore_paths(
    repository: &Repository,
    identity: &Identity,
    snapshot: &SnapshotName,
    folder: &Path,
    paths: Vec<PathBuf>,
) -> Result<(), OpError> {
    let request = RestoreRequest {
        snapshot: snapshot.clone(),
        streams: Vec::new(),
        paths,
        folder: Some(folder.to_owned()),
        server: None,
        database: None,
        no_owner: false,
        in_place: false,
        confirm: None,
        extract: ExtractOptions::default(),
        stamp: "20261122_023000".to_owned(),
    };
    let prepared = ops::plan(repository, request, identity).await?;
    let cancel = CancellationToken::new();
    ops::restore(repository, prepared, &silent(), &cancel).await?;
    Ok(())
}

/// A job's name.
pub(crate) fn job(name: &str) -> JobName {
    name.parse().unwrap()
}

/// The reports of a verification.
pub(crate) async fn verify(
    repository: &Repository,
    verifier: &Verifier,
) -> Result<Vec<VerifyReport>, OpError> {
    let mut reports = Vec::new();
    let cancel = CancellationToken::new();
    let each = |report| reports.push(report);
    ops::verify(
        repository,
        &Selection::All,
        verifier,
        &silent(),
        &cancel,
        each,
    )
    .await?;
    Ok(reports)
}

fn silent() -> Arc<dyn Progress> {
    Arc::new(Silent)
}

fn clock() -> Timestamp {
    "2026-11-22T02:30:00Z".parse().unwrap()
}

/// What is in a folder.
pub(crate) fn read_tree(folder: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        for entry in fs::read_dir(&current).unwrap() {
            let path = entry.unwrap().path();
            let about = fs::symlink_metadata(&path).unwrap();
            let content = if about.is_symlink() {
                Some(
                    fs::read_link(&path)
                        .unwrap()
                        .into_os_string()
                        .into_encoded_bytes(),
                )
            } else if about.is_dir() {
                folders.push(path.clone());
                None
            } else {
                Some(fs::read(&path).unwrap())
            };
            let name = path.strip_prefix(folder).unwrap().to_owned();
            let time = (about.mtime(), about.mtime_nsec());
            tree.insert(name, (about.permissions().mode(), time, content));
        }
    }
    tree
}
