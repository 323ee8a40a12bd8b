//! The damage matrix: each kind of object, damaged in each way, then each operation.
//!
//! The table in [`tests::KINDS`] says what each operation must make of a damaged object of a kind.
//! Beyond it: no panic, no wrong byte restored, snapshots that do not name the object stay good,
//! and the object stands in the message.

#[cfg(test)]
mod support;

#[cfg(test)]
#[expect(clippy::print_stdout, reason = "the figures are the point")]
mod tests {
    use std::{collections::BTreeSet, fs, os::unix::fs::symlink, sync::Arc};

    use backup_core::{
        codec::compress_frame,
        crypt::Sealer,
        format::{Commit, ObjectRef, RefsPack, RunEnd, layout},
        ops::{self, OpError, Verifier},
        repo::{Repository, TrustRoot, load_recipe, load_refs, unlock},
        store::Store,
    };
    use backup_keys::{
        Accepted, AcceptedRun, AcceptedRuns, Record, RecordKind, Removal, RepositoryRecord, Role,
        SecretKey, TrustRecord, Writer,
    };
    use backup_model::{Code, Digest, End, Failure, Selection, Seq, SnapshotName, Verdict};
    use bytes::Bytes;
    use futures::TryStreamExt as _;
    use object_store::{
        ObjectStore, ObjectStoreExt as _, PutPayload, memory::InMemory, path::Path,
    };
    use serde::de::DeserializeOwned;
    use sha2::{Digest as _, Sha256};

    use super::support::{World, job, verify, world::Tree};

    /// What an operation says of a snapshot that names the damaged object.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Says {
        /// All well: this operation does not look at such objects.
        Fine,
        /// One of these codes.
        Codes(&'static [Code]),
        /// The run has no end: nothing to verify, nothing to restore.
        NoEnd,
    }
    use Says::{Codes, Fine, NoEnd};

    /// What each operation says.
    #[derive(Clone, Copy, Debug)]
    struct Row {
        open: Says,
        list: Says,
        storage: Says,
        data: Says,
        restore: Says,
    }

    const FINE: Row = Row {
        open: Fine,
        list: Fine,
        storage: Fine,
        data: Fine,
        restore: Fine,
    };
    const DAMAGED: Says = Codes(&[Code::Damaged]);
    const RECORD: Says = Codes(&[Code::RepositoryDamaged]);
    /// Nothing can be done with a repository that does not open.
    const CLOSED: Row = Row {
        open: RECORD,
        ..FINE
    };
    /// A changed first line may name another key or a newer format before anything is proven.
    const ROOT: Row = Row {
        open: Codes(&[
            Code::RepositoryDamaged,
            Code::RepositoryNewer,
            Code::NotTrusted,
        ]),
        ..FINE
    };
    const BAD_RECORD: Row = Row {
        open: Fine,
        list: RECORD,
        storage: RECORD,
        data: RECORD,
        restore: RECORD,
    };
    const NO_RECORD: Row = Row {
        open: Fine,
        list: DAMAGED,
        storage: DAMAGED,
        data: DAMAGED,
        restore: DAMAGED,
    };

    /// A kind of object: which one stands for it, what is said when it is missing, and what when
    /// it is there but not as it was.
    #[derive(Debug)]
    struct Kind {
        name: &'static str,
        missing: Row,
        changed: Row,
    }

