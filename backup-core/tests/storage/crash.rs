//! Crash points: a backup is stopped at each of its calls to the store, in each way that a store
//! or a process can fail there. Whatever happens, nothing that was committed is lost, nothing is
//! called a success that is not one, and the next backup works.

#![expect(clippy::print_stdout, reason = "the figures are the point")]

use std::{fmt, fs, io, sync::Arc};

use backup_core::{
    ops::{self, Verifier},
    store::Store,
};
use backup_model::{Code, End, Selection, Seq, Verdict};
use futures::{StreamExt as _, stream};
use object_store::{ObjectStore, memory::InMemory, path::Path};

use crate::{
    faults::{Answer, Fate, FaultStore},
    support::{World, job, verify},
};

/// How the store fails at one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The call fails and does nothing.
    Fails,
    /// It fails because the disk is full.
    Full,
    /// What it reads is only half of what is there, and called a success.
    Short,
    /// It is done, but the answer is an error.
    LosesAnswer,
    /// Likewise, and the call after it fails too.
    LosesAnswerAndNext,
    /// It fails, and so does every later one.
    Gone,
    /// It is done, the answer is lost, and every later call fails.
    GoneAfter,
    /// It never returns: the process dies before it was done.
    DiesBefore,
    /// It never returns: the process dies after it was done.
    DiesAfter,
}

const FAULTS: [Fault; 9] = [
    Fault::Fails,
    Fault::Full,
    Fault::Short,
    Fault::LosesAnswer,
    Fault::LosesAnswerAndNext,
    Fault::Gone,
    Fault::GoneAfter,
    Fault::DiesBefore,
    Fault::DiesAfter,
];

/// A fault at one call.
#[derive(Clone, Copy)]
struct Point {
    fault: Fault,
    at: u64,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at call {}", self.fault, self.at)
    }
}

impl Point {
    fn fate(self, call: u64) -> Fate {
        let lost = Answer::Fails(io::ErrorKind::Other);
        if call < self.at {
            return Fate::FINE;
        }
        let here = call == self.at;
        match self.fault {
            Fault::Fails if here => Fate::of(false, lost),
            Fault::Full if here => Fate::of(false, Answer::Fails(io::ErrorKind::StorageFull)),
            Fault::Short if here => Fate::of(true, Answer::Short),
            Fault::LosesAnswer | Fault::LosesAnswerAndNext | Fault::GoneAfter if here => {
                Fate::of(true, lost)
            }
            Fault::LosesAnswerAndNext if call == self.at + 1 => Fate::of(false, lost),
            Fault::Gone | Fault::GoneAfter => Fate::of(false, lost),
            Fault::DiesBefore => Fate::of(false, Answer::Never),
            Fault::DiesAfter => Fate::of(here, Answer::Never),
            Fault::Fails
            | Fault::Full
            | Fault::Short
            | Fault::LosesAnswer
            | Fault::LosesAnswerAndNext => Fate::FINE,
        }
    }
}

/// What the enumeration has seen.
#[derive(Debug, Default)]
struct Tally {
    points: u64,
    succeeded: u64,
    failed: u64,
    died: u64,
    /// Failures of which the snapshot is there all the same: the answer got lost for good.
    unknown: u64,
    losses: u64,
}

fn memory(inner: &Arc<InMemory>) -> Store {
    let inner: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(inner);
    Store::new(inner, "memory".to_owned())
}

/// Kills a backup that starts from `before` at each of its calls in each way.
async fn enumerate(world: &World, before: &InMemory, tally: &mut Tally) {
    let name = job("etc");
    let path = world.host.index_path(&name);
    let index = fs::read(&path).ok();
    for fault in FAULTS {
        for at in 1.. {
            if let Some(index) = &index {
                fs::write(&path, index).unwrap();
            }
            let inner = Arc::new(before.fork());
            let point = Point { fault, at };
            let faulty = FaultStore::new(inner.clone(), move |call| point.fate(call));
            let store = faulty.store();
            let outcome = tokio::select! {
                biased;
                outcome = world.backup(&store, &name) => Some(outcome),
                () = faulty.dead.notified() => None,
            };
            let reached = faulty.calls.total() >= at;
            let committed = outcome.as_ref().and_then(|o| o.as_ref().ok());
            let committed = committed.map(|report| report.snapshot.seq);
            match &outcome {
                None => tally.died += 1,
                Some(Ok(_)) => tally.succeeded += 1,
                Some(Err(error)) => {
                    let full = fault == Fault::Full;
                    assert!(!full || error.code() == Code::NoSpace, "{point}: {error:?}");
                    tally.failed += 1;
                }
            }
            let told = outcome.is_some();
            check(world, &inner, point, (told, committed), tally).await;
            if !reached {
                assert!(matches!(outcome, Some(Ok(_))), "{point}: {outcome:?}");
                break;
            }
            tally.points += 1;
        }
    }
}

