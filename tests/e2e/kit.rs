//! Recovery kits: made, proved, and then alone on a bare machine, where the commands that the kit
//! itself says restore everything, with our program and without.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use backup_keys::{
    AdministratorKind, CanaryFile, Edit, NewAdministrator, NewEpoch, NewKeyFile, NewKeys, Record,
    SecretKey, TrustRecord,
    administrator::{Access, AdministratorRecipient},
};
use backup_model::{Digest, JobName};
use sha2::{Digest as _, Sha256};

use crate::{
    program::{PATH, Ran, clean, need},
    tree::Tree,
    world::{JOB, World},
};

/// A passphrase that is somebody's only key.
const PASSPHRASE: &str = "tyrant-oboe-47-lichen";

impl World {
    /// Makes a kit with the administrator's identity and gives its path.
    pub(crate) fn kit(&self) -> String {
        let kit = self.path("kit.txt");
        self.as_admin(&["kit", "create", "--out", &kit]).expect(0);
        kit
    }

    /// A home without anything but a kit, on a machine that has nothing else of the repository.
    pub(crate) fn bare(&self, kit: &str) -> PathBuf {
        let home = self.dir.join("bare");
        fs::create_dir_all(home.join("bin")).unwrap();
        fs::rename(kit, home.join("kit.txt")).unwrap();
        for gone in ["keys", "state"] {
            fs::remove_dir_all(self.dir.join(gone)).unwrap();
        }
        fs::remove_file(self.dir.join("config.toml")).unwrap();
        home
    }

    /// Runs commands on the bare machine, with `path` to look for programs.
    fn on_bare(&self, home: &Path, path: &str, commands: &str) -> Ran {
        let mut shell = clean(Path::new("/bin/sh"));
        shell.args(["-eu", "-c", commands]);
        shell.env("HOME", home).env("PATH", path).current_dir(home);
        // The plan of a restore wants a yes.
        shell.env("BACKUPCTL_YES", "1");
        self.run(shell)
    }