    /// Storage needs no key, and looks at what a snapshot names: record, recipe, refs, packs. Key
    /// files are named by trust, and first looked at by who brings an identity; canaries only when
    /// keys are tested. A session's end makes it history that nothing reads again.
    const KINDS: [Kind; 12] = [
        Kind {
            name: "repository.json",
            missing: Row {
                open: Codes(&[Code::NotARepository]),
                ..FINE
            },
            changed: ROOT,
        },
        Kind {
            name: "trust",
            missing: CLOSED,
            changed: CLOSED,
        },
        Kind {
            name: "key file",
            missing: Row {
                data: DAMAGED,
                restore: DAMAGED,
                ..FINE
            },
            changed: Row {
                data: RECORD,
                restore: RECORD,
                ..FINE
            },
        },
        Kind {
            name: "canary",
            missing: FINE,
            changed: FINE,
        },
        Kind {
            name: "session with an end",
            missing: FINE,
            changed: FINE,
        },
        Kind {
            name: "session without an end",
            // Nobody can tell that there ever was such a run.
            missing: FINE,
            changed: BAD_RECORD,
        },
        Kind {
            name: "first record",
            missing: NO_RECORD,
            changed: BAD_RECORD,
        },
        Kind {
            name: "middle record",
            missing: NO_RECORD,
            changed: BAD_RECORD,
        },
        Kind {
            name: "newest record",
            // With its session it looks like a run that died. Only proofs, kept elsewhere, tell.
            missing: Row {
                open: Fine,
                list: NoEnd,
                storage: NoEnd,
                data: NoEnd,
                restore: NoEnd,
            },
            changed: BAD_RECORD,
        },
        Kind {
            name: "recipe",
            missing: Row {
                list: Fine,
                ..NO_RECORD
            },
            changed: Row {
                list: Fine,
                ..NO_RECORD
            },
        },
        Kind {
            name: "refs",
            // The recipe has all that a restore needs.
            missing: Row {
                list: Fine,
                restore: Fine,
                ..NO_RECORD
            },
            changed: Row {
                list: Fine,
                restore: Fine,
                ..NO_RECORD
            },
        },
        Kind {
            name: "pack",
            missing: Row {
                list: Fine,
                ..NO_RECORD
            },
            changed: Row {
                list: Fine,
                ..NO_RECORD
            },
        },
    ];

    /// A repository as it should be, to be copied and damaged.
    struct Pristine {
        world: World,
        inner: Arc<InMemory>,
        trees: Vec<(SnapshotName, Tree)>,
        /// Commits, in the order of `trees`.
        commits: Vec<Commit>,
        /// Objects that a snapshot is put together from: its packs.
        packs: Vec<BTreeSet<String>>,
    }

    fn store(inner: &Arc<InMemory>) -> Store {
        let inner: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(inner);
        Store::new(inner, "memory".to_owned())
    }

    async fn put(inner: &InMemory, key: &str, bytes: &[u8]) {
        let payload = PutPayload::from_bytes(Bytes::copy_from_slice(bytes));
        inner.put(&Path::from(key), payload).await.unwrap();
    }

    async fn get(inner: &InMemory, key: &str) -> Bytes {
        let read = inner.get(&Path::from(key)).await.unwrap();
        read.bytes().await.unwrap()
    }

    async fn keys(inner: &InMemory, folder: &str) -> Vec<String> {
        let listed = inner.list(Some(&Path::from(folder)));
        let listed: Vec<_> = listed.try_collect().await.unwrap();
        let mut keys: Vec<_> = listed.iter().map(|o| o.location.to_string()).collect();
        keys.sort();
        keys
    }

    fn name(job_name: &str, seq: u64) -> SnapshotName {
        SnapshotName {
            job: job(job_name),
            seq: Seq(seq),
        }
    }

