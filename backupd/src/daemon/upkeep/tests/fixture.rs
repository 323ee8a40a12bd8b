//! A repository with a job that backs up a folder, a ledger, and a configuration in force.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use backup_model::{Event, Failure, JobName, Progress, RunCause, SnapshotName};
use backupd_api::{Service as _, Task as Work};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::{
    clock,
    config::{self, Places, RepositoryUrl, SecretSources},
    daemon::{InForce, upkeep},
    ledger::{Ending, Ledger, NewRun},
    schedule::Task,
    service::{Access, Direct},
    setup::{SetUp, create_repository},
};

const SECRETS: SecretSources = SecretSources {
    env: |_| None,
    credentials: None,
};

pub(super) struct World {
    pub(super) ledger: Ledger,
    folder: TempDir,
    root: String,
}

/// The ledger's clock: runs that begin one after another are not of one millisecond.
fn ticking() -> Timestamp {
    static SECONDS: AtomicI64 = AtomicI64::new(1_790_000_000);
    Timestamp::from_second(SECONDS.fetch_add(1, Ordering::Relaxed)).unwrap()
}

/// Hears what a task says.
#[derive(Default)]
pub(super) struct Heard(Mutex<Vec<Event>>);

impl Progress for Heard {
    fn event(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl Heard {
    pub(super) fn notes(&self) -> Vec<String> {
        let events = self.0.lock().unwrap();
        let notes = events.iter().filter_map(|event| match event {
            Event::Noted { text } => Some(text.clone()),
            _ => None,
        });
        notes.collect()
    }

    pub(super) fn warnings(&self) -> Vec<Failure> {
        let events = self.0.lock().unwrap();
        let warnings = events.iter().filter_map(|event| match event {
            Event::Warned(failure) => Some(failure.clone()),
            _ => None,
        });
        warnings.collect()
    }
}

impl World {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let set_up = SetUp {
            url: RepositoryUrl::parse(&dir.join("repo").display().to_string(), dir).unwrap(),
            s3: None,
            secrets: SECRETS,
            keys: dir.join("keys"),
            state: dir.join("state"),
            now: clock::now(),
        };
        let root = create_repository(&set_up).await.unwrap().root;
        fs::create_dir(dir.join("src")).unwrap();
        let ledger = Ledger::open(&dir.join("state"), ticking).await.unwrap();
        Self {
            ledger,
            folder,
            root,
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A configuration with these lines in the repository, the job and `[upkeep]`.
    pub(super) fn in_force(&self, repository: &str, job: &str, upkeep: &str) -> InForce {
        let (dir, root) = (self.folder.path().display(), &self.root);
        let text = format!(
            "version = 1\nstate = \"{dir}/state\"\n[defaults]\ntimezone = \"UTC\"\n\
             [upkeep]\n{upkeep}\n\
             [repository.main]\nurl = \"file://{dir}/repo\"\ntrust = \"{root}\"\n{repository}\n\
             [job.app]\n{job}\n[[job.app.source]]\nkind = \"files\"\npaths = [\"{dir}/src\"]\n"
        );
        let file = self.path("config.toml");
        fs::write(&file, text).unwrap();
        let config = config::load(&Places {
            flag: Some(file),
            ..Places::default()
        });
        let config = config.unwrap();
        let access = Access::of_config(config.clone(), SECRETS, Vec::new());
        InForce { config, access }
    }

    /// A snapshot of something that no other snapshot has.
    pub(super) async fn backup(&self, in_force: &InForce, seed: u32) -> SnapshotName {
        let lines = (0..10_000_u32).flat_map(|n| {
            let line = [seed.to_be_bytes(), n.to_be_bytes()].concat();
            Sha256::digest(line)
        });
        fs::write(self.path("src/data"), lines.collect::<Vec<u8>>()).unwrap();
        let (_, work) = work();
        let report = direct(in_force).backup(&app(), &work).await;
        report.unwrap().snapshot
    }

    /// Does a task.
    pub(super) async fn run(
        &self,
        task: &Task,
        in_force: &InForce,
    ) -> (Result<Ending, Failure>, Arc<Heard>) {
        let (heard, work) = work();
        let done = upkeep::work(task, in_force, &self.ledger, &work).await;
        (done, heard)
    }

    /// Does a task as a run of the ledger.
    pub(super) async fn run_on_record(&self, task: &Task, in_force: &InForce) -> Ending {
        let new = NewRun {
            kind: task.kind(),
            job: task.job().cloned(),
            repository: "main".to_owned(),
            cause: RunCause::Schedule,
            asked_by: None,
            due: None,
        };
        let (recorder, known) = self.ledger.begin(new).await;
        known.unwrap();
        let work = Work {
            progress: Arc::new(recorder.clone()),
            ..Work::unheard(CancellationToken::new())
        };
        let done = upkeep::work(task, in_force, &self.ledger, &work).await;
        let ending = done.unwrap();
        recorder.end(ending.clone()).await.unwrap();
        ending
    }

    /// All packs, by path.
    pub(super) fn packs(&self) -> Vec<PathBuf> {
        files(&self.path("repo/packs"))
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all.sort();
    all
}

pub(super) fn work() -> (Arc<Heard>, Work) {
    let heard = Arc::new(Heard::default());
    let progress = Arc::clone(&heard);
    let work = Work {
        progress,
        ..Work::unheard(CancellationToken::new())
    };
    (heard, work)
}

pub(super) fn direct(in_force: &InForce) -> Direct {
    Direct::new(in_force.access.clone())
}

pub(super) fn app() -> JobName {
    "app".parse().unwrap()
}

pub(super) fn name(text: &str) -> SnapshotName {
    text.parse().unwrap()
}
