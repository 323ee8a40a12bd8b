//! Everybody who looks at a repository after an attack, and what each is told. Whoever it is, no
//! wrong byte may be restored, and nothing may be counted that was not there before.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    sync::{Arc, Mutex},
};

use backup_core::{
    format::layout,
    ops::{self, OpError, PruneOptions, Verifier},
    repo::{RepoError, Repository, RunState},
    store::Store,
};
use backup_model::{Code, End, Event, Failure, Progress, Selection, Silent, SnapshotName, Verdict};
use tokio_util::sync::CancellationToken;

use crate::{
    stage::{Stage, clock, noise, store_of},
    support::{job, verify},
};

/// Who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum By {
    /// What the attacker himself has to go through.
    Begin,
    Open,
    /// A machine that has seen everything before the attack.
    Memory,
    List,
    Check,
    Storage,
    Data,
    Restore,
    Prune,
    Backup,
    /// A backup that is made all the same.
    Warning,
    /// Whoever reads that backup: it was built on what the attack has spoilt.
    Next,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Begin => "the run itself",
            Self::Open => "open",
            Self::Memory => "who has seen it before",
            Self::List => "list",
            Self::Check => "check",
            Self::Storage => "verify",
            Self::Data => "verify data",
            Self::Restore => "restore",
            Self::Prune => "prune",
            Self::Backup => "backup",
            Self::Warning => "backup, which warns",
            Self::Next => "verify of that backup",
        })
    }
}

/// What everybody was told.
#[derive(Debug, Default)]
pub(crate) struct Seen(BTreeMap<By, Vec<String>>);

impl Seen {
    pub(crate) fn tell(&mut self, by: By, failure: &Failure) {
        let text = format!("{} {}", failure.message, failure.causes.join(" "));
        self.0.entry(by).or_default().push(text);
    }

    pub(crate) fn error(&mut self, by: By, error: &OpError) {
        self.tell(by, &error.to_failure());
    }

    /// Those who were told something.
    pub(crate) fn by(&self) -> Vec<By> {
        self.0.keys().copied().collect()
    }

    /// Whether somebody was told of an object and a rule in one message.
    pub(crate) fn has(&self, by: By, object: &str, rule: &str) -> bool {
        let mut told = self.0.get(&by).into_iter().flatten();
        told.any(|text| text.contains(object) && text.contains(rule))
    }
}

/// Everybody looks; then somebody prunes a copy, and the host backs up.
pub(crate) async fn look(stage: &Stage, seen: &mut Seen) {
    remember(stage, seen).await;
    let repository = match stage.world.open(&stage.store()).await {
        Ok(repository) => repository,
        Err(error) => {
            seen.error(By::Open, &error.into());
            let backup = stage.world.backup(&stage.store(), &job("etc")).await;
            assert!(backup.is_err(), "what does not open is not written to");
            return;
        }
    };
    list(stage, &repository, seen).await;
    check(stage, &repository, seen).await;
    let before = verified(stage, &repository, seen).await;
    restore(stage, &repository, seen).await;
    prune(stage, &before, seen).await;
    back_up(stage, &before, seen).await;
}

/// What shows only to a machine that remembers.
async fn remember(stage: &Stage, seen: &mut Seen) {
    let mut tell = |error: RepoError| {
        if error.code() == Code::RolledBack {
            seen.error(By::Memory, &error.into());
        }
    };
    match stage.remembers().await {
        Err(error) => tell(error),
        Ok(jobs) => {
            for (_, state) in jobs.into_iter().flat_map(|job| job.runs) {
                if let RunState::Bad(error) = state {
                    tell(error);
                }
            }
        }
    }
}

/// Snapshots that are listed are those that honest hosts made, as they made them.
async fn list(stage: &Stage, repository: &Repository, seen: &mut Seen) {
    let runs = match ops::list(repository, &Selection::All).await {
        Ok(runs) => runs,
        Err(error) => return seen.error(By::List, &error),
    };
    for run in runs {
        match run {
            Ok(run) if run.end == End::Open => {}
            Ok(run) => {
                let honest = stage.honest.iter().any(|h| h.record == run.record);
                let (job, seq) = (&run.snapshot.job, run.snapshot.seq);
                let end = repository.run_end(job, seq).await.unwrap().unwrap();
                // What a writer of the job says is listed as he says it, and then looked into.
                let writer = end.signer == stage.stolen.late.public().key_id();
                assert!(honest || writer, "{} counts", run.snapshot);
            }
            Err(error) => seen.error(By::List, &error.into()),
        }
    }
}

async fn check(stage: &Stage, repository: &Repository, seen: &mut Seen) {
    let checked = match ops::check(repository, &CancellationToken::new()).await {
        Ok(checked) => checked,
        Err(error) => return seen.error(By::Check, &error),
    };
    assert!(checked.snapshots <= stage.honest.len() as u64);
    for fault in checked.faults.iter().chain(&checked.notes) {
        seen.tell(By::Check, fault);
    }
}

