//! Changes are made on one side and accepted on the other; what either must not do is refused.

use std::collections::BTreeMap;

use backup_model::{Code, Digest, JobName, KeyObject, RepositoryId};
use jiff::Timestamp;

use super::{Change, ChangeError, Known, KnownError, NotAccepted, RootSigner, SeenTrust};
use crate::{
    EditError, Identity, KeyFileName, NewWriter, OpensKeyFiles, PublicKey, Record,
    RepositoryRecord, Role, SecretKey, TrustRecord,
    administrator::{Access, AdministratorIdentity, AdministratorRecipient},
    names,
};

const ID: RepositoryId = RepositoryId([7; 16]);

fn name(text: &str) -> JobName {
    text.parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A repository as a store that anybody may have in his hands.
struct Stored {
    root: SecretKey,
    ann: Identity,
    repository: String,
    /// All trust records, the first one first.
    records: Vec<String>,
    objects: BTreeMap<String, Vec<u8>>,
}

impl Stored {
    /// With one administrator, `ann`, who has shown to open its epoch.
    fn new() -> Self {
        let (root, ann) = (SecretKey::generate().unwrap(), Identity::generate());
        let repository = RepositoryRecord {
            format: 0,
            repository: ID,
            created: at(0),
            root: root.public().clone(),
            pack_bytes: 1,
            block_bytes: 1,
        };
        let record = Record::sign(&repository, ID, names::REPOSITORY, &root).unwrap();
        let empty = TrustRecord {
            repository: ID,
            version: 0,
            prev: Digest([0; 32]),
            created: at(0),
            administrators: vec![crate::Administrator {
                name: name("ann"),
                kind: crate::AdministratorKind::X25519,
                recipient: Some(ann.recipient().to_string()),
                added: at(0),
            }],
            epochs: Vec::new(),
            writers: Vec::new(),
        };
        let known = Known::new(repository, (empty, Digest([0; 32])), vec![], vec![]);
        let signer = RootSigner::new(&known, &root, at(0)).unwrap();
        let tester = name("ann");
        let (none, access) = (BTreeMap::new(), Access::none());
        let first = signer.rotate((&tester, &ann), None, &none, &access);
        let first = first.unwrap();
        let mut stored = Self {
            root,
            ann,
            repository: String::from_utf8(record).unwrap(),
            records: Vec::new(),
            objects: BTreeMap::new(),
        };
        stored.store(first);
        stored
    }

    fn store(&mut self, change: Change) {
        let objects = change.objects.into_iter();
        self.objects.extend(objects.map(|it| (it.object, it.bytes)));
        self.records.push(change.record);
        self.objects.retain(|key, _| !change.unlisted.contains(key));
    }

    /// As it is told to somebody elsewhere, from this many records.
    fn told(&self, records: usize, seen: Option<SeenTrust>) -> Result<Known, KnownError> {
        let objects = self.objects.iter().map(|(object, bytes)| KeyObject {
            object: object.clone(),
            bytes: bytes.clone(),
        });
        let stored = self.objects.keys().cloned().collect();
        let texts = (&self.repository[..], &self.records[records - 1][..]);
        Known::read(self.root.public(), texts, objects.collect(), stored, seen)
    }

    fn known(&self) -> Known {
        self.told(self.records.len(), None).unwrap()
    }

    /// A change by who has the root key, as who stores it sees it.
    fn change(
        &self,
        make: impl FnOnce(&RootSigner<'_>) -> Result<Change, ChangeError>,
    ) -> Result<Change, ChangeError> {
        let known = self.known();
        let made = make(&RootSigner::new(&known, &self.root, at(9))?)?;
        let accepted = accept(&known, made.objects.clone(), made.record.clone()).unwrap();
        assert_eq!(accepted.trust, made.trust);
        assert_eq!(accepted.unlisted, made.unlisted);
        assert_eq!(accepted.seen().digest, made.digest);
        Ok(made)
    }

    fn let_bob_in(&self, bob: &Identity) -> Result<Change, ChangeError> {
        let recipient = AdministratorRecipient::from(bob.recipient());
        self.change(|signer| {
            let proof = Some(bob as &dyn OpensKeyFiles);
            let access = Access::none();
            signer.add_administrator(&name("bob"), &recipient, &self.ann, proof, &access)
        })
    }

    fn rotate(
        &self,
        tester: (&JobName, &dyn OpensKeyFiles),
        without: Option<&JobName>,
    ) -> Result<Change, ChangeError> {
        let (none, access) = (BTreeMap::new(), Access::none());
        self.change(|signer| signer.rotate(tester, without, &none, &access))
    }

    fn opened_by(&self, key: &Identity) -> Vec<u64> {
        let opened = self.known().opened_by(key);
        opened.iter().map(|file| file.epoch).collect()
    }
}

fn accept(known: &Known, objects: Vec<KeyObject>, record: String) -> Result<Change, NotAccepted> {
    let current = (known.trust(), known.seen().digest);
    Change::accept(known.repository(), current, objects, record)
}

#[test]
fn one_is_let_in_begins_an_epoch_and_puts_the_other_out() {
    let mut stored = Stored::new();
    let bob = Identity::generate();
    let added = stored.let_bob_in(&bob).unwrap();
    assert_eq!(
        (
            added.report.trust,
            &added.report.epochs[..],
            added.report.tested
        ),
        (2, &[1][..], true)
    );
    stored.store(added);
    assert_eq!(stored.opened_by(&bob), [1]);

    let (ann, his) = (name("ann"), name("bob"));
    let rotated = stored.rotate((&his, &bob), Some(&ann)).unwrap();
    assert_eq!(rotated.report.epochs, [2]);
    assert_eq!(rotated.report.left_out, []);
    stored.store(rotated);
    assert_eq!(stored.opened_by(&stored.ann), [1]);
    assert_eq!(stored.opened_by(&bob), [1, 2]);

    let removed = stored.change(|signer| signer.remove_administrator(&ann));
    let removed = removed.unwrap();
    assert_eq!(removed.unlisted, ["keys/1/ann-1.age"]);
    assert_eq!(
        (removed.report.epochs.len(), removed.report.tested),
        (1, false)
    );
    stored.store(removed);
    assert_eq!(stored.opened_by(&stored.ann), [] as [u64; 0]);
    let last = stored.change(|signer| signer.remove_administrator(&his));
    let last = last.unwrap_err();
    assert!(matches!(
        last,
        ChangeError::Refused(EditError::LastTested { .. })
    ));
}

#[test]
fn a_test_counts_for_what_it_opened_and_a_writer_is_let_in() {
    let mut stored = Stored::new();
    let bob = Identity::generate();
    let recipient = AdministratorRecipient::from(bob.recipient());
    let untested = stored.change(|signer| {
        let access = Access::none();
        signer.add_administrator(&name("bob"), &recipient, &stored.ann, None, &access)
    });
    let untested = untested.unwrap();
    assert!(!untested.report.tested);
    stored.store(untested);
    let opened = stored.known().opened_by(&bob);
    let tested = stored.change(|signer| signer.mark_tested(&opened)).unwrap();
    assert_eq!(tested.report.epochs, [1]);
    assert_eq!(tested.objects, []);
    stored.store(tested);
    let other = KeyFileName {
        number: 5,
        ..opened[0].clone()
    };
    let none = stored.change(|signer| signer.mark_tested(&[other]));
    assert!(matches!(
        none,
        Err(ChangeError::Refused(EditError::NoKeyFile(1)))
    ));

    let key = SecretKey::generate().unwrap();
    let writer = NewWriter {
        name: name("host"),
        key: key.public().clone(),
        roles: vec![Role::Write],
        jobs: None,
        from: at(9),
        until: None,
    };
    stored.store(stored.change(|signer| signer.add_writer(&writer)).unwrap());
    assert!(stored.known().trust().writer_named(&name("host")).is_some());
    let root = NewWriter {
        key: stored.root.public().clone(),
        ..writer
    };
    let refused = stored.change(|signer| signer.add_writer(&root));
    assert!(matches!(
        refused,
        Err(ChangeError::Refused(EditError::RootKey))
    ));
}

#[test]
fn a_passphrase_goes_along_only_if_it_is_at_hand() {
    let mut stored = Stored::new();
    let words = || "correct horse battery staple".to_owned().into();
    let key = AdministratorIdentity::passphrase(words()).unwrap();
    let recipient = AdministratorRecipient::passphrase(words()).unwrap();
    let access = Access::none();
    let added = stored.change(|signer| {
        signer.add_administrator(&name("bob"), &recipient, &stored.ann, Some(&key), &access)
    });
    stored.store(added.unwrap());
    assert_eq!(stored.known().owner(&key).unwrap().name, name("bob"));
    let ann = name("ann");
    let out = stored.rotate((&ann, &stored.ann), None).unwrap();
    assert_eq!(out.report.left_out, [name("bob")]);
    let along = BTreeMap::from([(name("bob"), recipient)]);
    let tester = (&ann, &stored.ann as &dyn OpensKeyFiles);
    let along = stored.change(|signer| signer.rotate(tester, None, &along, &access));
    let along = along.unwrap();
    assert_eq!(along.report.left_out, []);
    stored.store(along);
    assert_eq!(stored.known().opened_by(&key).len(), 2);
}

#[test]
fn keys_that_do_not_open_change_nothing() {
    let stored = Stored::new();
    let (bob, stranger) = (Identity::generate(), Identity::generate());
    let recipient = AdministratorRecipient::from(bob.recipient());
    let access = Access::none();
    let add = |by: &Identity, proof: &Identity| {
        stored.change(|signer| {
            signer.add_administrator(&name("bob"), &recipient, by, Some(proof), &access)
        })
    };
    for (by, proof) in [(&stranger, &bob), (&stored.ann, &stranger)] {
        assert_eq!(add(by, proof).unwrap_err().code(), Code::WrongIdentity);
    }
    let ann = name("ann");
    let wrong = stored.rotate((&ann, &stranger), None).unwrap_err();
    assert_eq!(wrong.code(), Code::WrongIdentity);
    let known = stored.known();
    let other = SecretKey::generate().unwrap();
    let not_root = RootSigner::new(&known, &other, at(9)).unwrap_err();
    assert_eq!(not_root.code(), Code::NotTrusted);
    let nobody = AdministratorIdentity::from(stranger);
    assert_eq!(
        known.owner(&nobody).unwrap_err().code(),
        Code::WrongIdentity
    );
}

#[test]
fn what_is_stored_and_not_listed_is_passed_over_or_in_the_way() {
    let mut stored = Stored::new();
    stored
        .objects
        .insert("keys/1/bob-1.age".to_owned(), vec![1]);
    let added = stored.let_bob_in(&Identity::generate()).unwrap();
    assert_eq!(added.objects[0].object, "keys/1/bob-2.age");
    stored
        .objects
        .insert("keys/2/canary.age".to_owned(), vec![1]);
    let ann = name("ann");
    let rotated = stored.rotate((&ann, &stored.ann), None);
    assert!(matches!(rotated, Err(ChangeError::LeftOver(folder)) if folder == "keys/2"));
}

/// Whoever has only a storage or a daemon in his hands gets nothing signed that helps him.
#[test]
fn material_that_was_changed_or_rolled_back_is_not_believed() {
    let mut stored = Stored::new();
    let bob = Identity::generate();
    stored.store(stored.let_bob_in(&bob).unwrap());
    let seen = stored.known().seen();
    assert!(stored.told(2, Some(seen)).is_ok());
    let old = stored.told(1, Some(seen)).unwrap_err();
    assert!(matches!(old, KnownError::RolledBack { found: 1, seen: 2 }));
    let other = SeenTrust {
        digest: Digest([9; 32]),
        ..seen
    };
    let forked = stored.told(2, Some(other)).unwrap_err();
    assert!(matches!(forked, KnownError::Forked(2)));

    let read = |root: &PublicKey, repository: &str, trust: &str| {
        let read = Known::read(root, (repository, trust), vec![], vec![], None);
        read.map(drop).map_err(|error| error.code())
    };
    let (root, trust) = (stored.root.public(), &stored.records[1][..]);
    let stranger = SecretKey::generate().unwrap();
    let theirs = read(stranger.public(), &stored.repository, trust);
    assert_eq!(theirs, Err(Code::NotTrusted));
    let changed = trust.replace("\"bob\"", "\"eve\"");
    assert_eq!(
        read(root, &stored.repository, &changed),
        Err(Code::RepositoryDamaged)
    );
    assert_eq!(read(root, trust, trust), Err(Code::RepositoryDamaged));

    // A key file in the place of another is as none.
    let forged = stored.objects["keys/1/bob-1.age"].clone();
    stored.objects.insert("keys/1/ann-1.age".to_owned(), forged);
    assert_eq!(stored.opened_by(&stored.ann), [] as [u64; 0]);
    let out = stored.change(|signer| signer.remove_administrator(&name("bob")));
    assert!(matches!(out, Err(ChangeError::Missing(key)) if key == "keys/1/ann-1.age"));
    stored.objects.remove("keys/1/canary.age");
    let out = stored.change(|signer| signer.remove_administrator(&name("bob")));
    assert!(matches!(out, Err(ChangeError::Missing(key)) if key == "keys/1/canary.age"));
}

#[test]
fn only_what_the_root_key_signed_for_now_is_accepted_and_with_just_its_files() {
    let mut stored = Stored::new();
    let bob = Identity::generate();
    let added = stored.let_bob_in(&bob).unwrap();
    let known = stored.known();
    let code = |objects: &[KeyObject], record: &str| {
        let accepted = accept(&known, objects.to_vec(), record.to_owned());
        accepted.map(drop).map_err(|error| error.code())
    };
    let (objects, record) = (&added.objects[..], &added.record[..]);
    assert_eq!(code(objects, record), Ok(()));

    let stranger = SecretKey::generate().unwrap();
    let (theirs, _) = added.trust.sign(&stranger).unwrap();
    assert_eq!(code(objects, &theirs), Err(Code::NotTrusted));
    assert_eq!(
        code(objects, &record.replace("bob", "eve")),
        Err(Code::NotTrusted)
    );
    assert_eq!(code(&[], &stored.repository), Err(Code::NotTrusted));
    // The same again, one that skips, and one that follows another.
    assert_eq!(code(&[], &stored.records[0]), Err(Code::Busy));
    let signed = |change: &dyn Fn(&mut TrustRecord)| {
        let mut trust = added.trust.clone();
        change(&mut trust);
        trust.sign(&stored.root).unwrap().0
    };
    let skips = signed(&|trust| trust.version = 3);
    assert_eq!(code(objects, &skips), Err(Code::Busy));
    let other = signed(&|trust| trust.prev = Digest([1; 32]));
    assert_eq!(code(objects, &other), Err(Code::Busy));
    // What the record says of a file that is there already stands.
    let rewritten = signed(&|trust| trust.epochs[0].canary.size += 1);
    assert_eq!(code(objects, &rewritten), Err(Code::TrustRefused));

    let with = |object: &str, bytes: &[u8]| KeyObject {
        object: object.to_owned(),
        bytes: bytes.to_vec(),
    };
    let more = |more: KeyObject| [objects, &[more]].concat();
    let refused = [
        more(objects[0].clone()),
        more(with("keys/1/eve-1.age", b"x")),
        more(with("packs/00/x", b"x")),
        more(with(
            "keys/1/canary.age",
            &stored.objects["keys/1/canary.age"],
        )),
        vec![with(&objects[0].object, b"other")],
        Vec::new(),
    ];
    for objects in refused {
        assert_eq!(
            code(&objects, record),
            Err(Code::TrustRefused),
            "{objects:?}"
        );
    }
    // After it was stored it is an old one.
    stored.store(added.clone());
    let late = accept(&stored.known(), added.objects, added.record).unwrap_err();
    assert!(matches!(
        late,
        NotAccepted::NotNext {
            found: 2,
            newest: 2
        }
    ));
}
