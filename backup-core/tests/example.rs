//! The example at the end of `doc/format.md`, and the small repository beside this file.
//!
//! Run with `UPDATE_EXAMPLES=1` to write both again: the text follows from the code, the
//! repository is made anew since what age and minisign write is random.

#[cfg(test)]
mod support;

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    use backup_core::{
        codec::seek_table,
        format::{
            Aborted, Commit, DeadRun, DeadRuns, Done, Entry, Extent, FileTime, Final, Forget, Hold,
            ListRef, Node, NodeKind, ObjectRef, Objects, PackLine, Pin, Plan, Recipe, RecipeHead,
            RecipeStream, Refs, RefsHead, RunEnd, Session, SizedDigest, StreamLine, layout,
        },
        ops::Verifier,
        pipeline::Usage,
        repo::{Repository, TrustRoot},
        store::Store,
    };
    use backup_keys::{
        Administrator, AdministratorKind, CanaryFile, Epoch, Identity, KeyFile, RepositoryRecord,
        Role, TrustRecord, Writer,
    };
    use backup_model::{
        Digest, JobName, Nonce, RepositoryId, Seq, SnapshotName, StreamKind, Verdict, Why,
    };
    use data_encoding::HEXLOWER;
    use jiff::Timestamp;
    use secrecy::{ExposeSecret as _, SecretString};
    use serde::{Serialize, de::DeserializeOwned};
    use sha2::{Digest as _, Sha256};

    use super::support::{
        World, job, verify,
        world::{read_tree, restore},
    };

    const BEGIN: &str = "<!-- example:begin -->\n";
    const END: &str = "<!-- example:end -->\n";
    const ID: RepositoryId = RepositoryId([0x0f; 16]);
    const NONCE: Nonce = Nonce([0xa1; 16]);
    const ROOT: &str = "RWQBAQEBAQEBAddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
    const WRITER: &str = "RWQCAgICAgICAj1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM";
    const RECIPIENT: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

    fn updating() -> bool {
        #[expect(
            clippy::disallowed_methods,
            reason = "who runs the tests says so by the environment"
        )]
        let asked = std::env::var_os("UPDATE_EXAMPLES");
        asked.is_some()
    }

    fn here(path: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
    }

    fn sha256(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    fn time() -> Timestamp {
        "2026-11-22T02:30:00Z".parse().unwrap()
    }

    fn line<T: Serialize>(value: &T) -> String {
        serde_json::to_string(value).unwrap() + "\n"
    }

    /// The text between the marks, written bit by bit.
    struct Text(String);

    impl Text {
        fn block(&mut self, title: &str, content: &str) {
            self.0
                .push_str(&format!("\n{title}\n\n```\n{content}```\n"));
        }

        fn record<T: Serialize>(&mut self, key: &str, value: &T) -> Digest {
            let line = line(value);
            let digest = sha256(line.as_bytes());
            self.block(
                &format!("`{key}`, line 1; its digest is `{digest}`:"),
                &line,
            );
            digest
        }
    }

    fn object(content: &str, size: u64) -> ObjectRef {
        ObjectRef {
            sha256: sha256(content.as_bytes()),
            size,
        }
    }

    fn trust(prev: Digest) -> TrustRecord {
        TrustRecord {
            repository: ID,
            version: 1,
            prev,
            created: time(),
            administrators: vec![Administrator {
                name: job("admin"),
                kind: AdministratorKind::X25519,
                recipient: Some(RECIPIENT.to_owned()),
                added: time(),
            }],
            epochs: vec![Epoch {
                number: 1,
                recipient: RECIPIENT.to_owned(),
                created: time(),
                canary: CanaryFile {
                    size: 332,
                    sha256: sha256(b"canary.age"),
                    opens_to: sha256(b"canary"),
                },
                keys: vec![KeyFile {
                    administrator: job("admin"),
                    number: 1,
                    size: 421,
                    sha256: sha256(b"admin-1.age"),
                    tested: Some(time()),
                }],
            }],
            writers: vec![Writer {
                name: job("vault01"),
                key: WRITER.parse().unwrap(),
                roles: vec![Role::Write, Role::Maintain],
                jobs: None,
                from: time(),
                until: None,
                removed: None,
            }],
        }
    }

    fn records(text: &mut Text) {
        let webui = job("webui");
        let root = text.record(
            layout::REPOSITORY,
            &RepositoryRecord {
                format: 0,
                repository: ID,
                created: time(),
                root: ROOT.parse().unwrap(),
                pack_bytes: 16 << 20,
                block_bytes: 1 << 20,
            },
        );
        text.record(&layout::trust(1), &trust(root));
        let session = Session {
            repository: ID,
            job: webui.clone(),
            seq: Seq(1),
            nonce: NONCE,
            created: time(),
            limit_secs: 86_400,
            program: "0.1.0".to_owned(),
        };
        text.record(&layout::session(&webui, Seq(1)), &session);
        let commit = Commit {
            repository: ID,
            job: webui.clone(),
            seq: Seq(1),
            prev: None,
            nonce: NONCE,
            epoch: 1,
            trust: 1,
            created: time(),
            recipe: object("recipe", 1_234),
            refs: object("refs", 321),
            packs: 2,
            bytes: 300_000,
            added_packs: 2,
            added_bytes: 300_000,
            kinds: vec!["files".to_owned()],
            complete: true,
            audit: None,
        };
        let commit = RunEnd::Commit(commit);
        let first = text.record(&layout::snapshot(&webui, Seq(1)), &commit);
        let aborted = Aborted {
            repository: ID,
            job: webui.clone(),
            seq: Seq(2),
            prev: Some(first),
            nonce: Nonce([0xa2; 16]),
            created: time(),
            reason: "E-PG-DUMP".to_owned(),
        };
        text.record(&layout::snapshot(&webui, Seq(2)), &RunEnd::Aborted(aborted));
        keeping(text, first);
    }

    /// The first run is dead, the third held; somebody reads the third while the first is pruned.
    fn keeping(text: &mut Text, first: Digest) {
        let webui = job("webui");
        let forget = Forget {
            repository: ID,
            version: 1,
            prev: None,
            created: time(),
            dead: vec![DeadRuns {
                job: webui.clone(),
                runs: vec![DeadRun(Seq(1), first, Why::Retention)],
            }],
            holds: vec![Hold {
                job: webui.clone(),
                seq: Seq(3),
                created: time(),
                reason: "asked for by the auditors".to_owned(),
            }],
        };
        text.record(&layout::forget(1), &forget);
        let pin = Pin {
            repository: ID,
            id: Nonce([0xb1; 16]),
            job: webui,
            seq: Seq(3),
            record: sha256(b"record"),
            recipe: object("another recipe", 1_234),
            refs: object("other refs", 321),
            limit_secs: 86_400,
        };
        text.record(&layout::pin(&pin.id), &pin);
        let objects = Objects {
            packs: vec![SizedDigest(sha256(b"pack"), 280_000)],
            recipes: vec![object("recipe", 1_234).into()],
            refs: vec![object("refs", 321).into()],
        };
        let plan = Plan {
            repository: ID,
            generation: 1,
            created: time(),
            candidates: objects.clone(),
        };
        let plan = text.record(&layout::plan(1), &plan);
        let last = Final {
            repository: ID,
            generation: 1,
            plan,
            created: time(),
            delete: objects,
        };
        let last = text.record(&layout::final_(1), &last);
        let done = Done {
            repository: ID,
            generation: 1,
            r#final: last,
            created: time(),
            retained: 0,
        };
        text.record(&layout::done(1), &done);
    }

    fn entries() -> Vec<Entry> {
        let moment = FileTime {
            secs: 1_795_314_600,
            nanos: 120_000_000,
        };
        let node = |path: &[u8], kind, size| Node {
            path: path.to_vec(),
            kind,
            size,
            mode: 0o600,
            uid: 0,
            gid: 0,
            mtime: moment,
            ctime: moment,
            dev: 2049,
            ino: 131_073,
        };
        let target = b"odd \xff".to_vec();
        let nodes = [
            Some((1_536, node(b"srv", NodeKind::Directory, 0))),
            Some((
                1_024,
                node(
                    b"srv/a \"b\"\n\x1b\xc3\xa4",
                    NodeKind::File { sparse: false },
                    310,
                ),
            )),
            Some((1_536, node(b"srv/link", NodeKind::Symlink { target }, 0))),
            None,
        ];
        let entry = |node: Option<(u64, Node)>| Entry {
            length: node.as_ref().map_or(1_024, |(length, _)| *length),
            sha256: sha256(&[0; 1_024]),
            node: node.map(|(_, node)| node),
        };
        nodes.into_iter().map(entry).collect()
    }

    fn streams(list: &str, count: u64) -> Vec<RecipeStream> {
        let extent = |pack, offset, length| Extent {
            pack,
            offset,
            length,
        };
        let stream = |number, kind, name: &str, length, extents: Vec<Extent>| RecipeStream {
            line: StreamLine {
                number,
                kind,
                name: name.to_owned(),
                length,
                digest: sha256(b""),
                extents: ListRef {
                    count: extents.len() as u64,
                    stream: None,
                },
                entries: None,
                facts: None,
            },
            extents: Some(extents),
            entries: None,
        };
        let length = list.len() as u64;
        let mut entries = stream(
            0,
            StreamKind::List,
            "data.tar.entries",
            length,
            vec![extent(1, 0, length)],
        );
        entries.line.digest = sha256(list.as_bytes());
        let extents = vec![extent(0, 0, 4_000), extent(0, 4_500, 1_120)];
        let mut tar = stream(1, StreamKind::Files, "data.tar", 5_120, extents);
        tar.line.entries = Some(ListRef {
            count,
            stream: Some(0),
        });
        let digests = self::entries().into_iter().flat_map(|entry| entry.sha256.0);
        tar.line.digest = sha256(&digests.collect::<Vec<_>>());
        let facts = r#"{"unreadable":0,"roots":["/srv"],"examples":[]}"#;
        tar.line.facts = serde_json::from_str(facts).unwrap();
        vec![
            entries,
            tar,
            stream(2, StreamKind::Globals, "db.globals.sql", 0, Vec::new()),
        ]
    }

    fn contents(text: &mut Text) {
        let lines: Vec<_> = entries()
            .iter()
            .map(|entry| String::from_utf8(entry.to_line()).unwrap() + "\n")
            .collect();
        let list = lines.concat();
        text.block("A list of entries, the stream `data.tar.entries`:", &list);
        let pack = |name: &str, size, plain| PackLine {
            sha256: sha256(name.as_bytes()),
            size,
            head: sha256(format!("head of {name}").as_bytes()),
            plain,
        };
        let packs = vec![
            pack("first pack", 280_000, 600_000),
            pack("second pack", 20_000, list.len() as u64),
        ];
        let streams = streams(&list, lines.len() as u64);
        let head = RecipeHead {
            repository: ID,
            job: job("webui"),
            seq: Seq(1),
            nonce: NONCE,
            epoch: 1,
            packs: packs.len() as u64,
            streams: streams.len() as u64,
        };
        let refs_head = RefsHead {
            repository: ID,
            job: job("webui"),
            seq: Seq(1),
            nonce: NONCE,
            packs: packs.len() as u64,
        };
        let mut usage = Usage::new(&std::env::temp_dir());
        for extent in streams.iter().flat_map(|s| s.extents.clone().unwrap()) {
            usage.push(extent).unwrap();
        }
        let used = usage.finish(packs.len()).unwrap();
        let refs = Refs::derive(refs_head, &packs, &used);
        let recipe = Recipe {
            head,
            packs,
            streams,
        };
        let lines = recipe.to_lines();
        assert_eq!(Recipe::parse(&lines).unwrap(), recipe);
        let title =
            "The plaintext of a recipe. The facts' keys are sorted; the last stream is empty:";
        text.block(title, std::str::from_utf8(&lines).unwrap());
        let lines = refs.to_lines();
        assert_eq!(Refs::parse(&lines).unwrap(), refs);
        text.block(
            "The plaintext of its refs:",
            std::str::from_utf8(&lines).unwrap(),
        );
        let table = HEXLOWER.encode(&seek_table(&[(1_000, 5_000), (200, 256)]));
        let title =
            "The seek table of two blocks, 1,000 and 200 bytes long, of 5,000 and 256 bytes:";
        text.block(title, &format!("{table}\n"));
    }

    #[test]
    fn the_example_of_the_format_is_what_the_code_writes() {
        let mut text = Text(String::new());
        records(&mut text);
        contents(&mut text);
        let path = here("doc/format.md");
        let document = fs::read_to_string(&path).unwrap();
        let (before, rest) = document.split_once(BEGIN).unwrap();
        let (found, after) = rest.split_once(END).unwrap();
        let written = format!("{}\n", text.0);
        if updating() {
            fs::write(&path, format!("{before}{BEGIN}{written}{END}{after}")).unwrap();
            return;
        }
        assert!(
            found == written,
            "run with UPDATE_EXAMPLES=1 and look at the difference"
        );
    }

    fn example_job() -> JobName {
        job("example")
    }

    async fn make(folder: &Path) {
        if folder.exists() {
            fs::remove_dir_all(folder).unwrap();
        }
        let objects = folder.join("objects");
        fs::create_dir_all(&objects).unwrap();
        let store = Store::local(&objects).unwrap();
        let world = World::new(&store).await;
        let name = example_job();
        let source = world.source(&name);
        fs::write(source.join("hello.txt"), "hello\n").unwrap();
        fs::create_dir(source.join("folder")).unwrap();
        world.backup(&store, &name).await.unwrap();
        fs::write(source.join("folder/more.txt"), "more\n").unwrap();
        let report = world.backup(&store, &name).await.unwrap();
        let repository = world.open(&store).await.unwrap();
        let restored = world.restore(&repository, &report.snapshot).await.unwrap();
        assert_eq!(restored, world.tree(&name));
        fs::write(
            folder.join("root.pub"),
            format!("{}\n", world.root.public()),
        )
        .unwrap();
        let key = world
            .admin
            .to_file_text("administrator of the example: opens nothing else");
        fs::write(folder.join("admin.key"), key.expose_secret()).unwrap();
    }

    #[tokio::test]
    async fn the_stored_example_opens_verifies_and_restores() {
        let folder = here("tests/example-repository");
        if updating() {
            make(&folder).await;
        }
        let root = fs::read_to_string(folder.join("root.pub")).unwrap();
        let root = TrustRoot::Key(root.trim().parse().unwrap());
        let key = fs::read_to_string(folder.join("admin.key")).unwrap();
        let identity = Identity::from_file_text(&SecretString::from(key)).unwrap();
        let store = Store::local(&folder.join("objects")).unwrap();
        let repository = Repository::open(store, &root).await.unwrap();
        let reports = verify(&repository, &Verifier::data(identity.clone()))
            .await
            .unwrap();
        assert_eq!(reports.len(), 2);
        assert!(reports.iter().all(|report| report.verdict == Verdict::Good));
        for (seq, expected) in [(1, vec!["hello"]), (2, vec!["hello", "more"])] {
            let snapshot = SnapshotName {
                job: example_job(),
                seq: Seq(seq),
            };
            let target = tempfile::tempdir().unwrap();
            let target = target.path().join("restored");
            restore(&repository, &identity, &snapshot, &target)
                .await
                .unwrap();
            let found: Vec<_> = contents_of(&target);
            let expected: Vec<_> = expected.iter().map(|word| format!("{word}\n")).collect();
            assert_eq!(found, expected);
        }
    }

    /// The contents of all files, sorted.
    fn contents_of(folder: &Path) -> Vec<String> {
        let tree = read_tree(folder);
        let mut found: Vec<_> = tree
            .into_values()
            .filter_map(|(_, _, content)| content)
            .map(|content| String::from_utf8(content).unwrap())
            .collect();
        found.sort();
        found
    }

    #[test]
    fn the_stored_example_is_spelled_as_the_code_spells_it() {
        if updating() {
            return; // It is being written.
        }
        let objects = here("tests/example-repository/objects");
        let mut kinds = 0;
        for (path, (_, _, content)) in read_tree(&objects) {
            let Some(bytes) = content else { continue };
            let name = path.to_str().unwrap();
            let text = String::from_utf8_lossy(&bytes);
            let first = text.split_inclusive('\n').next().unwrap();
            let again = match name.split('/').next().unwrap() {
                "repository.json" => again::<RepositoryRecord>(first),
                "trust" => again::<TrustRecord>(first),
                "sessions" => again::<Session>(first),
                "snapshots" => again::<RunEnd>(first),
                "packs" | "recipes" | "refs" => {
                    assert!(name.contains(&sha256(&bytes).to_string()), "{name}");
                    continue;
                }
                folder => {
                    assert_eq!(folder, "keys");
                    continue;
                }
            };
            assert_eq!(again, first, "{name}");
            kinds += 1;
        }
        assert_eq!(kinds, 6);
    }

    fn again<T: Serialize + DeserializeOwned>(first: &str) -> String {
        line(&serde_json::from_str::<T>(first).unwrap())
    }
}