/// The snapshots that verify, with the data and without alike.
async fn verified(
    stage: &Stage,
    repository: &Repository,
    seen: &mut Seen,
) -> BTreeSet<SnapshotName> {
    let mut all = stage.honest.iter().map(|h| h.name.clone()).collect();
    let data = Verifier::data(stage.world.admin.clone());
    for (by, verifier) in [(By::Storage, Verifier::Storage), (By::Data, data)] {
        let reports = match verify(repository, &verifier).await {
            Ok(reports) => reports,
            Err(error) => {
                seen.error(by, &error);
                all = BTreeSet::new();
                continue;
            }
        };
        let mut good = BTreeSet::new();
        for report in reports {
            match report.verdict {
                Verdict::Good => {
                    good.insert(report.snapshot);
                }
                Verdict::Damaged { faults } => faults.iter().for_each(|f| seen.tell(by, f)),
                other => panic!("{}: {other:?}", report.snapshot),
            }
        }
        assert!(good.is_subset(&all), "{good:?} were not all there before");
        all = good;
    }
    all
}

/// Each snapshot that was there, and each that somebody claims: the right bytes, or none.
async fn restore(stage: &Stage, repository: &Repository, seen: &mut Seen) {
    let claimed = repository.store().list_all().await.unwrap();
    let claimed = claimed.iter().filter_map(|object| {
        let (job, seq) = layout::parse_run(layout::SNAPSHOTS, &object.key)?;
        Some(SnapshotName { job, seq })
    });
    let honest = stage.honest.iter().map(|honest| honest.name.clone());
    let claimed: BTreeSet<_> = claimed.collect();
    let names: BTreeSet<_> = claimed.iter().cloned().chain(honest).collect();
    for name in names {
        let honest = stage.honest.iter().find(|honest| honest.name == name);
        match stage.world.restore(repository, &name).await {
            Ok(tree) => assert_eq!(Some(&tree), honest.map(|h| &h.tree), "{name}: wrong bytes"),
            // It was forgotten before, and rightly.
            Err(error) if error.code() == Code::Forgotten && !claimed.contains(&name) => {}
            Err(error) => seen.error(By::Restore, &error),
        }
    }
}

/// A prune of a copy takes nothing away that is whole.
async fn prune(stage: &Stage, before: &BTreeSet<SnapshotName>, seen: &mut Seen) {
    let copy = store_of(&Arc::new(stage.inner.fork()));
    match prune_at(stage, &copy).await {
        Ok(()) => still_whole(stage, &copy, before).await,
        Err(error) => seen.error(By::Prune, &error),
    }
}

/// An honest prune, to its end.
pub(crate) async fn prune_at(stage: &Stage, store: &Store) -> Result<(), OpError> {
    let options = PruneOptions {
        grace_secs: 0,
        allow_large: true,
    };
    let repository = stage.world.open(store).await.unwrap();
    let (key, cancel) = (stage.world.host.key(), CancellationToken::new());
    ops::prune(&repository, key, None, options, clock, &Silent, &cancel)
        .await
        .map(drop)
}

async fn still_whole(stage: &Stage, store: &Store, before: &BTreeSet<SnapshotName>) {
    let repository = stage.world.open(store).await.unwrap();
    let data = Verifier::data(stage.world.admin.clone());
    let reports = verify(&repository, &data).await.unwrap();
    let good = reports.into_iter().filter(|r| r.verdict == Verdict::Good);
    let good: BTreeSet<_> = good.map(|report| report.snapshot).collect();
    assert!(good.is_superset(before), "{good:?}, where {before:?} were");
}

/// The next honest backup: refused, or made and whole, and what was whole stays so.
async fn back_up(stage: &Stage, before: &BTreeSet<SnapshotName>, seen: &mut Seen) {
    let etc = job("etc");
    fs::write(stage.world.source(&etc).join("new"), noise(9)).unwrap();
    let told = Arc::new(Told::default());
    let progress: Arc<dyn Progress> = Arc::<Told>::clone(&told);
    let store = stage.store();
    let made = stage.world.backup_at(&store, &etc, clock, &progress).await;
    for warning in told.0.lock().unwrap().iter() {
        seen.tell(By::Warning, warning);
    }
    let made = match made {
        Ok(made) => made.snapshot,
        Err(error) => return seen.error(By::Backup, &error),
    };
    let repository = stage.open().await;
    let mut good = before.clone();
    match stage.world.restore(&repository, &made).await {
        Ok(restored) => {
            assert_eq!(restored, stage.world.tree(&etc));
            good.insert(made);
        }
        Err(error) => seen.error(By::Next, &error),
    }
    still_whole(stage, &store, &good).await;
}

/// Warnings, but not that the host has no index for what it found.
#[derive(Default)]
struct Told(Mutex<Vec<Failure>>);

impl Progress for Told {
    fn event(&self, event: Event) {
        if let Event::Warned(failure) = event
            && failure.code != Code::LocalIo
        {
            self.0.lock().unwrap().push(failure);
        }
    }
}

/// Nobody looks at progress.
pub(crate) fn silent() -> Arc<dyn Progress> {
    Arc::new(Silent)
}
