//! Crash points: a backup, a forget or a prune is stopped at each of its calls to the store, in
//! each way that a store or a process can fail there. Whatever happens, nothing that was committed
//! is lost, nothing is called a success that is not one, and the next of each kind works.

#![expect(clippy::print_stdout, reason = "the figures are the point")]

use std::{fmt, io, sync::Arc};

use backup_core::store::Store;
use backup_model::Code;
use futures::TryStreamExt as _;
use object_store::{ObjectStore as _, ObjectStoreExt as _};
use tempfile::TempDir;

use crate::{
    faults::{Answer, Fate, FaultStore},
    scene::{Ending, Part, Scene, memory},
    servers::S3Files,
};

/// Set, every call meets every fault on every store; otherwise some of them do.
const ALL: &str = "BACKUPD_ALL_CRASH_POINTS";

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
    snapshots: usize,
}

/// Where the past is copied to.
enum Place {
    Memory,
    Folder,
    S3(S3Files),
}

impl Place {
    /// A copy of the past; a folder is gone with its owner.
    async fn copy(&self, scene: &Scene, number: u64) -> (Store, Option<TempDir>) {
        let past = scene.fork();
        let (store, folder) = match self {
            Self::Memory => return (memory(&past), None),
            Self::Folder => {
                let folder = tempfile::tempdir().unwrap();
                (Store::local(folder.path()).unwrap(), Some(folder))
            }
            Self::S3(server) => (server.store(&format!("point-{number}")), None),
        };
        let mut listed = past.list(None);
        while let Some(meta) = listed.try_next().await.unwrap() {
            let bytes = past.get(&meta.location).await.unwrap().bytes().await;
            let put = store.put_new(meta.location.as_ref(), bytes.unwrap());
            put.await.unwrap();
        }
        (store, folder)
    }
}

/// Stops an operation at its calls, each `every`-th of them in each way.
async fn enumerate(scene: &Scene, part: &Part, place: &Place, every: u64) {
    let mut tally = Tally::default();
    for (number, fault) in (0..).zip(FAULTS) {
        let mut at = 1 + number % every;
        loop {
            let (well, _folder) = place.copy(scene, number * 1000 + at).await;
            if !stop_at(scene, part, &well, Point { fault, at }, &mut tally).await {
                break;
            }
            tally.points += 1;
            at += every;
        }
    }
    println!("crash points, {part:?}: {tally:?}, losses: 0");
    assert!(
        tally.points > 9 && tally.failed > 0 && tally.died > 1,
        "{tally:?}"
    );
}

/// One point; false if the operation had ended before.
async fn stop_at(
    scene: &Scene,
    part: &Part,
    well: &Store,
    point: Point,
    tally: &mut Tally,
) -> bool {
    let (store, faulty) = faulty(well, point);
    let hosts = scene.hosts();
    let ending = tokio::select! {
        biased;
        ending = scene.play(part, &hosts, store) => ending,
        () = faulty.dead.notified() => Ending::Died,
    };
    let reached = faulty.calls.total() >= point.at;
    let ending = match ending {
        Ending::Died => {
            tally.died += 1;
            Ending::Died
        }
        Ending::Failed(code, error) => {
            assert!(reached, "{point}: {error}");
            let full = point.fault == Fault::Full && matches!(part, Part::Write(_));
            assert!(!full || code == Code::NoSpace, "{point}: {error}");
            tally.failed += 1;
            // Whether it is done all the same nobody can know.
            Ending::Died
        }
        done => {
            tally.succeeded += 1;
            done
        }
    };
    let (parts, endings) = ([part.clone()], [ending]);
    let _named = Named(point);
    tally.snapshots += scene.check(&parts, &endings, &hosts, well).await;
    reached
}

/// The same store, failing.
fn faulty(well: &Store, point: Point) -> (Store, Arc<FaultStore>) {
    let mut faulty = None;
    let store = well.clone().decorated(|inner| {
        let store = FaultStore::new(inner, move |call| point.fate(call));
        faulty = Some(Arc::clone(&store));
        store
    });
    (store, faulty.expect("it was decorated"))
}

/// Names the point if the look after it fails.
struct Named(Point);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("after: {}", self.0);
        }
    }
}

async fn all_operations(place: &Place, every: u64) {
    let every = if std::env::var_os(ALL).is_some() {
        1
    } else {
        every
    };
    let (whole, pruned) = (Scene::new(&[]).await, Scene::new(&[1, 3]).await);
    enumerate(&whole, &Part::Write(0), place, every).await;
    enumerate(&whole, &Part::Forget(&[1, 3]), place, every).await;
    enumerate(&pruned, &Part::Prune, place, every).await;
}

#[tokio::test]
async fn what_stops_anywhere_loses_nothing_in_memory() {
    all_operations(&Place::Memory, 2).await;
}

#[tokio::test]
async fn what_stops_anywhere_loses_nothing_in_a_folder() {
    all_operations(&Place::Folder, 7).await;
}

#[tokio::test]
async fn what_stops_anywhere_loses_nothing_over_s3() {
    let place = Place::S3(S3Files::start().await);
    all_operations(&place, 11).await;
}
