//! Somebody elsewhere, with the root key and a key of his own, changes who may read; the daemon has
//! neither, and goes by the signature.

use std::collections::BTreeMap;

use backup_keys::{
    Change, ChangeError, Identity, Known, OpensKeyFiles as _, RootSigner, SecretKey, SeenTrust,
    administrator::{Access, AdministratorIdentity, AdministratorRecipient},
    kit::{Kit, KitKey, Manual, RECOVERY_SCRIPT},
    unwrap,
};
use backup_model::{AuditQuery, Code, Failure, JobName, KitProof, Selection, SnapshotName};
use backupd_api::{
    EpochKeys, HttpService, Scope, Service as _, Task, TrustEdit, TrustMaterial, TrustService as _,
};
use tokio_util::sync::CancellationToken;

use super::fixture::{Fixture, STRANGER, request, with};
use crate::clock;

fn name(text: &str) -> JobName {
    text.parse().unwrap()
}

/// Whoever has the keys, at a program that reaches the daemon.
struct Person<'a> {
    far: &'a HttpService,
    root: SecretKey,
    seen: Option<SeenTrust>,
}

impl Person<'_> {
    fn known(&self, material: TrustMaterial) -> Known {
        let texts = (&material.repository[..], &material.trust[..]);
        let (objects, stored) = (material.objects, material.stored);
        Known::read(self.root.public(), texts, objects, stored, self.seen).unwrap()
    }

    async fn learn(&mut self) -> Known {
        let known = self.known(self.far.trust("main").await.unwrap());
        self.seen = Some(known.seen());
        known
    }

    /// Signs a change of what the daemon tells.
    async fn sign(
        &mut self,
        make: impl FnOnce(&RootSigner<'_>) -> Result<Change, ChangeError>,
    ) -> TrustEdit {
        let known = self.learn().await;
        let signer = RootSigner::new(&known, &self.root, clock::now()).unwrap();
        let change = make(&signer).unwrap();
        TrustEdit {
            objects: change.objects,
            record: change.record,
        }
    }

    async fn add(&mut self, who: &str, key: &Identity, by: &Identity) -> TrustEdit {
        let recipient = AdministratorRecipient::from(key.recipient());
        let access = Access::none();
        self.sign(|signer| signer.add_administrator(&name(who), &recipient, by, Some(key), &access))
            .await
    }

    async fn reads(&self, snapshot: &SnapshotName, key: &Identity) -> Result<usize, Code> {
        let files = self.far.key_files(&Selection::One(snapshot.clone())).await;
        let keys = EpochKeys {
            unwrapped_by: key.name(),
            identities: unwrap(&files.unwrap(), key, |_| true).unwrap(),
        };
        let detail = self.far.snapshot(snapshot, Some(&keys)).await;
        detail
            .map(|detail| detail.streams.map_or(0, |streams| streams.len()))
            .map_err(|failure| failure.code)
    }

    async fn back_up(&self) -> SnapshotName {
        let task = Task::unheard(CancellationToken::new());
        self.far.backup(&name("app"), &task).await.unwrap().snapshot
    }
}

#[tokio::test]
async fn who_is_let_in_from_afar_reads_and_who_is_put_out_does_not() {
    let fixture = Fixture::new().await;
    let (socket, _stop, _served) = fixture.serve().await;
    let far = HttpService::connect(&socket).await.unwrap();
    let mut person = Person {
        far: &far,
        root: fixture.root_key(),
        seen: None,
    };
    let first = person.back_up().await;
    let (admin, bob) = (fixture.identity(), Identity::generate());
    assert_eq!(person.reads(&first, &bob).await, Err(Code::WrongIdentity));
    let edit = person.add("bob", &bob, &admin).await;
    let added = far.change_trust("main", &edit).await.unwrap();
    assert_eq!(
        (added.trust, &added.epochs[..], added.tested),
        (2, &[1][..], true)
    );
    assert!(person.reads(&first, &bob).await.unwrap() > 0);

    // A new epoch without the first one, who is put out then.
    let (his, of_admin) = (name("bob"), name("admin"));
    let (none, access) = (BTreeMap::new(), Access::none());
    let edit = person.sign(|signer| signer.rotate((&his, &bob), Some(&of_admin), &none, &access));
    let rotated = far.change_trust("main", &edit.await).await.unwrap();
    assert_eq!(
        (&rotated.epochs[..], rotated.left_out),
        (&[2][..], vec![of_admin.clone()])
    );
    let second = person.back_up().await;
    let files = far
        .key_files(&Selection::One(second.clone()))
        .await
        .unwrap();
    assert_eq!(files[0].epoch, 2);
    assert!(person.reads(&second, &bob).await.unwrap() > 0);
    assert_eq!(
        person.reads(&second, &admin).await,
        Err(Code::WrongIdentity)
    );
    assert!(fixture.path("repo/keys/1/admin-1.age").exists());
    let edit = person.sign(|signer| signer.remove_administrator(&of_admin));
    let removed = far.change_trust("main", &edit.await).await.unwrap();
    assert_eq!(removed.left, []);
    assert!(!fixture.path("repo/keys/1/admin-1.age").exists());
    assert_eq!(person.reads(&first, &admin).await, Err(Code::WrongIdentity));
    assert!(person.reads(&first, &bob).await.unwrap() > 0);

    let page = fixture.direct.audit(&AuditQuery::default()).await.unwrap();
    let changes = page.entries.iter().filter(|it| it.action == "trust.change");
    let changes: Vec<_> = changes.map(|it| (&it.object[..], it.outcome)).collect();
    assert_eq!(changes.len(), 6, "{changes:?}");
    assert!(changes.iter().all(|(object, _)| *object == "main"));
}

