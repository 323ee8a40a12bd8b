//! Whoever changes trust dies at any call to the store, before it is done, after, or with the
//! answer lost. Whatever was readable stays readable, and the change can be made again.

#![expect(clippy::print_stdout, reason = "the figures are the point")]

use std::{io, sync::Arc};

use backup_core::{ops::OpError, store::Store};
use backup_keys::{Identity, OpensKeyFiles};
use object_store::{ObjectStore, memory::InMemory};

use crate::{
    faults::{Answer, Fate, FaultStore},
    people::{People, first, second},
    support::World,
};

#[derive(Clone, Copy, Debug)]
enum Change {
    LetIn,
    Rotate,
    PutOut,
}

impl Change {
    async fn make(self, people: &People, store: &Store) -> Result<(), OpError> {
        let made = match self {
            Self::LetIn => people.let_second_in(store).await,
            Self::Rotate => {
                let name = second();
                let tester = (&name, &people.second as &dyn OpensKeyFiles);
                people.rotate(store, tester, Some(&first())).await
            }
            Self::PutOut => people.remove(store, &first()).await,
        };
        made.map(drop)
    }

    /// Whether it has been made.
    async fn is_made(self, people: &People) -> bool {
        let repository = people.open().await;
        let trust = repository.trust();
        match self {
            Self::LetIn => trust.administrator(&second()).is_some(),
            Self::Rotate => trust.epochs.len() == 2,
            Self::PutOut => trust.administrator(&first()).is_none(),
        }
    }
}

fn fate(how: u32, call: u64, at: u64) -> Fate {
    let (here, later) = (call == at, call > at);
    match how {
        0 if here || later => Fate::of(false, Answer::Never),
        1 if here => Fate::of(true, Answer::Never),
        1 if later => Fate::of(false, Answer::Never),
        2 if here => Fate::of(true, Answer::Fails(io::ErrorKind::Other)),
        3 if here => Fate::of(false, Answer::Fails(io::ErrorKind::Other)),
        _ => Fate::FINE,
    }
}

/// What an administrator does who knows that nobody else is rotating.
async fn clear(store: &Store) {
    for left in store.list("keys/2").await.unwrap() {
        store.delete(&left.key).await.unwrap();
    }
}

#[tokio::test]
async fn whoever_dies_changing_trust_leaves_it_readable() {
    let inner = Arc::new(InMemory::new());
    let plain: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(&inner);
    let store = Store::new(plain, "memory".to_owned());
    let mut people = People {
        world: World::new(&store).await,
        second: Identity::generate(),
        store,
    };
    people.back_up("first").await.unwrap();
    let mut points = 0;
    let mut past = inner;
    for change in [Change::LetIn, Change::Rotate, Change::PutOut] {
        for how in 0..4 {
            for at in 1.. {
                let copy: Arc<dyn ObjectStore> = Arc::new(past.fork());
                let faulty = FaultStore::new(Arc::clone(&copy), move |call| fate(how, call, at));
                let store = faulty.store();
                tokio::select! {
                    biased;
                    _ = change.make(&people, &store) => {}
                    () = faulty.dead.notified() => {}
                }
                people.store = Store::new(copy, "memory".to_owned());
                // Whoever could read and was not put out still reads.
                let reader = if matches!(change, Change::LetIn) {
                    people.world.admin.clone()
                } else {
                    people.second.clone()
                };
                assert_eq!(
                    people.reads(&reader).await,
                    Ok(vec![1]),
                    "{change:?} {how} {at}"
                );
                if !change.is_made(&people).await {
                    if matches!(change, Change::Rotate) {
                        clear(&people.store).await;
                    }
                    let again = change.make(&people, &people.store).await;
                    again.unwrap_or_else(|error| panic!("{change:?} {how} {at}: {error:?}"));
                }
                assert!(change.is_made(&people).await);
                assert_eq!(people.reads(&people.second).await, Ok(vec![1]));
                if faulty.calls.total() < at {
                    break;
                }
                points += 1;
            }
        }
        // The next change comes after this one.
        let next = Arc::new(past.fork());
        let plain: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(&next);
        people.store = Store::new(plain, "memory".to_owned());
        change.make(&people, &people.store).await.unwrap();
        past = next;
    }
    println!("deaths of who changes trust: {points} points, losses: 0");
    assert!(points >= 80, "{points}");
}
