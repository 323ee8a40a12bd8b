//! A writer is taken out while it works, beside records that are damaged, and against its will.

#![expect(clippy::print_stdout, reason = "the figures are the point")]

use std::{
    sync::{Arc, Mutex, mpsc},
    thread,
};

use backup_core::{
    format::layout,
    ops::{self, Authority, OpError},
    repo::{Host, Repository},
    store::Store,
};
use backup_keys::{Identity, NewWriter, Role, SecretKey};
use backup_model::{
    Code, Digest, JobName, Progress, Seq, Silent, SnapshotName, TrustChange, Verdict, Why,
};
use bytes::Bytes;
use object_store::{ObjectStore, memory::InMemory};
use tokio::runtime;

use crate::{
    faults::{Fate, FaultStore},
    people::{People, clock, first, second},
    support::{World, job, verify},
};

/// The host's key is replaced; gives the host that has the new one.
async fn replace(people: &People, store: &Store) -> (tempfile::TempDir, Host, TrustChange) {
    let folder = tempfile::tempdir().unwrap();
    let repository = people.world.open(store).await.unwrap();
    let key = SecretKey::generate().unwrap();
    let new = NewWriter {
        name: job("host"),
        key: key.public().clone(),
        roles: vec![Role::Write, Role::Maintain],
        jobs: None,
        from: clock(),
        until: None,
    };
    let host = Host::create(folder.path(), repository.id(), key).unwrap();
    let authority = Authority::new(&repository, &people.world.root, clock()).unwrap();
    let change = authority.replace_writer(&job("host"), &new).await.unwrap();
    (folder, host, change)
}

async fn back_up_by(people: &People, host: &Host) -> Result<u64, OpError> {
    let silent: Arc<dyn Progress> = Arc::new(Silent);
    let name = job("etc");
    let report = people
        .world
        .backup_by(host, &people.store, &name, clock, &silent);
    Ok(report.await?.snapshot.seq.0)
}

/// The thief has the old key and may write anything: puts another commit of his in a run's place.
async fn forge(repository: &Repository, people: &People, seq: u64, from: u64) {
    let name = |seq| layout::snapshot(&job("etc"), Seq(seq));
    let end = repository.run_end(&job("etc"), Seq(from)).await.unwrap();
    let mut commit = end.unwrap().commit().unwrap().clone();
    commit.seq = Seq(seq);
    commit.prev = (seq > 1).then_some(Digest([1; 32]));
    let end = backup_core::format::RunEnd::Commit(commit);
    let key = people.world.host.key();
    let bytes = backup_keys::Record::sign(&end, repository.id(), &name(seq), key).unwrap();
    people.store.delete(&name(seq)).await.unwrap();
    put(&people.store, &name(seq), bytes).await;
}

async fn put(store: &Store, key: &str, bytes: impl Into<Bytes>) {
    store.put_new(key, bytes.into()).await.unwrap();
}

/// Beside dead and damaged runs no chain tells what was there, and still nothing else counts.
#[tokio::test]
async fn no_other_record_of_a_removed_key_counts_whatever_is_beside_it() {
    let people = People::new().await;
    for content in ["second", "third", "fourth", "fifth"] {
        people.back_up(content).await.unwrap();
    }
    let before = people.open().await;
    let second_run = [SnapshotName {
        job: job("etc"),
        seq: Seq(2),
    }];
    let key = people.world.host.key();
    let forgotten = ops::forget(&before, key, &second_run, Why::Request, clock());
    forgotten.await.unwrap();
    let (_folder, host, change) = replace(&people, &people.store).await;
    assert_eq!(change.unread, []);
    assert_eq!(
        people.reads(&people.world.admin).await,
        Ok(vec![1, 3, 4, 5])
    );

    // 1 stands beside a dead run, 3 beside one that is damaged by him.
    let fourth = layout::snapshot(&job("etc"), Seq(4));
    people.store.delete(&fourth).await.unwrap();
    put(&people.store, &fourth, "junk").await;
    for (seq, from) in [(1, 5), (3, 5)] {
        forge(&before, &people, seq, from).await;
        let read = people.open().await.run_end(&job("etc"), Seq(seq)).await;
        let error = read.unwrap_err().to_string();
        let place = layout::snapshot(&job("etc"), Seq(seq));
        assert!(
            error.contains(&place) && error.contains("was removed"),
            "{error}"
        );
    }
    assert_eq!(back_up_by(&people, &host).await.unwrap(), 6);
}