    /// A file that only its owner can read.
    pub(crate) fn private(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// What was written down of a proof.
    fn confirmed(&self) -> Option<serde_json::Value> {
        let mut state = fs::read_dir(self.dir.join("state")).unwrap();
        let text = state.find_map(|entry| {
            let proof = entry.unwrap().path().join("kit.json");
            fs::read_to_string(proof).ok()
        })?;
        Some(serde_json::from_str(&text).unwrap())
    }
}

/// The commands that stand in a kit below a line, with what they leave open filled in.
pub(crate) fn commands(kit: &Path, below: &str, words: &[(&str, &str)]) -> String {
    let text = fs::read_to_string(kit).unwrap();
    let lines = text.lines().skip_while(|line| !line.contains(below));
    let lines = lines.skip(1).take_while(|line| *line != "#");
    let lines = lines.take_while(|line| line.starts_with('#'));
    let filled = lines.map(|line| {
        let line = line.trim_start_matches(['#', ' ']);
        let numbered = line.split_once(". ").filter(|(n, _)| n.len() == 1);
        let filled = numbered.map_or(line, |(_, rest)| rest).split(' ');
        let filled = filled.map(|word| {
            let open = words.iter().find(|(open, _)| *open == word);
            open.map_or(word, |(_, filled)| filled)
        });
        filled.collect::<Vec<_>>().join(" ")
    });
    filled.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_kit_is_made_and_proved_and_nothing_secret_shown() {
    let world = World::new();
    let kit = world.kit();
    let mode = fs::metadata(&kit).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = fs::read_to_string(&kit).unwrap();
    assert!(text.contains(" key AGE-SECRET-KEY-1"));
    assert!(text.contains(&format!(" root {} ", world.trust)));

    assert_eq!(world.confirmed(), None);
    let at_risk = || {
        let keys = world.backupctl(&["--json", "key", "list"]).expect(0);
        keys.message("keys")["kit"]["at_risk"].clone()
    };
    assert_eq!(at_risk(), true);
    let proved = world.backupctl(&["--json", "kit", "confirm", &kit]);
    let proved = proved.expect(0).message("kit-confirm");
    assert_eq!(proved["opens"], serde_json::json!([1]));
    assert_eq!(proved["left_out"], serde_json::json!([]));
    let written = world.confirmed().unwrap();
    for (name, value) in [
        ("at", &proved["at"]),
        ("repository", &proved["id"]),
        ("location", &world.path("repo").into()),
        ("administrator", &"admin".into()),
    ] {
        assert_eq!(&written[name], value, "{name}");
    }

    assert_eq!(at_risk(), false);

    let page = world.path("kit.html");
    world.backupctl(&["kit", "print", &kit]).expect(0);
    let html = fs::read_to_string(&page).unwrap();
    assert!(html.contains("<svg") && html.contains(" key AGE-SECRET-KEY-1"));
    let mode = fs::metadata(&page).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = world.backupctl(&["kit", "print", &kit]).expect(17);
    assert!(again.stderr.contains("[E-TARGET-NOT-EMPTY]"));
    assert_eq!(fs::read_to_string(&page).unwrap(), html);
    world.as_admin(&["kit", "create", "--out", &kit]).expect(17);
    assert_eq!(fs::read_to_string(&kit).unwrap(), text);

    // A stick may know no owners: that is told, and the kit counts.
    fs::set_permissions(&kit, fs::Permissions::from_mode(0o644)).unwrap();
    let said = world.backupctl(&["kit", "confirm", &kit]).expect(3);
    assert!(said.stderr.contains("mode 0644"), "{}", said.stderr);
}

#[test]
fn a_kit_alone_restores_with_backupctl_on_a_bare_machine() {
    let world = World::new();
    world.backup();
    let src = Tree::of(&world.dir.join("src"));
    let dump = world.as_admin(&["cat", JOB, "app.dump"]).expect(0).stdout;
    let home = world.bare(&world.kit());
    fs::remove_dir_all(world.dir.join("src")).unwrap();
    symlink(world.program(), home.join("bin/backupctl")).unwrap();
    let path = format!("{}:{PATH}", home.join("bin").display());

    let proved = world.on_bare(&home, &path, "backupctl --json kit confirm kit.txt");
    let proved = proved.expect(0).message("kit-confirm");
    assert_eq!(proved["written"], serde_json::Value::Null);

    let words = [
        ("KIT", "kit.txt"),
        ("JOB/NUMBER", "app/1"),
        ("DIR", "out"),
        ("STREAM", "app.dump"),
        ("FILE", "dump"),
    ];
    let commands = commands(&home.join("kit.txt"), "With backupd", &words);
    assert!(commands.contains("backupctl restore app/1"), "{commands}");
    world.on_bare(&home, &path, &commands).expect(0);
    let inside = world.dir.strip_prefix("/").unwrap().join("src");
    src.assert_same(&Tree::of(&home.join("out").join(inside)));
    assert!(
        fs::read(home.join("dump")).unwrap() == dump,
        "app.dump differs"
    );
}

#[test]
fn a_kit_alone_restores_with_stock_tools_on_a_bare_machine() {
    for program in ["age", "zstd", "minisign", "sha256sum", "python3", "sed"] {
        need(program);
    }
    let world = World::new();
    world.backup();
    let streams = ["app.dump", "app.globals.sql", "config.tar"];
    let ours = streams.map(|stream| world.as_admin(&["cat", JOB, stream]).expect(0).stdout);
    let home = world.bare(&world.kit());
    let repo = world.path("repo");
    for (stream, ours) in streams.into_iter().zip(ours) {
        let words = [
            ("KIT", "kit.txt"),
            ("REPO", &repo[..]),
            ("JOB/NUMBER", "app/1"),
            ("STREAM", stream),
            ("FILE", stream),
        ];
        let commands = commands(&home.join("kit.txt"), "1. copy the repository", &words);
        assert!(commands.contains("sh restore.sh restore"), "{commands}");
        let ran = world.on_bare(&home, PATH, &commands).expect(0);
        assert!(ran.text().contains("app/000001"), "{}", ran.text());
        assert!(
            fs::read(home.join(stream)).unwrap() == ours,
            "{stream} differs"
        );
    }
}

#[test]
fn an_identity_that_a_passphrase_locks_stays_locked_in_the_kit() {
    let world = World::new();
    let plain = fs::read(world.identity()).unwrap();
    let mut recipient = age::scrypt::Recipient::new(PASSPHRASE.into());
    recipient.set_work_factor(10);
    let locked = age::encrypt_and_armor(&recipient, &plain).unwrap();
    let identity = world.private("locked.key", &locked);
    let phrase = world.private("phrase", PASSPHRASE);
    let kit = world.path("kit.txt");
    let with = ["--passphrase-file", &phrase];
    let create = ["kit", "create", "--identity", &identity, "--out", &kit];
    let said = world.backupctl(&create).expect(12).stderr;
    assert!(said.contains("--passphrase-file"), "{said}");
    world.backupctl(&[&create[..], &with].concat()).expect(0);
    let text = fs::read_to_string(&kit).unwrap();
    assert!(text.contains(" key -----BEGIN AGE ENCRYPTED FILE-----"));
    assert!(text.contains("age -d -o admin.key locked.age"));
    assert!(!text.contains("AGE-SECRET-KEY-1") && !text.contains(PASSPHRASE));

    let confirm = ["kit", "confirm", &kit];
    world.backupctl(&confirm).expect(12);
    assert_eq!(world.confirmed(), None);
    world.backupctl(&[&confirm[..], &with].concat()).expect(0);
    let words = [("KIT", &kit[..])];
    let commands = commands(Path::new(&kit), "2. umask", &words);
    let take = commands
        .lines()
        .next()
        .unwrap()
        .replace("admin.key", "locked.age");
    world.on_bare(&world.dir, PATH, &take).expect(0);
    let taken = fs::read_to_string(world.dir.join("locked.age")).unwrap();
    assert_eq!(taken.trim(), locked.trim());
}

#[test]
fn every_bad_line_is_named_and_none_is_shown() {
    let world = World::new();
    let kit = world.kit();
    let text = fs::read_to_string(&kit).unwrap();
    let number = |what: &str| 1 + text.lines().position(|line| line.contains(what)).unwrap();
    let (root, key) = (number(" root RW"), number(" key AGE"));
    let bad = text.replace(" root RW", " root RX");
    fs::write(&kit, bad.replace(" key AGE-", " key AGE_")).unwrap();
    for command in ["confirm", "print"] {
        let said = world.backupctl(&["kit", command, &kit]).expect(12).stderr;
        for line in [root, key] {
            let named = format!("line {line}: its check does not hold");
            assert!(said.contains(&named), "{said}");
        }
        assert!(!said.contains("AGE_SECRET"), "{said}");
        assert!(said.contains("[E-KIT-INVALID]"), "{said}");
    }
    assert_eq!(world.confirmed(), None);
    assert!(!Path::new(&world.path("kit.html")).exists());
}

/// The trust of a world, changed as an administrator would.
struct Administrator<'a> {
    world: &'a World,
    root: SecretKey,
    trust: TrustRecord,
    last: Digest,
}

fn digest(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

impl<'a> Administrator<'a> {
    fn of(world: &'a World) -> Self {
        let root = fs::read_to_string(world.dir.join("keys/root.key")).unwrap();
        let root = SecretKey::from_file_text(&root.into()).unwrap();
        let bytes = fs::read(world.dir.join("repo/trust/1.json")).unwrap();
        let (record, trust) = Record::parse_root(&bytes, "trust/1.json", |trust: &TrustRecord| {
            trust.repository
        })
        .unwrap();
        Self {
            world,
            root,
            trust,
            last: record.digest(),
        }
    }

    fn edit(&self) -> Edit {
        Edit {
            prev: self.last,
            now: self.trust.created,
        }
    }

    fn store(&mut self, next: TrustRecord) {
        let key = format!("trust/{}.json", next.version);
        let bytes = Record::sign(&next, next.repository, &key, &self.root).unwrap();
        fs::write(self.world.dir.join("repo").join(&key), &bytes).unwrap();
        let record = Record::parse(&bytes, next.repository, &key).unwrap();
        self.last = record.digest();
        self.trust = next;
    }

    fn key_file(&self, epoch: u64, name: &JobName, bytes: &[u8]) -> NewKeyFile {
        let folder = self.world.dir.join(format!("repo/keys/{epoch}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{name}-1.age")), bytes).unwrap();
        NewKeyFile {
            epoch,
            number: 1,
            size: bytes.len() as u64,
            sha256: digest(bytes),
            tested: true,
        }
    }

    /// Begins an epoch that only `admin` opens.
    fn new_epoch(&mut self) -> NewEpoch {
        let number = self.trust.epochs.last().unwrap().number + 1;
        let epoch = NewEpoch::generate(self.trust.repository, number).unwrap();
        let admin = &self.trust.administrators[0];
        let recipient = admin.recipient.clone().unwrap().parse().unwrap();
        let file = epoch.wrap_for(&recipient).unwrap();
        let file = self.key_file(number, &admin.name, &file);
        let canary = &epoch.canary;
        let place = format!("repo/keys/{number}/canary.age");
        fs::write(self.world.dir.join(place), &canary.file).unwrap();
        let keys = NewKeys {
            number,
            recipient: epoch.recipient.to_string(),
            canary: CanaryFile {
                size: canary.file.len() as u64,
                sha256: digest(&canary.file),
                opens_to: canary.opens_to,
            },
            files: vec![(admin.name.clone(), file)],
        };
        let next = self.trust.new_epoch(self.edit(), &keys).unwrap();
        self.store(next);
        epoch
    }

    /// Lets somebody with a passphrase open the newest epoch and no other.
    fn add_passphrase(&mut self, name: &JobName, epoch: &NewEpoch) {
        let recipient = AdministratorRecipient::passphrase(PASSPHRASE.into()).unwrap();
        let file = recipient
            .wrap_epoch_key(epoch.number, epoch.identity(), &Access::none())
            .unwrap();
        let new = NewAdministrator {
            name: name.clone(),
            kind: AdministratorKind::Passphrase,
            recipient: None,
            files: vec![self.key_file(epoch.number, name, &file)],
        };
        let next = self.trust.add_administrator(self.edit(), &new).unwrap();
        self.store(next);
    }
}

#[test]
fn an_epoch_that_a_kit_leaves_out_is_told_and_the_newest_must_open() {
    let world = World::new();
    let kit = world.kit();
    let mut administrator = Administrator::of(&world);
    let epoch = administrator.new_epoch();
    administrator.add_passphrase(&"carol".parse().unwrap(), &epoch);

    // A kit from before the epoch has a key that opens it, too.
    let proved = world.backupctl(&["--json", "kit", "confirm", &kit]);
    let proved = proved.expect(0).message("kit-confirm");
    assert_eq!(proved["opens"], serde_json::json!([1, 2]));

    let [phrase, wrong] = [("phrase", PASSPHRASE), ("wrong", "tyrant")]
        .map(|(name, text)| world.private(name, &format!("{text}\n")));
    let lies = world.private("lies", "Carol knows it,\nand the notary has it.\n");
    let hers = world.path("carol.txt");
    let with = ["--passphrase", "--passphrase-file", &phrase];
    let create = ["kit", "create", "--out", &hers];
    let said = world.backupctl(&[&create[..], &with].concat()).expect(2);
    assert!(said.stderr.contains("--elsewhere"), "{}", said.stderr);
    let lies = ["--elsewhere", &lies];
    let said = world.backupctl(&[&create[..], &lies, &with].concat());
    let said = said.expect(3).stderr;
    assert!(said.contains("does not open epoch 1"), "{said}");
    let text = fs::read_to_string(&hers).unwrap();
    assert!(text.contains(" key-at Carol knows it, and the notary has it. "));
    assert!(!text.contains(PASSPHRASE) && !text.contains(" key AGE-"));

    let confirm = ["kit", "confirm", &hers];
    let said = world.backupctl(&confirm).expect(12).stderr;
    assert!(said.contains("[E-IDENTITY-MISSING]"), "{said}");
    let other = ["--passphrase", "--passphrase-file", &wrong];
    let said = world.backupctl(&[&confirm[..], &other].concat());
    let said = said.expect(12).stderr;
    assert!(said.contains("[E-WRONG-IDENTITY]"), "{said}");
    assert_eq!(world.confirmed().unwrap()["administrator"], "admin");
    let said = world.backupctl(&[&confirm[..], &with].concat()).expect(3);
    assert!(
        said.stderr.contains("does not open epoch 1"),
        "{}",
        said.stderr
    );
    assert!(![said.text(), said.stderr].concat().contains(PASSPHRASE));
    assert_eq!(world.confirmed().unwrap()["administrator"], "carol");

    administrator.new_epoch();
    let said = world.backupctl(&[&confirm[..], &with].concat());
    let said = said.expect(12).stderr;
    assert!(said.contains("does not open epoch 3"), "{said}");
    assert!(said.contains("[E-KIT-MISMATCH]"), "{said}");
}
