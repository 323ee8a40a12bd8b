//! Letting in, putting out, beginning anew; and what is refused.

use std::sync::{Arc, atomic::Ordering};

use backup_core::{
    ops::{self, Authority},
    repo::Host,
    store::Store,
};
use backup_keys::{
    Identity, NewWriter, Role, SecretKey,
    administrator::{Access, AdministratorIdentity, AdministratorRecipient},
};
use backup_model::{Code, Silent};
use object_store::{ObjectStoreExt as _, memory::InMemory};
use tokio_util::sync::CancellationToken;

use crate::{
    faults::{Fate, FaultStore},
    people::{People, clock, first, second},
    support::{World, job},
};

#[tokio::test]
async fn who_is_put_out_reads_nothing_more_and_nothing_is_lost() {
    let people = People::new().await;
    let (admin, other) = (&people.world.admin, &people.second);
    assert_eq!(people.reads(other).await, Err(Code::WrongIdentity));
    let change = people.let_second_in(&people.store).await.unwrap();
    assert_eq!(
        (change.trust, change.epochs, change.tested),
        (2, vec![1], true)
    );
    assert_eq!(people.reads(other).await, Ok(vec![1]));

    // A new epoch without the first one; then he is put out.
    let tester = second();
    let tester = (&tester, other as &dyn backup_keys::OpensKeyFiles);
    let rotated = people.rotate(&people.store, tester, Some(&first())).await;
    assert_eq!(rotated.unwrap().epochs, [2]);
    people.back_up("second").await.unwrap();
    assert_eq!(people.opens(admin).await, [1]);
    assert_eq!(people.opens(other).await, [1, 2]);
    assert_eq!(people.reads(admin).await, Err(Code::WrongIdentity));
    let removed = people.remove(&people.store, &first()).await.unwrap();
    assert_eq!((removed.epochs, removed.left), (vec![1], vec![]));
    assert_eq!(people.opens(admin).await, [] as [u64; 0]);
    assert_eq!(people.reads(other).await, Ok(vec![1, 2]));
    let checked = ops::check(&people.open().await, &CancellationToken::new()).await;
    assert_eq!(checked.unwrap().faults, []);
}

#[tokio::test]
async fn the_last_who_has_shown_to_open_stays() {
    let people = People::new().await;
    let error = people.remove(&people.store, &first()).await.unwrap_err();
    assert_eq!(error.code(), Code::TrustRefused);
    // Somebody who has not shown it is nobody to rely on.
    let repository = people.open().await;
    let authority = Authority::new(&repository, &people.world.root, clock()).unwrap();
    let recipient = AdministratorRecipient::from(people.second.recipient());
    let (by, access) = (&people.world.admin, Access::none());
    let name = second();
    let added = authority.add_administrator(&name, &recipient, by, None, &access);
    assert!(!added.await.unwrap().tested);
    let error = people.remove(&people.store, &first()).await.unwrap_err();
    assert_eq!(error.code(), Code::TrustRefused);
    // Once he has, the first can go.
    let repository = people.open().await;
    let tests = ops::test_key(&repository, &people.second).await.unwrap();
    let authority = Authority::new(&repository, &people.world.root, clock()).unwrap();
    authority.mark_tested(&tests).await.unwrap();
    people.remove(&people.store, &first()).await.unwrap();
    assert_eq!(people.reads(&people.second).await, Ok(vec![1]));
}

#[tokio::test]
async fn what_makes_no_sense_changes_nothing() {
    let people = People::new().await;
    let repository = people.open().await;
    let stranger = SecretKey::generate().unwrap();
    let error = Authority::new(&repository, &stranger, clock()).unwrap_err();
    assert_eq!(error.code(), Code::NotTrusted);

    let authority = Authority::new(&repository, &people.world.root, clock()).unwrap();
    let recipient = AdministratorRecipient::from(people.second.recipient());
    let access = Access::none();
    let wrong = Identity::generate();
    // By somebody who opens nothing, and with a proof that is none.
    let name = second();
    let by_stranger = authority.add_administrator(&name, &recipient, &wrong, None, &access);
    assert_eq!(by_stranger.await.unwrap_err().code(), Code::WrongIdentity);
    let admin = &people.world.admin;
    let unproven = authority.add_administrator(&name, &recipient, admin, Some(&wrong), &access);
    assert_eq!(unproven.await.unwrap_err().code(), Code::WrongIdentity);
    // Twice under one name or recipient.
    let twice = AdministratorRecipient::from(admin.recipient());
    for (name, recipient) in [(first(), &recipient), (second(), &twice)] {
        let added = authority.add_administrator(&name, recipient, admin, None, &access);
        assert_eq!(
            added.await.unwrap_err().code(),
            Code::TrustRefused,
            "{name}"
        );
    }
    assert_eq!(people.open().await.trust().version, 1);
    // What these have left is in nobody's way.
    people.let_second_in(&people.store).await.unwrap();
    assert_eq!(people.opens(&people.second).await, [1]);
}

#[tokio::test]
async fn of_two_who_change_trust_at_once_one_is_let_through() {
    let people = People::new().await;
    let (one, other) = (people.open().await, people.open().await);
    let third = Identity::generate();
    let access = Access::none();
    let admin = &people.world.admin;
    let first_come = Authority::new(&one, &people.world.root, clock()).unwrap();
    let recipient = AdministratorRecipient::from(people.second.recipient());
    let name = second();
    let added = first_come.add_administrator(&name, &recipient, admin, None, &access);
    added.await.unwrap();
    let late = Authority::new(&other, &people.world.root, clock()).unwrap();
    let recipient = AdministratorRecipient::from(third.recipient());
    let name = job("third");
    let added = late.add_administrator(&name, &recipient, admin, None, &access);
    assert_eq!(added.await.unwrap_err().code(), Code::Busy);
    let again = people.open().await;
    let late = Authority::new(&again, &people.world.root, clock()).unwrap();
    let added = late.add_administrator(&name, &recipient, admin, Some(&third), &access);
    added.await.unwrap();
    assert_eq!(people.opens(&people.second).await, [1]);
    assert_eq!(people.opens(&third).await, [1]);
}

