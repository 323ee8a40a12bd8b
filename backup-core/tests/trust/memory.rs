//! A machine that remembers what it has seen: roll-backs and forks show, and nothing else does.

use std::{fs, path::Path, sync::Arc};

use backup_core::{
    format::layout,
    ops::{self, OpError},
    repo::{Host, Memory, RepoError, Repository, RunState},
    store::Store,
};
use backup_model::{Code, Progress, Seq, Silent, SnapshotName, Why};
use tokio_util::sync::CancellationToken;

use crate::{
    people::{People, clock},
    support::{job, world::folder_job},
};

/// A machine that reads the repository, and its state folder.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open(&self, people: &People, store: &Store) -> Result<Repository, RepoError> {
        let repository = people.world.open(store).await?;
        let memory = Memory::open(self.0.path(), repository.id()).unwrap();
        repository.remembering(memory)
    }

    /// What it sees of the job: the numbers of good runs, and the faults.
    async fn look(&self, people: &People, store: &Store) -> (Vec<u64>, Vec<RepoError>) {
        let repository = self.open(people, store).await.unwrap();
        let runs = repository.runs(&job("etc")).await.unwrap().runs;
        let (mut good, mut faults) = (Vec::new(), Vec::new());
        for (seq, state) in runs {
            match state {
                RunState::Ended(_) => good.push(seq.0),
                RunState::Bad(error) => faults.push(error),
                RunState::Dead(_) | RunState::Open(_) => {}
            }
        }
        (good, faults)
    }

    async fn back_up(&self, people: &People, store: &Store, text: &str) -> Result<u64, OpError> {
        let name = job("etc");
        let folder = people.world.source(&name);
        fs::write(folder.join("file"), text).unwrap();
        let repository = self.open(people, store).await?;
        let silent: Arc<dyn Progress> = Arc::new(Silent);
        let (host, cancel): (&Host, _) = (&people.world.host, CancellationToken::new());
        let job = folder_job(&name, folder);
        let report = ops::backup(&repository, host, &job, clock, &silent, &cancel).await?;
        Ok(report.snapshot.seq.0)
    }
}

async fn copy(store: &Store) -> Store {
    let other = Store::memory();
    for object in store.list("").await.unwrap() {
        let bytes = store.get(&object.key).await.unwrap();
        other.put_new(&object.key, bytes).await.unwrap();
    }
    other
}

fn names(error: &RepoError, key: &str) {
    assert_eq!(error.code(), Code::RolledBack, "{error}");
    assert!(error.to_string().contains(key), "{error}");
    assert!(error.to_string().contains("seen.json"), "{error}");
}

#[tokio::test]
async fn an_older_copy_in_its_place_is_seen_and_not_built_on() {
    let (people, machine) = (People::new().await, Machine::new());
    let old = copy(&people.store).await;
    let second = machine.back_up(&people, &people.store, "second").await;
    assert_eq!(second.unwrap(), 2);
    let record = layout::snapshot(&job("etc"), Seq(2));
    let (good, faults) = machine.look(&people, &old).await;
    assert_eq!(good, [1]);
    names(&faults[0], &record);
    let error = machine.back_up(&people, &old, "x").await.unwrap_err();
    assert_eq!(error.code(), Code::RolledBack, "{error}");
    assert_eq!(
        old.size(&layout::session(&job("etc"), Seq(2)))
            .await
            .unwrap(),
        None
    );
    // Who has not seen more goes on; so does he who forgets.
    assert_eq!(Machine::new().look(&people, &old).await.0, [1]);
    let seen = machine.open(&people, &old).await.unwrap().id().to_string();
    fs::remove_file(machine.0.path().join(seen).join("seen.json")).unwrap();
    assert!(machine.look(&people, &old).await.1.is_empty());
}