/// Who only has the store's credentials cannot keep his key by leaving what nobody can read.
#[tokio::test]
async fn junk_does_not_stop_a_removal_and_is_named() {
    let people = People::new().await;
    people.back_up("second").await.unwrap();
    people.back_up("third").await.unwrap();
    let key = people.world.host.key();
    let repository = people.open().await;
    let run = |seq| SnapshotName {
        job: job("etc"),
        seq: Seq(seq),
    };
    ops::forget(&repository, key, &[run(1)], Why::Request, clock())
        .await
        .unwrap();
    let junk = [
        layout::snapshot(&job("etc"), Seq(9)),
        layout::snapshot(&job("other"), Seq(1)),
        layout::forget(2),
        layout::plan(1),
    ];
    for key in &junk {
        put(&people.store, key, "junk").await;
    }
    // One that was damaged counts again once it is mended: the next one tells its digest.
    let second_key = layout::snapshot(&job("etc"), Seq(2));
    let second = people.store.get(&second_key).await.unwrap();
    people.store.delete(&second_key).await.unwrap();
    put(&people.store, &second_key, "damaged").await;

    let (_folder, host, change) = replace(&people, &people.store).await;
    let told: Vec<&str> = change.unread.iter().map(|f| f.message.as_str()).collect();
    for key in &junk {
        assert!(
            told.iter().any(|told| told.contains(key)),
            "{key}: {told:?}"
        );
    }
    assert!(
        !told.iter().any(|told| told.contains(&second_key)),
        "{told:?}"
    );
    for key in junk.iter().chain([&second_key]) {
        people.store.delete(key).await.unwrap();
    }
    put(&people.store, &second_key, second).await;
    assert_eq!(people.reads(&people.world.admin).await, Ok(vec![2, 3]));
    assert_eq!(back_up_by(&people, &host).await.unwrap(), 4);
    let stolen = people.back_up("by the thief").await.unwrap_err();
    assert_eq!(stolen.code(), Code::WriterRefused);
}

/// What a removed key stores later is nobody's obstacle, be it an end or only a beginning.
#[tokio::test]
async fn a_record_that_does_not_count_does_not_stop_the_job() {
    let people = People::new().await;
    let before = people.open().await;
    let (_folder, host, _) = replace(&people, &people.store).await;
    let session = layout::session(&job("etc"), Seq(2));
    put(&people.store, &session, "begun by nobody knows whom").await;
    forge(&before, &people, 2, 1).await;
    assert_eq!(back_up_by(&people, &host).await.unwrap(), 3);
    let runs = people.open().await.runs(&job("etc")).await.unwrap();
    let bad: Vec<u64> = runs
        .runs
        .iter()
        .filter(|(_, state)| matches!(state, backup_core::repo::RunState::Bad(_)))
        .map(|(seq, _)| seq.0)
        .collect();
    assert_eq!(bad, [2]);
}

/// The others' key file is looked at before somebody goes who could still open an epoch.
#[tokio::test]
async fn nobody_is_put_out_while_what_the_others_open_with_is_gone() {
    for gone in ["keys/1/second-1.age", "keys/1/canary.age"] {
        let people = People::new().await;
        people.let_second_in(&people.store).await.unwrap();
        let bytes = people.store.get(gone).await.unwrap();
        people.store.delete(gone).await.unwrap();
        let error = people.remove(&people.store, &first()).await.unwrap_err();
        assert!(error.to_string().contains(gone), "{error}");
        put(&people.store, gone, "x".repeat(bytes.len())).await;
        let error = people.remove(&people.store, &first()).await.unwrap_err();
        assert!(error.to_string().contains(gone), "{error}");
        people.store.delete(gone).await.unwrap();
        put(&people.store, gone, bytes).await;
        people.remove(&people.store, &first()).await.unwrap();
        assert_eq!(people.opens(&people.second).await, [1], "{}", second());
    }
}

