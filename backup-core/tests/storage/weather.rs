//! The main job over S3 in bad weather: every call may be slow, fail, lose its answer or be cut
//! short. What is reported as done must be there and whole; what fails must leave the repository
//! usable. Seeds make it repeatable.

#![expect(clippy::print_stdout, reason = "the figures are the point")]

use std::{collections::BTreeMap, fs, io, sync::Arc, time::Duration};

use backup_core::{
    ops::{self, Verifier},
    store::Store,
};
use backup_model::{Selection, Seq, SnapshotName, Verdict};

use crate::{
    faults::{Answer, Fate, FaultStore},
    servers::S3Files,
    support::{World, job, verify, world::Tree},
};

/// How often a server is asked, which takes its time, and how often memory.
const SEEDS_S3: u64 = 16;
const SEEDS_MEMORY: u64 = 100;
/// Of a thousand calls, how many go wrong.
const WRONG_PER_MILLE: u64 = 25;

/// Well mixed bits of a number.
fn mixed(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// What a seed does to a call.
fn weather(seed: u64, call: u64) -> Fate {
    let bits = mixed(seed.wrapping_mul(1_000_003).wrapping_add(call));
    let delay = Duration::from_micros(bits % 1500);
    if mixed(bits) % 1000 >= WRONG_PER_MILLE {
        return Fate {
            delay,
            ..Fate::FINE
        };
    }
    let (done, answer) = match mixed(bits ^ 1) % 6 {
        0 => (false, Answer::Fails(io::ErrorKind::ConnectionReset)),
        1 => (true, Answer::Fails(io::ErrorKind::ConnectionReset)),
        2 => (false, Answer::Fails(io::ErrorKind::StorageFull)),
        3 => (false, Answer::Fails(io::ErrorKind::Other)),
        4 => (true, Answer::Fails(io::ErrorKind::TimedOut)),
        _ => (true, Answer::Short),
    };
    Fate {
        delay,
        done,
        answer,
    }
}

#[derive(Debug, Default)]
struct Tally {
    backups: u64,
    backups_failed: u64,
    /// Failed, and the snapshot is there: its last answer was lost for good.
    unknown: u64,
    verified: u64,
    good: u64,
    untested: u64,
    verify_failed: u64,
    restored: u64,
    restore_failed: u64,
    calls: u64,
}

/// A repository on a server, and what its snapshots must hold.
struct Trial {
    world: World,
    well: Store,
    seed: u64,
    /// What was told to be backed up.
    told: BTreeMap<Seq, Tree>,
    /// Every state that a backup was asked for.
    states: Vec<Tree>,
}

impl Trial {
    async fn new(well: Store, seed: u64) -> Self {
        Self {
            world: World::new(&well).await,
            well,
            seed,
            told: BTreeMap::new(),
            states: Vec::new(),
        }
    }

    /// The same store in the weather of this seed and hour.
    fn rough(&self, hour: u64) -> (Store, Arc<FaultStore>) {
        let seed = mixed(self.seed * 16 + hour);
        let mut faulty = None;
        let store = self.well.clone().decorated(|inner| {
            let store = FaultStore::new(inner, move |call| weather(seed, call));
            faulty = Some(Arc::clone(&store));
            store
        });
        (store, faulty.unwrap())
    }

    /// Changes the folder and backs it up.
    async fn backup(&mut self, hour: u64, tally: &mut Tally) {
        let name = job("etc");
        let content = mixed(self.seed ^ hour).to_le_bytes().repeat(3000);
        let source = self.world.source(&name);
        fs::write(source.join(format!("file-{hour}")), content).unwrap();
        let tree = self.world.tree(&name);
        self.states.push(tree.clone());
        let (store, faulty) = self.rough(hour);
        let done = self.world.backup(&store, &name).await;
        tally.calls += faulty.calls.total();
        tally.backups += 1;
        match done {
            Ok(report) => {
                self.told.insert(report.snapshot.seq, tree);
            }
            Err(_) => tally.backups_failed += 1,
        }
    }

    /// With the store well again: all that was told is there, and all that is there is whole.
    async fn check(&self, tally: &mut Tally) {
        let seed = self.seed;
        let repository = self.world.open(&self.well).await.unwrap();
        let data = Verifier::data(self.world.admin.clone());
        let reports = verify(&repository, &data).await.unwrap();
        let mut found = Vec::new();
        for report in reports {
            assert_eq!(report.verdict, Verdict::Good, "seed {seed}: {report:?}");
            let restored = self.world.restore(&repository, &report.snapshot).await;
            let restored = restored.unwrap();
            let seq = report.snapshot.seq;
            if let Some(tree) = self.told.get(&seq) {
                assert_eq!(&restored, tree, "seed {seed}: {seq:?}");
            } else {
                assert!(self.states.contains(&restored), "seed {seed}: {seq:?}");
                tally.unknown += 1;
            }
            found.push(seq);
        }
        let missing = self.told.keys().find(|seq| !found.contains(seq));
        assert_eq!(missing, None, "seed {seed}: told, and not there");
    }

    /// Reading in bad weather: what it says is true, or it fails.
    async fn read(&self, hour: u64, tally: &mut Tally) {
        let (store, faulty) = self.rough(hour);
        if let Ok(repository) = self.world.open(&store).await {
            let data = Verifier::data(self.world.admin.clone());
            match verify(&repository, &data).await {
                Ok(reports) => {
                    tally.verified += 1;
                    let all = reports.len() >= self.told.len();
                    assert!(all, "seed {}: a short listing", self.seed);
                    for report in reports {
                        match report.verdict {
                            Verdict::Good => tally.good += 1,
                            Verdict::Untested { .. } => tally.untested += 1,
                            // All is whole, as a look with the store well has shown.
                            _ => panic!("seed {}: {report:?}", self.seed),
                        }
                    }
                }
                Err(_) => tally.verify_failed += 1,
            }
            for (&seq, tree) in &self.told {
                let job = job("etc");
                let restored = self
                    .world
                    .restore(&repository, &SnapshotName { job, seq })
                    .await;
                match restored {
                    Ok(restored) => {
                        assert_eq!(&restored, tree, "seed {}: {seq:?}", self.seed);
                        tally.restored += 1;
                    }
                    Err(_) => tally.restore_failed += 1,
                }
            }
        }
        tally.calls += faulty.calls.total();
    }
}

/// One seed: two backups, a look with the store well again, reading, and a backup that must work.
async fn storm(well: Store, seed: u64, tally: &mut Tally) {
    let mut trial = Trial::new(well, seed).await;
    trial.backup(0, tally).await;
    trial.backup(1, tally).await;
    trial.check(tally).await;
    trial.read(2, tally).await;
    // And on: nothing that failed is in the way of the next.
    let name = job("etc");
    let next = trial.world.backup(&trial.well, &name).await;
    let next = next.unwrap_or_else(|error| panic!("seed {seed}: {error:?}"));
    let tree = trial.world.tree(&name);
    trial.states.push(tree.clone());
    trial.told.insert(next.snapshot.seq, tree);
    trial.check(&mut Tally::default()).await;
    let repository = trial.world.open(&trial.well).await.unwrap();
    let runs = ops::list(&repository, &Selection::All).await.unwrap();
    assert!(runs.iter().all(Result::is_ok), "seed {seed}: {runs:?}");
}

/// That there was weather, and not only that.
fn was_rough(tally: &Tally) {
    println!("{tally:?}");
    assert!(tally.backups_failed > 3, "{tally:?}");
    assert!(tally.backups_failed + 3 < tally.backups, "{tally:?}");
    assert!(tally.good > 0, "{tally:?}");
    assert!(tally.restored > 3 && tally.restore_failed > 0, "{tally:?}");
}

#[tokio::test]
async fn over_s3_nothing_is_told_that_is_not_so() {
    let server = S3Files::start().await;
    let mut tally = Tally::default();
    for seed in 0..SEEDS_S3 {
        let well = server.store(&format!("seed-{seed}"));
        storm(well, seed, &mut tally).await;
    }
    was_rough(&tally);
}

#[tokio::test]
async fn in_memory_nothing_is_told_that_is_not_so() {
    let mut tally = Tally::default();
    for seed in SEEDS_S3..SEEDS_S3 + SEEDS_MEMORY {
        storm(Store::memory(), seed, &mut tally).await;
    }
    was_rough(&tally);
}