#[tokio::test]
async fn what_nobody_signed_or_comes_too_late_changes_nothing() {
    let fixture = Fixture::new().await;
    let (socket, _stop, _served) = fixture.serve().await;
    let far = HttpService::connect(&socket).await.unwrap();
    let mut person = Person {
        far: &far,
        root: fixture.root_key(),
        seen: None,
    };
    let (admin, bob) = (fixture.identity(), Identity::generate());
    let edit = person.add("bob", &bob, &admin).await;
    let refused = async |edit: &TrustEdit| {
        let changed = far.change_trust("main", edit).await;
        changed.map(drop).map_err(|failure: Failure| failure.code)
    };
    let forged = TrustEdit {
        record: edit.record.replace("bob", "eve"),
        ..edit.clone()
    };
    assert_eq!(refused(&forged).await, Err(Code::NotTrusted));
    let bare = TrustEdit {
        objects: Vec::new(),
        ..edit.clone()
    };
    assert_eq!(refused(&bare).await, Err(Code::TrustRefused));
    let mut huge = edit.clone();
    huge.objects[0].bytes = vec![0; 1 << 20];
    assert_eq!(refused(&huge).await, Err(Code::TooLarge));
    let gone = far.change_trust("other", &edit).await.unwrap_err();
    assert_eq!(gone.code, Code::RepositoryMissing);
    assert_eq!(person.learn().await.trust().version, 1);
    assert!(!fixture.path("repo/keys/1/bob-1.age").exists());

    // Two at once: one is let through.
    let late = person.add("carl", &Identity::generate(), &admin).await;
    assert_eq!(refused(&edit).await, Ok(()));
    assert_eq!(refused(&late).await, Err(Code::Busy));
    assert_eq!(refused(&edit).await, Err(Code::Busy));
    assert_eq!(person.learn().await.trust().version, 2);
}

#[tokio::test]
async fn only_an_administrators_token_may_and_it_is_on_record() {
    let fixture = Fixture::new().await;
    let token = fixture.token(&[Scope::Status, Scope::Restore, Scope::Retention]);
    for (method, path, body, action) in [
        ("GET", "trust", "", None),
        ("POST", "trust", "{}", Some("trust.change")),
        ("PUT", "kit-proof", "{}", Some("kit.confirm")),
    ] {
        let path = format!("/v1/repositories/main/{path}");
        let asked = with(&token, request(method, &path, body));
        let refused = fixture.ask(STRANGER, asked).await;
        assert_eq!(
            (refused.status, &refused.body["code"]),
            (403, &"E-NOT-PERMITTED".into())
        );
        let page = fixture.direct.audit(&AuditQuery::default()).await.unwrap();
        let newest = page.entries.first().map(|entry| entry.action.as_str());
        assert_eq!(newest, action);
    }
}

#[tokio::test]
async fn a_kit_is_made_and_proved_from_afar() {
    let fixture = Fixture::new().await;
    let (socket, _stop, _served) = fixture.serve().await;
    let far = HttpService::connect(&socket).await.unwrap();
    assert!(far.keys("main").await.unwrap().kit.at_risk);
    let person = Person {
        far: &far,
        root: fixture.root_key(),
        seen: None,
    };
    let material = far.trust("main").await.unwrap();
    assert_eq!(material.bucket, None);
    let location = material.location.clone();
    let known = person.known(material);
    let text = fixture.identity().to_file_text("x");
    let owner = AdministratorIdentity::from(fixture.identity());
    let owner = known.owner(&owner).unwrap();
    let now = clock::now();
    let made = Kit::of(
        &known,
        owner,
        (location, Vec::new()),
        KitKey::Here(text),
        now,
    );
    let program = made.commands();
    let manual = Manual {
        program: &program,
        script: RECOVERY_SCRIPT,
    };
    let kit = Kit::parse(&made.to_text(manual).unwrap()).unwrap();
    let key = kit.identity(&Access::none()).unwrap();
    assert_eq!(kit.decrypt_canaries(&known, &key).unwrap(), [1]);
    assert_eq!(kit.left_out(known.trust()), [] as [u64; 0]);
    let proof = kit.confirmation(known.trust(), now).unwrap();

    for lies in [
        KitProof {
            location: "/elsewhere".to_owned(),
            ..proof.clone()
        },
        KitProof {
            administrator: name("eve"),
            ..proof.clone()
        },
        KitProof {
            added: "2020-01-01T00:00:00Z".parse().unwrap(),
            ..proof.clone()
        },
        KitProof {
            at: "2020-01-01T00:00:00Z".parse().unwrap(),
            ..proof.clone()
        },
    ] {
        let refused = far.confirm_kit("main", &lies).await.unwrap_err();
        assert_eq!(refused.code, Code::KitMismatch, "{lies:?}");
    }
    assert!(far.keys("main").await.unwrap().kit.at_risk);
    // A clock that is ahead makes it last no longer.
    let ahead = KitProof {
        at: "2999-01-01T00:00:00Z".parse().unwrap(),
        ..proof
    };
    let standing = far.confirm_kit("main", &ahead).await.unwrap();
    assert!(!standing.at_risk && standing.proved.unwrap() <= clock::now());
    assert_eq!(far.keys("main").await.unwrap().kit, standing);
}