#[tokio::test]
async fn a_passphrase_opens_and_is_needed_to_begin_anew() {
    let people = People::new().await;
    let words = || "correct horse battery staple".to_owned().into();
    let key = AdministratorIdentity::passphrase(words()).unwrap();
    let recipient = AdministratorRecipient::passphrase(words()).unwrap();
    let repository = people.open().await;
    let authority = Authority::new(&repository, &people.world.root, clock()).unwrap();
    let (admin, access, name) = (&people.world.admin, Access::none(), second());
    let added = authority.add_administrator(&name, &recipient, admin, Some(&key), &access);
    added.await.unwrap();
    assert_eq!(people.opens(&key).await, [1]);
    let name = first();
    let tester = (&name, admin as &dyn backup_keys::OpensKeyFiles);
    let rotated = people.rotate(&people.store, tester, None).await.unwrap();
    assert_eq!(rotated.left_out, [second()]);
    let repository = people.open().await;
    let authority = Authority::new(&repository, &people.world.root, clock()).unwrap();
    let phrases = [(second(), recipient)].into();
    let rotated = authority.rotate(tester, None, &phrases, &access);
    assert_eq!(rotated.await.unwrap().left_out, []);
    assert_eq!(people.opens(&key).await, [1, 3]);
}

/// What a rotation left is named as a whole, and stays: it might be somebody's who is at it.
#[tokio::test]
async fn what_a_rotation_left_is_named_and_not_touched() {
    let people = People::new().await;
    let left = "keys/2/admin-1.age";
    people.store.put_new(left, "x".into()).await.unwrap();
    let name = first();
    let tester = (
        &name,
        &people.world.admin as &dyn backup_keys::OpensKeyFiles,
    );
    let rotated = people.rotate(&people.store, tester, None).await;
    let error = rotated.unwrap_err();
    assert_eq!(error.code(), Code::TrustRefused);
    assert!(error.to_string().starts_with("keys/2/ holds"), "{error}");
    assert!(people.store.find(left).await.unwrap().is_some());
    people.store.delete(left).await.unwrap();
    people.rotate(&people.store, tester, None).await.unwrap();
}

/// A host was stolen: its key is replaced, what it has stored stays, and it stores nothing more.
#[tokio::test]
async fn a_writer_is_replaced() {
    let people = People::new().await;
    let world = &people.world;
    let folder = tempfile::tempdir().unwrap();
    let repository = people.open().await;
    let key = SecretKey::generate().unwrap();
    let new = NewWriter {
        name: job("host"),
        key: key.public().clone(),
        roles: vec![Role::Write, Role::Maintain],
        jobs: None,
        from: clock(),
        until: None,
    };
    let rebuilt = Host::create(folder.path(), repository.id(), key).unwrap();
    let authority = Authority::new(&repository, &world.root, clock()).unwrap();
    authority.replace_writer(&job("host"), &new).await.unwrap();
    let stolen = people.back_up("by the thief").await.unwrap_err();
    assert_eq!(stolen.code(), Code::WriterRefused);
    let silent: Arc<dyn backup_model::Progress> = Arc::new(Silent);
    let name = job("etc");
    let report = world.backup_by(&rebuilt, &people.store, &name, clock, &silent);
    assert_eq!(report.await.unwrap().snapshot.seq.0, 2);
    assert_eq!(people.reads(&world.admin).await, Ok(vec![1, 2]));
    // Its name is in use, its old key for ever.
    let repository = people.open().await;
    let authority = Authority::new(&repository, &world.root, clock()).unwrap();
    let old = NewWriter {
        name: job("again"),
        key: world.host.key().public().clone(),
        ..new.clone()
    };
    for refused in [&new, &old] {
        let error = authority.add_writer(refused).await.unwrap_err();
        assert_eq!(error.code(), Code::TrustRefused);
    }
}

/// What is asked of the store does not grow with what is in it.
#[tokio::test]
async fn keys_cost_the_same_whatever_there_is() {
    let mut costs = Vec::new();
    for packs in [10, 100_000_u32] {
        let inner = Arc::new(InMemory::new());
        let plain: Arc<dyn object_store::ObjectStore> = inner.clone();
        let store = Store::new(plain, "memory".to_owned());
        let people = People {
            world: World::new(&store).await,
            second: Identity::generate(),
            store,
        };
        for number in 0..packs {
            let mut digest = [0; 32];
            digest[..4].copy_from_slice(&number.to_be_bytes());
            let key = backup_core::format::layout::pack(&backup_model::Digest(digest));
            inner.put(&key.into(), "x".into()).await.unwrap();
        }
        let counted = FaultStore::new(inner, |_| Fate::FINE);
        let store = counted.store();
        people.let_second_in(&store).await.unwrap();
        let name = first();
        let tester = (
            &name,
            &people.world.admin as &dyn backup_keys::OpensKeyFiles,
        );
        people.rotate(&store, tester, None).await.unwrap();
        people.remove(&store, &second()).await.unwrap();
        let calls = &counted.calls;
        let calls = [&calls.puts, &calls.gets, &calls.lists, &calls.deletes];
        costs.push(calls.map(|calls| calls.load(Ordering::Relaxed)));
    }
    assert_eq!(costs[0], costs[1]);
}