/// What a backup and a removal are told when the backup stops at its call `stop`, and goes on to
/// its end when the removal comes to its call `meet`; and the calls of both.
async fn meet(stop: u64, meet: u64) -> (Arc<People>, Host, Result<u64, OpError>, [u64; 2]) {
    let inner: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let store = Store::new(Arc::clone(&inner), "memory".to_owned());
    let people = Arc::new(People {
        world: World::new(&store).await,
        second: Identity::generate(),
        store,
    });
    people.back_up("first").await.unwrap();
    let (has_stopped, stopped) = mpsc::sync_channel(1);
    let (go, goes) = mpsc::sync_channel::<()>(1);
    let goes = Mutex::new(goes);
    let slow = FaultStore::new(Arc::clone(&inner), move |call| {
        if call == stop {
            has_stopped.send(()).unwrap();
            // Nobody sends: it goes on when the other end is dropped.
            goes.lock().unwrap().recv().ok();
        }
        Fate::FINE
    });
    let writer = {
        let people = Arc::clone(&people);
        let named = thread::Builder::new().name("writer".to_owned());
        let spawned = named.spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let silent: Arc<dyn Progress> = Arc::new(Silent);
                let (world, name): (_, JobName) = (&people.world, job("etc"));
                let store = slow.store();
                let report = world.backup_by(&world.host, &store, &name, clock, &silent);
                let report = report.await;
                let calls = slow.calls.total();
                (report.map(|report| report.snapshot.seq.0), calls)
            })
        });
        spawned.unwrap()
    };
    // A backup of fewer calls drops its end.
    stopped.recv().ok();
    let finish = Mutex::new(Some((go, writer)));
    let (tell, told) = mpsc::sync_channel(1);
    let finish = Arc::new(move || {
        if let Some((go, writer)) = finish.lock().unwrap().take() {
            drop(go);
            tell.send(writer.join().unwrap()).unwrap();
        }
    });
    let met = FaultStore::new(inner, {
        let finish = Arc::clone(&finish);
        move |call| {
            if call == meet {
                finish();
            }
            Fate::FINE
        }
    });
    let (folder, host, _) = replace(&people, &met.store()).await;
    let removal = met.calls.total();
    finish();
    // The host's files go with the test's own.
    drop(folder.keep());
    let (told, backup) = told.recv().unwrap();
    (people, host, told, [backup, removal])
}

/// At whatever moment of a removal a run ends: what it called a success is one, and the job goes on
/// with the new key.
#[tokio::test]
async fn whatever_a_writer_stores_while_it_is_removed_counts_if_it_says_so() {
    let (mut succeeded, mut refused, mut stored) = (0, 0, 0);
    let (.., [backup, removal]) = meet(u64::MAX, 1).await;
    for stop in backup - 6..=backup {
        for at in 1..=removal {
            let (people, host, told, _) = meet(stop, at).await;
            let repository = people.open().await;
            let verifier = ops::Verifier::data(people.world.admin.clone());
            let reports = verify(&repository, &verifier).await.unwrap();
            let good = |seq| {
                let mut reports = reports.iter();
                reports.any(|r| r.snapshot.seq.0 == seq && r.verdict == Verdict::Good)
            };
            assert!(good(1), "{stop} {at}");
            match told {
                Ok(seq) => {
                    succeeded += 1;
                    assert!(good(seq), "{stop} {at}: {reports:?}");
                }
                Err(error) => {
                    refused += 1;
                    stored += usize::from(reports.len() > 1);
                    assert_eq!(error.code(), Code::WriterRefused, "{stop} {at}: {error}");
                }
            }
            back_up_by(&people, &host).await.unwrap();
        }
    }
    println!(
        "{succeeded} runs ended before the removal, {refused} after, of which {stored} had stored an \
         end; losses 0"
    );
    assert!(succeeded > 0 && refused > 0);
}
