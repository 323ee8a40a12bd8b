//! Objects that are whole and well signed, and break a rule all the same.

use std::{fs, os::unix::fs::symlink, sync::Arc};

use backup_core::{
    codec::compress_frame,
    format::{Commit, RefsPack, RunEnd, layout},
    ops::{self, Verifier},
    repo::{Repository, TrustRoot, load_recipe, load_refs, unlock},
    store::Store,
};
use backup_keys::{
    Accepted, AcceptedRun, AcceptedRuns, RecordKind, Removal, RepositoryRecord, Role, SecretKey,
    TrustRecord, Writer,
};
use backup_model::{Code, Digest, Failure, Selection, Seq, Verdict};
use object_store::{ObjectStoreExt as _, memory::InMemory, path::Path};

use super::{
    pristine::{Pristine, get, name, object_ref, peek, put, sealed, store},
    support::{World, job, verify},
};

impl Pristine {
    /// Signs a record again after a change.
    async fn resign<T: RecordKind>(
        &self,
        copy: &InMemory,
        key: &str,
        by: &SecretKey,
        change: impl FnOnce(&mut T),
    ) {
        let mut value: T = peek(&get(copy, key).await);
        change(&mut value);
        self.sign(copy, key, &value, by).await;
    }

    /// Changes `etc/2`, the second of three.
    async fn recommit(&self, change: impl FnOnce(&mut Commit)) -> Arc<InMemory> {
        let copy = self.copy("").await;
        let key = layout::snapshot(&job("etc"), Seq(2));
        let by = self.world.host.key();
        self.resign(&copy, &key, by, |end: &mut RunEnd| {
            if let RunEnd::Commit(commit) = end {
                change(commit);
            }
        })
        .await;
        copy
    }

    /// Adds a second version of trust.
    async fn retrust(&self, change: impl FnOnce(&mut TrustRecord)) -> Arc<InMemory> {
        let copy = self.copy("").await;
        let first = get(&copy, &layout::trust(1)).await;
        let line = first.split_inclusive(|&b| b == b'\n').next().unwrap();
        let mut trust: TrustRecord = peek(&first);
        trust.version = 2;
        trust.prev = object_ref(line).sha256;
        change(&mut trust);
        self.sign(&copy, &layout::trust(2), &trust, &self.world.root)
            .await;
        copy
    }

    async fn open_error(&self, copy: &Arc<InMemory>) -> Failure {
        let error = self.world.open(&store(copy)).await.unwrap_err();
        Failure::from_error(error.code(), &error)
    }

    /// What a verification says of `etc/2`, and that it says so of nothing else.
    async fn fault(&self, copy: &Arc<InMemory>, verifier: &Verifier) -> Option<Failure> {
        let repository = self.world.open(&store(copy)).await.unwrap();
        let reports = verify(&repository, verifier).await.unwrap();
        let mut damaged = None;
        for report in reports {
            match report.verdict {
                Verdict::Good => {}
                Verdict::Damaged { mut faults } if report.snapshot == name("etc", 2) => {
                    damaged = faults.pop();
                }
                // It follows the record that was changed.
                Verdict::Damaged { faults } if report.snapshot == name("etc", 3) => {
                    assert!(faults[0].message.contains("does not follow"), "{faults:?}");
                }
                _ => panic!("{report:?}"),
            }
        }
        damaged
    }
}

type Change<T> = fn(&mut T);

const STORAGE: Verifier = Verifier::Storage;

#[tokio::test]
async fn a_repository_of_another_root_or_a_newer_one_does_not_open() {
    let pristine = Pristine::new().await;
    let here = store(&pristine.inner);
    let other = SecretKey::generate().unwrap();
    for (root, expected) in [
        (TrustRoot::Key(other.public().clone()), Some(&other)),
        (TrustRoot::Unknown, None),
    ] {
        let error = Repository::open(here.clone(), &root).await.unwrap_err();
        assert_eq!(error.code(), Code::NotTrusted);
        let text = error.to_string();
        assert!(
            text.contains(&pristine.world.root.public().to_string()),
            "{text}"
        );
        assert!(expected.is_none_or(|key| text.contains(&key.public().to_string())));
    }
    let newer = |record: &mut RepositoryRecord| record.format = 1;
    let copy = pristine.copy("").await;
    pristine
        .resign(&copy, layout::REPOSITORY, &pristine.world.root, newer)
        .await;
    assert_eq!(pristine.open_error(&copy).await.code, Code::RepositoryNewer);
    // Named rightly, signed by somebody else.
    let copy = pristine.copy("").await;
    pristine
        .resign(
            &copy,
            layout::REPOSITORY,
            &other,
            |_: &mut RepositoryRecord| (),
        )
        .await;
    assert_eq!(
        pristine.open_error(&copy).await.code,
        Code::RepositoryDamaged
    );
}

