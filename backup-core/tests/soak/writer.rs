//! A host that backs up its folder again and again, and is killed now and then: its process is
//! gone at some call to the store, done or not, and the next one takes over what it left.

use std::{fs, path::PathBuf, sync::Arc};

use backup_core::{ops, repo::Host, store::Store};
use backup_model::{BackupReport, Code, JobName, Progress, Silent};
use tokio_util::sync::CancellationToken;

use crate::{
    faults::{Answer, Fate, FaultStore},
    numbers::Numbers,
    stage::{Stage, VERSION, Version, clock},
    support::world::{folder_job, read_tree},
};

/// Files a tree has at most.
const FILES: usize = 12;
const LARGEST: usize = 24_000;
/// A run in so many is killed, at one of its first calls.
const KILLED: usize = 8;
const CALLS: usize = 50;
/// After a success in so many its host restores what it has just stored.
const LOOKS_BACK: usize = 2;

pub(crate) struct Writer {
    pub(crate) number: usize,
    pub(crate) host: Host,
    pub(crate) job: JobName,
    /// Whether another host writes the job too.
    pub(crate) shared: bool,
    pub(crate) source: PathBuf,
    pub(crate) numbers: Numbers,
    pub(crate) versions: u64,
}

/// How an attempt ended.
enum Attempt {
    Written,
    Refused,
    Died,
}

impl Writer {
    /// Works until the time is over.
    pub(crate) async fn work(mut self, stage: Arc<Stage>) -> Self {
        let mut version = self.change(&stage);
        while !stage.is_over() {
            match self.attempt(&stage, version).await {
                Attempt::Written | Attempt::Died => version = self.change(&stage),
                // Nobody has seen this tree yet.
                Attempt::Refused => {}
            }
            stage.ended.notify_one();
        }
        self
    }

    /// Another tree; gives which.
    fn change(&mut self, stage: &Stage) -> Version {
        self.versions += 1;
        let version = Version {
            writer: self.number,
            number: self.versions,
        };
        for _ in 0..=self.numbers.below(3) {
            let path = self
                .source
                .join(format!("file-{}", self.numbers.below(FILES)));
            if path.exists() && self.numbers.once_in(4) {
                fs::remove_file(path).unwrap();
            } else {
                let length = self.numbers.below(LARGEST);
                fs::write(path, self.numbers.bytes(length)).unwrap();
            }
        }
        fs::write(self.source.join(VERSION), version.to_string()).unwrap();
        let tree = Arc::new(read_tree(&self.source));
        stage.told().trees.insert(version, tree);
        version
    }

    async fn attempt(&mut self, stage: &Stage, version: Version) -> Attempt {
        let attempt = if self.numbers.once_in(KILLED) {
            let (at, done) = (1 + self.numbers.below(CALLS), self.numbers.once_in(2));
            let (store, faulty) = dying(&stage.store, at as u64, done);
            tokio::select! {
                biased;
                ended = self.back_up(stage, &store) => self.told(stage, version, ended),
                () = faulty.dead.notified() => {
                    let mut told = stage.told();
                    told.counts.kills += 1;
                    told.died.insert(self.number, self.job.clone());
                    Attempt::Died
                }
            }
        } else {
            let ended = self.back_up(stage, &stage.store).await;
            self.told(stage, version, ended)
        };
        if matches!(attempt, Attempt::Written) && self.numbers.once_in(LOOKS_BACK) {
            self.look_back(stage, version).await;
        }
        attempt
    }

    async fn back_up(&self, stage: &Stage, store: &Store) -> Result<BackupReport, ops::OpError> {
        let repository = stage.open(store).await?;
        let job = folder_job(&self.job, self.source.clone());
        let (silent, cancel) = (
            Arc::new(Silent) as Arc<dyn Progress>,
            CancellationToken::new(),
        );
        ops::backup(&repository, &self.host, &job, clock, &silent, &cancel).await
    }

    fn told(
        &self,
        stage: &Stage,
        version: Version,
        ended: Result<BackupReport, ops::OpError>,
    ) -> Attempt {
        // Whatever it is: of our run that died nothing is open any more.
        stage.told().died.remove(&self.number);
        match ended {
            Ok(report) => {
                assert!(report.complete, "{report:?}");
                let name = report.snapshot;
                let mut told = stage.told();
                told.counts.backups += 1;
                let twice = told.written.insert(name.clone(), version);
                assert_eq!(twice, None, "{name}: two have written it");
                Attempt::Written
            }
            Err(error) => {
                let due: &[Code] = if self.shared { &[Code::Busy] } else { &[] };
                stage.refused("backup", &error, due);
                Attempt::Refused
            }
        }
    }

    /// What was called a success must be there.
    async fn look_back(&self, stage: &Stage, version: Version) {
        let name = {
            let told = stage.told();
            let ours = told.written.iter().find(|(_, of)| **of == version);
            ours.map(|(name, _)| name.clone())
        };
        let name = name.expect("it was just told");
        let repository = stage.open_to_read(Some(self.host.key())).await;
        restore_told(stage, &repository, &name, "look back").await;
    }

    /// A last backup, when nobody is killed any more; false if another host's run is in the way.
    pub(crate) async fn close(&mut self, stage: &Stage) -> bool {
        let version = self.change(stage);
        let ended = self.back_up(stage, &stage.store).await;
        matches!(self.told(stage, version, ended), Attempt::Written)
    }
}

/// Restores a snapshot, which may only fail if somebody has set out to forget it.
pub(crate) async fn restore_told(
    stage: &Stage,
    repository: &backup_core::repo::Repository,
    name: &backup_model::SnapshotName,
    who: &'static str,
) {
    match stage.restore(repository, name).await {
        Ok(()) => stage.told().counts.restores += 1,
        Err(error) => {
            let doomed = stage.told().doomed.contains(name);
            let due: &[Code] = if doomed { &[Code::Forgotten] } else { &[] };
            stage.refused(who, &error, due);
        }
    }
}

/// The same store, on which somebody dies.
fn dying(well: &Store, at: u64, done: bool) -> (Store, Arc<FaultStore>) {
    let mut faulty = None;
    let store = well.clone().decorated(|inner| {
        let fate = move |call| match call {
            call if call < at => Fate::FINE,
            call => Fate::of(done && call == at, Answer::Never),
        };
        let store = FaultStore::new(inner, fate);
        faulty = Some(Arc::clone(&store));
        store
    });
    (store, faulty.expect("it was decorated"))
}