/// With the store well again: what was committed is whole, what was told is true, and the
/// next backup works.
async fn check(
    world: &World,
    inner: &Arc<InMemory>,
    point: Point,
    (told, success): (bool, Option<Seq>),
    tally: &mut Tally,
) {
    let (name, store) = (job("etc"), memory(inner));
    let repository = world.open(&store).await.unwrap();
    let data = Verifier::Data(world.admin.clone());
    let reports = verify(&repository, &data).await.unwrap();
    for report in &reports {
        if report.verdict != Verdict::Good {
            tally.losses += 1;
        }
        assert_eq!(report.verdict, Verdict::Good, "{point}");
    }
    let newest = reports.iter().map(|report| report.snapshot.seq).max();
    let run = runs(&repository).await.last().map(|(seq, _)| *seq);
    let present = newest.filter(|_| newest == run);
    match success {
        Some(seq) => assert_eq!(present, Some(seq), "{point}: a success that is none"),
        None if told && present > Some(Seq(1)) => {
            // Gone for good just after the commit: the last look cannot be taken.
            let may = [Fault::LosesAnswerAndNext, Fault::Gone, Fault::GoneAfter];
            assert!(
                may.contains(&point.fault),
                "{point}: a failure that is none"
            );
            tally.unknown += 1;
        }
        None => {}
    }
    let next = world.backup(&store, &name).await;
    let next = next.unwrap_or_else(|error| panic!("{point}: {:?}", error.to_failure()));
    let repository = world.open(&store).await.unwrap();
    let ends = runs(&repository).await;
    assert!(
        ends.iter().all(|(_, end)| *end != End::Open),
        "{point}: {ends:?}"
    );
    let good = verify(&repository, &data).await.unwrap();
    assert_eq!(
        good.len(),
        reports.len() + 1,
        "{point}: a snapshot got lost"
    );
    assert!(good.iter().all(|report| report.verdict == Verdict::Good));
    let restored = world.restore(&repository, &next.snapshot).await.unwrap();
    assert_eq!(restored, world.tree(&name), "{point}");
}

async fn runs(repository: &backup_core::repo::Repository) -> Vec<(Seq, End)> {
    let runs = ops::list(repository, &Selection::All).await.unwrap();
    let runs = runs.into_iter().map(Result::unwrap);
    runs.map(|run| (run.snapshot.seq, run.end)).collect()
}

async fn start() -> (World, Arc<InMemory>) {
    let inner = Arc::new(InMemory::new());
    let world = World::new(&memory(&inner)).await;
    let source = world.source(&job("etc"));
    fs::write(source.join("one"), vec![1; 20_000]).unwrap();
    world.backup(&memory(&inner), &job("etc")).await.unwrap();
    fs::write(source.join("two"), vec![2; 30_000]).unwrap();
    (world, inner)
}

#[tokio::test]
async fn a_backup_that_stops_anywhere_loses_nothing() {
    let (world, inner) = start().await;
    let mut tally = Tally::default();
    enumerate(&world, &inner, &mut tally).await;

    // Again, after a run that died: it must be closed first.
    let index = fs::read(world.host.index_path(&job("etc"))).unwrap();
    let key = Path::from("snapshots/etc/000002.json");
    world.backup(&memory(&inner), &job("etc")).await.unwrap();
    let last = [Ok(key)];
    let deleted = inner.delete_stream(stream::iter(last).boxed());
    assert!(deleted.collect::<Vec<_>>().await.iter().all(Result::is_ok));
    fs::write(world.host.index_path(&job("etc")), &index).unwrap();
    enumerate(&world, &inner, &mut tally).await;

    println!("crash points: {tally:?}");
    assert!(tally.points > 200, "{tally:?}");
    assert!(tally.unknown <= 12, "{tally:?}");
    assert_eq!(tally.losses, 0);
}