#[tokio::test]
async fn trust_that_breaks_a_rule_does_not_open() {
    let pristine = Pristine::new().await;
    let fine: fn(&mut TrustRecord) = |_| ();
    let changed: [(Change<TrustRecord>, &str); 4] = [
        (
            |trust| trust.writers.push(trust.writers[0].clone()),
            "two writers have one key",
        ),
        (
            |trust| trust.epochs[0].number = 2,
            "epochs are not numbered from 1",
        ),
        (|trust| trust.version = 3, "another place"),
        (|trust| trust.prev.0[0] ^= 1, "does not follow"),
    ];
    let copy = pristine.retrust(fine).await;
    assert_eq!(
        pristine
            .world
            .open(&store(&copy))
            .await
            .unwrap()
            .trust()
            .version,
        2
    );
    for (change, rule) in changed {
        let copy = pristine.retrust(change).await;
        let failure = pristine.open_error(&copy).await;
        assert_eq!(failure.code, Code::RepositoryDamaged, "{rule}");
        assert!(failure.message.contains(rule), "{failure:?}");
        assert!(failure.message.contains("trust/2.json"), "{failure:?}");
    }
    // A gap, and a record by somebody who is not root.
    let copy = pristine.retrust(fine).await;
    copy.delete(&Path::from("trust/1.json")).await.unwrap();
    assert_eq!(
        pristine.open_error(&copy).await.message,
        "the record trust/1.json is missing"
    );
    let copy = pristine.retrust(fine).await;
    let writer = pristine.world.host.key();
    pristine
        .resign(&copy, "trust/2.json", writer, |_: &mut TrustRecord| ())
        .await;
    assert_eq!(
        pristine.open_error(&copy).await.code,
        Code::RepositoryDamaged
    );
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn records_count_only_by_keys_that_may_sign_them() {
    let pristine = Pristine::new().await;
    let key = layout::snapshot(&job("etc"), Seq(2));
    let other = SecretKey::generate().unwrap();
    let public = other.public().clone();
    let add = |change: fn(&mut Writer)| {
        let key = public.clone();
        move |trust: &mut TrustRecord| {
            let mut writer = trust.writers[0].clone();
            writer.name = job("other");
            writer.key = key;
            change(&mut writer);
            trust.writers.push(writer);
        }
    };
    let record = get(&pristine.inner, &key).await;
    let digest = object_ref(record.split_inclusive(|&b| b == b'\n').next().unwrap()).sha256;
    let removed = |counts: Option<(u64, Digest)>| {
        let runs = counts.map(|(seq, digest)| AcceptedRuns {
            job: job("etc"),
            runs: vec![AcceptedRun(Seq(seq), digest)],
        });
        Removal {
            at: "2026-11-22T02:30:00Z".parse().unwrap(),
            accepted: Accepted {
                runs: runs.into_iter().collect(),
                ..Accepted::default()
            },
        }
    };
    let cases = [
        (pristine.copy("").await, Some("not trusted")),
        (pristine.retrust(add(|_| ())).await, None),
        (
            pristine.retrust(add(|w| w.roles = vec![Role::Prove])).await,
            Some("may not sign"),
        ),
        (
            pristine
                .retrust(add(|w| w.roles = vec![Role::Maintain]))
                .await,
            Some("may not sign"),
        ),
        (
            pristine
                .retrust(add(|w| w.jobs = Some(vec![job("srv")])))
                .await,
            Some("may not sign"),
        ),
        (
            pristine
                .retrust(add(|w| w.jobs = Some(vec![job("etc")])))
                .await,
            None,
        ),
        // When it is to stop does not matter to what it has signed.
        (
            pristine.retrust(add(|w| w.until = Some(w.from))).await,
            None,
        ),
    ];
    for (number, (copy, rule)) in cases.iter().enumerate() {
        pristine
            .resign(copy, &key, &other, |_: &mut RunEnd| ())
            .await;
        expect(
            pristine.fault(copy, &STORAGE).await.as_ref(),
            &key,
            *rule,
            number,
        );
    }
    for (last, rule) in [
        (None, Some("was removed")),
        (Some((1, digest)), Some("was removed")),
        (Some((2, digest)), None),
        (Some((2, Digest([0; 32]))), Some("was removed")),
    ] {
        let add = add(|_| ());
        let copy = pristine.retrust(|trust| {
            add(trust);
            trust.writers[1].removed = Some(removed(last));
        });
        let copy = copy.await;
        pristine
            .resign(&copy, &key, &other, |_: &mut RunEnd| ())
            .await;
        expect(
            pristine.fault(&copy, &STORAGE).await.as_ref(),
            &key,
            rule,
            100,
        );
    }
}

fn expect(failure: Option<&Failure>, key: &str, rule: Option<&str>, case: usize) {
    let text = failure.map(|f| format!("{} {}", f.message, f.causes.join(" ")));
    match (rule, text) {
        (None, None) => {}
        (Some(rule), Some(text)) => {
            assert!(
                text.contains(rule) && text.contains(key),
                "case {case}: {text}"
            );
        }
        (rule, text) => panic!("case {case}: {rule:?} expected: {text:?}"),
    }
}

#[tokio::test]
async fn records_that_break_the_chain_or_name_another_run_are_seen() {
    let pristine = Pristine::new().await;
    let key = layout::snapshot(&job("etc"), Seq(2));
    let changes: [(Change<Commit>, Option<&str>); 7] = [
        (|_| (), None),
        (|commit| commit.prev = None, Some("does not follow")),
        (
            |commit| commit.prev = Some(Digest([7; 32])),
            Some("does not follow"),
        ),
        (|commit| commit.seq = Seq(3), Some("of another run")),
        (|commit| commit.job = job("srv"), Some("of another run")),
        (
            |commit| commit.trust = 2,
            Some("trust/2.json, which is not there"),
        ),
        (
            |commit| commit.trust = 0,
            Some("trust/0.json, which is not there"),
        ),
    ];
    for (case, (change, rule)) in changes.into_iter().enumerate() {
        let copy = pristine.recommit(change).await;
        expect(
            pristine.fault(&copy, &STORAGE).await.as_ref(),
            &key,
            rule,
            case,
        );
    }
    // A record from far ahead: what is between is missing.
    let copy = pristine.copy("").await;
    let mut end: RunEnd = peek(&get(&copy, &key).await);
    if let RunEnd::Commit(commit) = &mut end {
        commit.seq = Seq(6);
    }
    let ahead = layout::snapshot(&job("etc"), Seq(6));
    pristine
        .sign(&copy, &ahead, &end, pristine.world.host.key())
        .await;
    let repository = pristine.world.open(&store(&copy)).await.unwrap();
    let bad = ops::list(&repository, &Selection::All).await.unwrap();
    let bad: Vec<_> = bad
        .into_iter()
        .filter_map(Result::err)
        .map(|e| e.to_string())
        .collect();
    let missing = |seq| format!("{} is missing", layout::snapshot(&job("etc"), Seq(seq)));
    assert_eq!(bad, [missing(4), missing(5)]);
}

/// A writer's key alone does not make recipe and refs right.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn recipes_and_refs_must_be_of_their_run_and_agree() {
    let pristine = Pristine::new().await;
    let data = Verifier::data(pristine.world.admin.clone());
    let repository = pristine.world.open(&store(&pristine.inner)).await.unwrap();
    let (commit, first) = (&pristine.commits[1], &pristine.commits[0]);
    let epoch = unlock(&repository, 1, &pristine.world.admin).await.unwrap();
    let recipe = load_recipe(&repository, commit, &epoch).await.unwrap();
    let spare = load_recipe(&repository, &pristine.commits[2], &epoch)
        .await
        .unwrap();
    let refs = load_refs(&repository, commit).await.unwrap();

    let copy = pristine
        .recommit(|commit| commit.recipe = first.recipe)
        .await;
    assert_eq!(pristine.fault(&copy, &STORAGE).await, None);
    let key = layout::recipe(&first.recipe.sha256);
    expect(
        pristine.fault(&copy, &data).await.as_ref(),
        &key,
        Some("of another run"),
        0,
    );
    let copy = pristine.recommit(|commit| commit.refs = first.refs).await;
    let key = layout::refs(&first.refs.sha256);
    expect(
        pristine.fault(&copy, &STORAGE).await.as_ref(),
        &key,
        Some("of another run"),
        1,
    );

    // A recipe that names a pack which it does not use: no refs agree with it.
    let unused = spare
        .packs
        .iter()
        .find(|pack| !recipe.packs.contains(pack))
        .unwrap();
    let mut recipe = recipe;
    recipe.packs.push(unused.clone());
    recipe.head.packs += 1;
    let mut refs = refs;
    refs.packs.push(RefsPack(unused.sha256, unused.size, 1));
    refs.packs.sort_by_key(|pack| pack.0);
    refs.head.packs += 1;
    let frame = compress_frame(&recipe.to_lines()).unwrap();
    let sealed = sealed(&frame, &epoch.recipient());
    let stored = compress_frame(&refs.to_lines()).unwrap();
    let (recipe_ref, refs_ref) = (object_ref(&sealed), object_ref(&stored));
    let copy = pristine.recommit(|commit| {
        commit.recipe = recipe_ref;
        commit.refs = refs_ref;
        commit.packs += 1;
        commit.bytes += unused.size;
    });
    let copy = copy.await;
    put(&copy, &layout::recipe(&recipe_ref.sha256), &sealed).await;
    let key = layout::refs(&refs_ref.sha256);
    put(&copy, &key, &stored).await;
    assert_eq!(pristine.fault(&copy, &STORAGE).await, None);
    expect(
        pristine.fault(&copy, &data).await.as_ref(),
        &key,
        Some("do not follow"),
        2,
    );

    let copy = pristine.recommit(|commit| commit.packs += 1).await;
    let key = layout::refs(&commit.refs.sha256);
    expect(
        pristine.fault(&copy, &STORAGE).await.as_ref(),
        &key,
        Some("disagree"),
        3,
    );
    let copy = pristine
        .recommit(|commit| commit.refs.size = (64 << 20) + 1)
        .await;
    expect(
        pristine.fault(&copy, &STORAGE).await.as_ref(),
        &key,
        Some("limits"),
        4,
    );
}