    fn bytes(seed: u8, len: usize) -> Vec<u8> {
        let mut state = u32::from(seed) + 1;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_le_bytes()[3]
        };
        std::iter::repeat_with(next).take(len).collect()
    }

    impl Pristine {
        /// Two jobs: `etc` with three snapshots, `srv` with one.
        async fn new() -> Self {
            let inner = Arc::new(InMemory::new());
            let world = World::new(&store(&inner)).await;
            let mut trees = Vec::new();
            for (job_name, seq) in [("etc", 1u8), ("etc", 2), ("srv", 1), ("etc", 3)] {
                let source = world.source(&job(job_name));
                let text = bytes(seq, 900);
                fs::write(source.join(format!("file{seq}")), text).unwrap();
                let report = world.backup(&store(&inner), &job(job_name)).await.unwrap();
                assert_eq!(report.snapshot, name(job_name, seq.into()));
                trees.push((report.snapshot, world.tree(&job(job_name))));
            }
            trees.sort_by_key(|(name, _)| (name.job.clone(), name.seq));
            let mut pristine = Self {
                world,
                inner,
                trees,
                commits: Vec::new(),
                packs: Vec::new(),
            };
            pristine.learn().await;
            pristine
        }

        async fn learn(&mut self) {
            let repository = self.world.open(&store(&self.inner)).await.unwrap();
            for (name, _) in &self.trees {
                let end = repository.run_end(&name.job, name.seq).await.unwrap();
                let commit = end.unwrap().commit().unwrap().clone();
                let refs = load_refs(&repository, &commit).await.unwrap();
                let packs = refs.packs.iter().map(|pack| layout::pack(&pack.0));
                self.packs.push(packs.collect());
                self.commits.push(commit);
            }
        }

        /// The object that stands for a kind, and the snapshots that need it.
        fn object(&self, kind: &str) -> (String, BTreeSet<SnapshotName>) {
            let one = |name: SnapshotName| [name].into_iter().collect();
            let all: BTreeSet<_> = self.trees.iter().map(|(name, _)| name.clone()).collect();
            let etc = job("etc");
            let record = |seq| (layout::snapshot(&etc, Seq(seq)), one(name("etc", seq)));
            match kind {
                "repository.json" => (layout::REPOSITORY.to_owned(), all),
                "trust" => (layout::trust(1), all),
                "key file" => (layout::key_file(1, &job("admin"), 1), all),
                "canary" => (layout::canary(1), all),
                "session with an end" => (layout::session(&etc, Seq(2)), one(name("etc", 2))),
                "session without an end" => (layout::session(&etc, Seq(4)), one(name("etc", 4))),
                "first record" => record(1),
                "middle record" => record(2),
                "newest record" => record(3),
                "recipe" => (
                    layout::recipe(&self.commits[1].recipe.sha256),
                    one(name("etc", 2)),
                ),
                "refs" => (
                    layout::refs(&self.commits[1].refs.sha256),
                    one(name("etc", 2)),
                ),
                _ => {
                    let pack = self.packs[1].intersection(&self.packs[2]).next().unwrap();
                    let users = self.trees.iter().zip(&self.packs);
                    let users = users.filter(|(_, packs)| packs.contains(pack));
                    (
                        pack.clone(),
                        users.map(|((name, _), _)| name.clone()).collect(),
                    )
                }
            }
        }

        /// A copy, in which a fourth run of `etc` has begun if the kind asks for one.
        async fn copy(&self, kind: &str) -> Arc<InMemory> {
            let copy = Arc::new(self.inner.fork());
            if kind == "session without an end" {
                let session = get(&copy, &layout::session(&job("etc"), Seq(3))).await;
                let mut session: backup_core::format::Session = peek(&session);
                session.seq = Seq(4);
                let key = layout::session(&job("etc"), Seq(4));
                self.sign(&copy, &key, &session, self.world.host.key())
                    .await;
            }
            copy
        }

        async fn sign<T: RecordKind>(&self, to: &InMemory, key: &str, value: &T, by: &SecretKey) {
            let id = self.commits[0].repository;
            put(to, key, &Record::sign(value, id, key, by).unwrap()).await;
        }

        /// Runs all operations and compares what they say with the row.
        async fn examine(&self, inner: &Arc<InMemory>, case: &Case<'_>) {
            let repository = match self.world.open(&store(inner)).await {
                Ok(repository) => {
                    assert_eq!(case.row.open, Fine, "{case:?} opened");
                    repository
                }
                Err(error) => {
                    let error = OpError::from(error).to_failure();
                    return case.expect("open", case.row.open, Some(&error));
                }
            };
            self.list(&repository, case).await;
            let data = Verifier::data(self.world.admin.clone());
            for (what, says, verifier) in [
                ("storage", case.row.storage, Verifier::Storage),
                ("data", case.row.data, data),
            ] {
                self.verify(&repository, case, (what, says), &verifier)
                    .await;
            }
            let target = case.snapshots.iter().find(|s| self.tree(s).is_some());
            let Some(target) = target else { return };
            match self.world.restore(&repository, target).await {
                Ok(tree) => {
                    assert_eq!(Some(&tree), self.tree(target), "{case:?}: wrong bytes");
                    case.expect("restore", case.row.restore, None);
                }
                Err(error) if case.row.restore == NoEnd => {
                    assert_eq!(error.code(), Code::NoSnapshot, "{case:?}");
                }
                Err(error) => case.expect("restore", case.row.restore, Some(&error.to_failure())),
            }
        }

        fn tree(&self, snapshot: &SnapshotName) -> Option<&Tree> {
            let found = self.trees.iter().find(|(name, _)| name == snapshot);
            found.map(|(_, tree)| tree)
        }

        async fn list(&self, repository: &Repository, case: &Case<'_>) {
            let runs = ops::list(repository, &Selection::All).await.unwrap();
            let bad: Vec<_> = runs.iter().filter_map(|run| run.as_ref().err()).collect();
            let open = runs.iter().flatten().find(|run| run.end == End::Open);
            match case.row.list {
                Fine => assert!(bad.is_empty(), "{case:?}: {bad:?}"),
                NoEnd => assert_eq!(
                    open.map(|run| &run.snapshot),
                    case.snapshots.first(),
                    "{case:?}"
                ),
                Codes(_) => {
                    assert_eq!(bad.len(), 1, "{case:?}: {bad:?}");
                    let failure = Failure::from_error(bad[0].code(), bad[0]);
                    case.expect("list", case.row.list, Some(&failure));
                }
            }
        }

        async fn verify(
            &self,
            repository: &Repository,
            case: &Case<'_>,
            (what, says): (&str, Says),
            verifier: &Verifier,
        ) {
            let reports = verify(repository, verifier).await;
            let reports = reports.unwrap_or_else(|error| panic!("{case:?}: {what}: {error:?}"));
            let damaged = reports.iter().filter(|r| r.verdict != Verdict::Good);
            let damaged: BTreeSet<_> = damaged.map(|r| r.snapshot.clone()).collect();
            let reported = reports
                .iter()
                .filter(|r| case.snapshots.contains(&r.snapshot));
            let reported: Vec<_> = reported.collect();
            match says {
                Fine => assert!(damaged.is_empty(), "{case:?}: {what}: {reports:?}"),
                NoEnd => assert!(
                    reported.is_empty() && damaged.is_empty(),
                    "{case:?}: {what}"
                ),
                Codes(_) => {
                    assert_eq!(&damaged, case.snapshots, "{case:?}: {what}");
                    for report in reported {
                        let Verdict::Damaged { faults } = &report.verdict else {
                            panic!("{case:?}: {what}: {report:?}");
                        };
                        assert_eq!(faults.len(), 1, "{case:?}: {what}: {faults:?}");
                        case.expect(what, says, faults.first());
                    }
                }
            }
        }
    }

    /// One damage.
    #[derive(Debug)]
    struct Case<'a> {
        kind: &'a str,
        action: String,
        key: &'a str,
        snapshots: &'a BTreeSet<SnapshotName>,
        row: Row,
    }

    impl Case<'_> {
        fn expect(&self, what: &str, says: Says, failure: Option<&Failure>) {
            let context = format!("{what} of {} ({}): {failure:?}", self.kind, self.action);
            match (says, failure) {
                (Fine, None) => {}
                (Codes(codes), Some(failure)) => {
                    assert!(codes.contains(&failure.code), "{context}");
                    let told = format!("{} {}", failure.message, failure.causes.join(" "));
                    // These speak of the repository as a whole.
                    let whole = [
                        Code::NotARepository,
                        Code::NotTrusted,
                        Code::RepositoryNewer,
                    ];
                    let named = told.contains(self.key) || whole.contains(&failure.code);
                    assert!(named, "{context}: does not name {}", self.key);
                }
                _ => panic!("{context}: {says:?} expected"),
            }
        }
    }

    fn peek<T: RecordKind + DeserializeOwned>(record: &[u8]) -> T {
        let line = record.split(|&b| b == b'\n').next().unwrap();
        serde_json::from_slice(line).unwrap()
    }

    fn sealed(plain: &[u8], recipient: &backup_keys::Recipient) -> Vec<u8> {
        let mut sealer = Sealer::new(recipient, 0).unwrap();
        sealer.write(plain).unwrap();
        sealer.finish().unwrap().bytes
    }

    fn object_ref(bytes: &[u8]) -> ObjectRef {
        ObjectRef {
            sha256: Digest(Sha256::digest(bytes).into()),
            size: bytes.len() as u64,
        }
    }

    /// The object in all the ways that it can be there and wrong.
    async fn changes(pristine: &Pristine, kind: &str, key: &str) -> Vec<(String, Vec<u8>)> {
        let copy = pristine.copy(kind).await;
        let whole = get(&copy, key).await.to_vec();
        let len = whole.len();
        let mut changes = vec![
            ("empty".to_owned(), Vec::new()),
            ("a trailing byte".to_owned(), [&whole[..], b"\n"].concat()),
            ("doubled".to_owned(), whole.repeat(2)),
        ];
        for cut in [1, len / 4, len / 2, len - 17, len - 2, len - 1] {
            changes.push((format!("cut to {cut}"), whole[..cut].to_vec()));
        }
        let step = (len / 40).max(1);
        for (turn, at) in (0..len).step_by(step).chain([len - 1]).enumerate() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (turn % 8);
            changes.push((format!("bit {} of byte {at} flipped", turn % 8), flipped));
        }
        // Others of its kind, from here and from another repository.
        let folder = key.split('/').next().unwrap();
        for other in keys(&pristine.inner, folder).await {
            let found = get(&pristine.inner, &other).await;
            if found != whole {
                changes.push((format!("swapped with {other}"), found.to_vec()));
            }
        }
        let repository = pristine.world.open(&store(&pristine.inner)).await.unwrap();
        let (_, recipient) = repository.current_epoch().unwrap();
        let text = compress_frame(b"well encrypted, of no use\n").unwrap();
        changes.push(("encrypted anew".to_owned(), sealed(&text, &recipient)));
        changes
    }

    #[tokio::test]
    async fn damage_is_seen_where_it_is_promised_and_named() {
        let pristine = Pristine::new().await;
        let stranger = Pristine::new().await;
        let mut cases = 0;
        for kind in &KINDS {
            let (key, snapshots) = pristine.object(kind.name);
            let case = |action: &str, row| Case {
                kind: kind.name,
                action: action.to_owned(),
                key: &key,
                snapshots: &snapshots,
                row,
            };
            let copy = pristine.copy(kind.name).await;
            pristine
                .examine(
                    &copy,
                    &case(
                        "left alone",
                        match kind.name {
                            "session without an end" => Row {
                                list: NoEnd,
                                storage: NoEnd,
                                data: NoEnd,
                                ..FINE
                            },
                            _ => FINE,
                        },
                    ),
                )
                .await;
            copy.delete(&Path::from(key.as_str())).await.unwrap();
            pristine
                .examine(&copy, &case("missing", kind.missing))
                .await;
            cases += 2;
            let mut changes = changes(&pristine, kind.name, &key).await;
            let (other, _) = stranger.object(kind.name);
            let foreign = stranger.copy(kind.name).await;
            changes.push((
                "of another repository".to_owned(),
                get(&foreign, &other).await.to_vec(),
            ));
            for (action, bytes) in changes {
                let copy = pristine.copy(kind.name).await;
                put(&copy, &key, &bytes).await;
                pristine.examine(&copy, &case(&action, kind.changed)).await;
                cases += 1;
            }
        }
        println!(
            "damage matrix: {} kinds, {cases} cases, 5 operations each",
            KINDS.len()
        );
        assert!(cases > 500);
    }

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
}