#[tokio::test]
async fn of_two_copies_that_part_the_other_one_is_not_believed() {
    let (people, machine) = (People::new().await, Machine::new());
    let other = copy(&people.store).await;
    machine
        .back_up(&people, &people.store, "here")
        .await
        .unwrap();
    let there = Machine::new();
    assert_eq!(there.back_up(&people, &other, "there").await.unwrap(), 2);
    let record = layout::snapshot(&job("etc"), Seq(2));
    for (who, store) in [(&machine, &other), (&there, &people.store)] {
        let (good, faults) = who.look(&people, store).await;
        assert_eq!(good, [1]);
        names(&faults[0], &record);
        let error = who.back_up(&people, store, "x").await.unwrap_err();
        assert_eq!(error.code(), Code::RolledBack);
    }
    // Each goes on where it has been, and a longer chain makes the other no better.
    assert_eq!(there.back_up(&people, &other, "more").await.unwrap(), 3);
    names(&machine.look(&people, &other).await.1[0], &record);
    assert_eq!(machine.look(&people, &people.store).await.0, [1, 2]);
}

#[tokio::test]
async fn trust_and_forgets_do_not_go_back_either() {
    let (people, machine) = (People::new().await, Machine::new());
    people.back_up("second").await.unwrap();
    let old = copy(&people.store).await;
    people.let_second_in(&people.store).await.unwrap();
    let repository = machine.open(&people, &people.store).await.unwrap();
    let run = [SnapshotName {
        job: job("etc"),
        seq: Seq(1),
    }];
    let key = people.world.host.key();
    ops::forget(&repository, key, &run, Why::Request, clock())
        .await
        .unwrap();
    names(
        &machine.open(&people, &old).await.unwrap_err(),
        "trust/2.json",
    );
    // Another record of the same number, signed by the root key as well.
    people.let_second_in(&old).await.unwrap();
    let error = machine.open(&people, &old).await.unwrap_err();
    names(&error, "trust/2.json");
    // The forget is taken away, which brings its snapshot back.
    people.store.delete(&layout::forget(1)).await.unwrap();
    let repository = machine.open(&people, &people.store).await.unwrap();
    let error = repository.forgotten().await.unwrap_err();
    names(&error, &layout::forget(1));
    // One of another kind in its place.
    let stranger = people.open().await;
    let kept = SnapshotName {
        job: job("etc"),
        seq: Seq(2),
    };
    let held = ops::hold(&stranger, key, &kept, "mine", clock()).await;
    held.unwrap();
    let error = repository.forgotten().await.unwrap_err();
    names(&error, &layout::forget(1));
}

/// Nothing of this is a roll-back.
#[tokio::test]
async fn what_is_forgotten_pruned_or_seen_by_others_raises_no_alarm() {
    let (people, machine, other) = (People::new().await, Machine::new(), Machine::new());
    for text in ["second", "third"] {
        machine.back_up(&people, &people.store, text).await.unwrap();
        assert!(other.look(&people, &people.store).await.1.is_empty());
    }
    let late = other.open(&people, &people.store).await.unwrap();
    let key = people.world.host.key();
    let runs = [2, 3].map(|seq| SnapshotName {
        job: job("etc"),
        seq: Seq(seq),
    });
    let repository = machine.open(&people, &people.store).await.unwrap();
    for run in &runs {
        let run = std::slice::from_ref(run);
        ops::forget(&repository, key, run, Why::Request, clock())
            .await
            .unwrap();
    }
    assert!(late.runs(&job("etc")).await.is_ok());
    for who in [&machine, &other] {
        let (good, faults) = who.look(&people, &people.store).await;
        assert!(good[0] == 1 && !good.contains(&2) && faults.is_empty());
        let next = who.back_up(&people, &people.store, "next").await.unwrap();
        assert!(next > 3);
        assert!(who.look(&people, &people.store).await.1.is_empty());
    }
}

#[tokio::test]
async fn a_memory_that_cannot_be_read_is_named_and_one_that_cannot_be_written_is_none() {
    let (people, machine) = (People::new().await, Machine::new());
    machine.look(&people, &people.store).await;
    let id = people.open().await.id();
    let file = machine.0.path().join(id.to_string()).join("seen.json");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("\"runs\":{\"etc\":[1,\""), "{text}");
    for junk in ["", "{}", "[1]"] {
        fs::write(&file, junk).unwrap();
        let error = Memory::open(machine.0.path(), id).unwrap_err();
        assert!(error.to_string().contains("seen.json"), "{error}");
    }
    let memory = Memory::open(Path::new("/proc/none"), id).unwrap();
    let repository = people.open().await.remembering(memory).unwrap();
    assert_eq!(repository.runs(&job("etc")).await.unwrap().runs.len(), 1);
}
