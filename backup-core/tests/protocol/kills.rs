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

impl Place {
    /// As words of an environment variable, and back.
    fn to_words(&self, role: Role) -> String {
        let TrustRoot::Key(root) = &self.root else {
            panic!("a place is trusted by its key");
        };
        let paths = [&self.repository, &self.hosts, &self.source].map(|path| path.display());
        let [repository, hosts, source] = paths;
        format!("{role:?} {repository} {hosts} {source} {} {root}", self.id)
    }

    fn parse(words: &str) -> (Role, Self) {
        let mut words = words.split(' ');
        let mut next = || words.next().unwrap();
        let role = match next() {
            "Backup" => Role::Backup,
            "Forget" => Role::Forget,
            "Prune" => Role::Prune,
            other => panic!("{other} is no role"),
        };
        let place = Self {
            repository: next().into(),
            hosts: next().into(),
            source: next().into(),
            id: next().parse().unwrap(),
            root: TrustRoot::Key(next().parse().unwrap()),
        };
        (role, place)
    }
}

/// The past, written to a folder.
struct Copy {
    place: Place,
    hosts: Hosts,
    folder: TempDir,
}

impl Copy {
    async fn new(scene: &Scene) -> Self {
        let (folder, hosts) = (tempfile::tempdir().unwrap(), scene.hosts());
        let repository = folder.path().join("repository");
        fs::create_dir(&repository).unwrap();
        let objects = scene.fork();
        let mut listed = objects.list(None);
        while let Some(meta) = listed.try_next().await.unwrap() {
            let path = repository.join(meta.location.as_ref());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let bytes = objects.get(&meta.location).await.unwrap().bytes().await;
            fs::write(path, bytes.unwrap()).unwrap();
        }
        let place = Place {
            repository,
            hosts: hosts.folder().to_owned(),
            source: scene.world.source(&job("etc")),
            id: scene.id(),
            root: TrustRoot::Key(scene.world.root.public().clone()),
        };
        Self {
            place,
            hosts,
            folder,
        }
    }

    /// Files that a put has left half-way.
    fn staged(&self) -> usize {
        let mut folders = vec![self.place.repository.clone()];
        let mut staged = 0;
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.to_str().unwrap().contains('#') {
                    staged += 1;
                }
            }
        }
        staged
    }
}

/// Runs a role in a process of its own that is killed at a step; gives how that ended and, if it
/// was not killed, how many steps there were.
fn run(
    role: Role,
    copy: &Copy,
    library: &Path,
    how: &str,
    at: u64,
    under: &Path,
) -> (ExitStatus, u64) {
    let count = copy.folder.path().join("count");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kills::each_role_works", "--nocapture"])
        .env(ROLE, copy.place.to_words(role))
        .env("LD_PRELOAD", library)
        .env("KILL_UNDER", under)
        .env("KILL_AT", at.to_string())
        .env("KILL_HOW", how)
        .env("KILL_COUNT", &count)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let status = output.status;
    let killed = status.signal() == Some(SIGKILL);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(killed || status.success(), "{role:?}, {how} {at}: {text}");
    let steps = fs::read_to_string(count).map_or(0, |text| text.trim().parse().unwrap());
    (status, steps)
}

/// Compiles the library that kills.
fn killer(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/protocol/kill.c");
    let library = folder.join("kill.so");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .stdin(Stdio::null())
        .output()
        .expect(
            "`cc` is not installed: sudo apt-get install --no-install-recommends build-essential",
        );
    let text = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{text}");
    library
}

#[derive(Debug, Default)]
struct Tally {
    steps: u64,
    kills: u64,
    staged: usize,
    snapshots: usize,
}

/// Kills a role at its steps beneath one folder.
async fn kill_at_each_step(
    scene: &Scene,
    role: Role,
    library: &Path,
    hosts: bool,
    tally: &mut Tally,
) {
    let under = |copy: &Copy| {
        if hosts {
            copy.place.hosts.clone()
        } else {
            copy.place.repository.clone()
        }
    };
    let whole = Copy::new(scene).await;
    let (_, steps) = run(role, &whole, library, "before", 0, &under(&whole));
    tally.steps += steps;
    for how in ["before", "after", "torn"] {
        for at in 1..=steps {
            let copy = Copy::new(scene).await;
            let (status, _) = run(role, &copy, library, how, at, &under(&copy));
            tally.kills += u64::from(status.signal() == Some(SIGKILL));
            tally.staged += copy.staged();
            let store = Store::local(&copy.place.repository).unwrap();
            let part = match role {
                Role::Backup => Part::Write(0),
                Role::Forget => Part::Forget(&[1, 3]),
                Role::Prune => Part::Prune,
            };
            let (parts, endings) = ([part], [Ending::Died]);
            let checked = scene.check(&parts, &endings, &copy.hosts, &store);
            tally.snapshots += checked.await;
        }
    }
}

/// In a run of the tests: all roles, one after another. In a process that is to be killed: its own.
#[tokio::test]
async fn each_role_works() {
    if let Ok(words) = std::env::var(ROLE) {
        let (role, place) = Place::parse(&words);
        return role.play(&place).await;
    }
    let scene = Scene::new(&[]).await;
    let copy = Copy::new(&scene).await;
    for role in [Role::Backup, Role::Forget, Role::Prune] {
        role.play(&copy.place).await;
    }
    let store = Store::local(&copy.place.repository).unwrap();
    let left = scene.living(&store).await;
    assert_eq!(
        left.into_iter().map(|seq| seq.0).collect::<Vec<_>>(),
        [2, 5]
    );
    assert_eq!(copy.staged(), 0);
}

#[tokio::test]
async fn a_process_that_is_killed_at_any_step_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let library = killer(folder.path());
    let (whole, pruned) = (Scene::new(&[]).await, Scene::new(&[1, 3]).await);
    for (role, scene) in [
        (Role::Backup, &whole),
        (Role::Forget, &whole),
        (Role::Prune, &pruned),
    ] {
        for hosts in [false, true] {
            // Only a backup has anything of its own on its host.
            if hosts && role != Role::Backup {
                continue;
            }
            let mut tally = Tally::default();
            kill_at_each_step(scene, role, &library, hosts, &mut tally).await;
            let whose = if hosts { "host" } else { "repository" };
            println!("{role:?}, files of the {whose}: {tally:?}, losses: 0");
            assert!(tally.steps > 8 && tally.kills > 3, "{tally:?}");
            assert!(
                role == Role::Forget || hosts || tally.staged > 0,
                "{tally:?}"
            );
        }
    }
}