/// In a local folder other things than files can stand where an object was.
#[tokio::test]
async fn what_is_no_file_is_no_object() {
    type Change = fn(&std::path::Path);
    let changes: [(&str, Change); 3] = [
        ("a folder", |path| fs::create_dir(path).unwrap()),
        ("a link to nothing", |path| symlink("none", path).unwrap()),
        ("an empty device", |path| {
            symlink("/dev/null", path).unwrap();
        }),
    ];
    for (what, change) in changes {
        let folder = tempfile::tempdir().unwrap();
        let local = Store::local(folder.path()).unwrap();
        let world = World::new(&local).await;
        fs::write(world.source(&job("etc")).join("file"), "content").unwrap();
        let report = world.backup(&local, &job("etc")).await.unwrap();
        let pack = local.list(layout::PACKS).await.unwrap().remove(0).key;
        let path = folder.path().join(&pack);
        fs::remove_file(&path).unwrap();
        change(&path);
        let repository = world.open(&local).await.unwrap();
        for verifier in [Verifier::Storage, Verifier::data(world.admin.clone())] {
            let reports = verify(&repository, &verifier).await.unwrap();
            let told = format!("{:?}", reports[0].verdict);
            assert_ne!(reports[0].verdict, Verdict::Good, "{what}");
            assert!(told.contains(&pack), "{what}: {told}");
            println!("{what} in place of a pack: {told}");
        }
        let restored = world.restore(&repository, &report.snapshot).await;
        assert!(restored.is_err(), "{what}");
    }
}
