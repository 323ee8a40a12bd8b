//! Administrators with every kind of key: each is let in, reads a backup in every way there is,
//! has a recovery kit, and goes along into the next epoch.

use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::{
    keys::{age_key, change, world},
    program::{Ran, clean, stock},
    world::{JOB, World},
};

const PASSPHRASE: &str = "tyrant-oboe-47-lichen";

/// A plugin of age that keeps the file key as it is. Speaks what C2SP's age-plugin says: stanzas of
/// a line `-> …` and base64 in lines of 64.
const PLUGIN: &str = r#"#!/bin/bash
next() {
    IFS= read -r head || exit 1
    body=
    while IFS= read -r line; do
        body+=$line
        if [ ${#line} -lt 64 ]; then break; fi
    done
}
until next && [ "$head" = '-> done' ]; do
    case $head in
    '-> wrap-file-key'*) answer='recipient-stanza 0 plain' key=$body ;;
    '-> recipient-stanza 0 plain') answer='file-key 0' key=$body ;;
    esac
done
if [ -n "$key" ]; then
    printf -- '-> %s\n%s\n' "$answer" "$key"
    next
fi
printf -- '-> done\n\n'
"#;
const PLUGIN_RECIPIENT: &str = "age1plain1qurswpc8qurswpc8qurswpc8qurswpc806g8q2";
const PLUGIN_IDENTITY: &str = "AGE-PLUGIN-PLAIN-1QURSWPC8QURSWPC8QURSWPC8QURSWPC8WGKLZF";

/// Somebody's key, as the command line has it.
struct Person<'a> {
    world: &'a World,
    /// Which key.
    key: Vec<String>,
    /// What it needs.
    needs: Vec<String>,
}

impl Person<'_> {
    fn run(&self, args: &[&str]) -> Ran {
        let key = self.key.iter().chain(&self.needs).map(String::as_str);
        let all: Vec<&str> = args.iter().copied().chain(key).collect();
        self.world.backupctl(&all)
    }

    /// Reads the newest backup with every verb that reads.
    #[track_caller]
    fn reads_everything(&self) {
        let to = self.world.path("out");
        let restore = ["restore", JOB, "--to-folder", &to, "--yes"];
        self.run(&restore).expect(0);
        fs::remove_dir_all(&to).unwrap();
        self.run(&["verify", "--all", "--level", "data"]).expect(0);
        let tar = self.run(&["cat", JOB, "config.tar"]).expect(0);
        assert!(tar.text().contains("colour = \"blue\""));
        let show = self.run(&["--json", "snapshot", "show", JOB]).expect(0);
        assert_eq!(show.message("snapshot")["streams"][0]["name"], "config.tar");
        let ls = self.run(&["snapshot", "ls", JOB, "-r"]).expect(0);
        assert!(ls.text().contains("settings.toml"));
        let find = self.run(&["snapshot", "find", "settings.*"]).expect(0);
        assert!(find.text().contains("settings.toml"));
        self.run(&["snapshot", "diff", JOB, JOB]).expect(0);
        let test = self.run(&["key", "test"]).expect(0);
        assert!(test.text().contains("✓ epoch 1: opens"));
    }

    /// Is refused by every verb that reads, with this status and code.
    #[track_caller]
    fn reads_nothing(&self, status: i32, code: &str) {
        let to = self.world.path("out");
        let restore = ["restore", JOB, "--to-folder", &to, "--yes"];
        let kit = self.world.path("no-kit");
        for args in [
            &restore[..],
            &["cat", JOB, "config.tar"],
            &["snapshot", "ls", JOB],
            &["snapshot", "show", JOB],
            &["key", "test"],
            &["kit", "create", "--out", &kit],
        ] {
            let said = self.run(args).expect(status).stderr;
            assert!(said.contains(code), "{said}");
        }
        assert!(!fs::exists(&to).unwrap() && !fs::exists(&kit).unwrap());
    }

    /// Makes a kit and proves it; what is only shown is not written. A kit that holds its key needs
    /// only what unlocks it.
    #[track_caller]
    fn has_a_kit(&self, more: &[&str], holds_key: bool) {
        let kit = self.world.path("kit.txt");
        let create = [&["--json", "kit", "create", "--out", &kit], more].concat();
        let plan = self.run(&[&create[..], &["-n"]].concat()).expect(0);
        assert_eq!(plan.message("kit-create-plan")["kit"], kit);
        assert!(!fs::exists(&kit).unwrap());
        let made = self.run(&create).expect(0).message("kit-create");
        assert_eq!(made["holds_key"], holds_key);

        let print = ["kit", "print", &kit, "-n"];
        let said = self.world.backupctl(&print).expect(0).text();
        assert!(said.contains("would make"), "{said}");
        assert!(!fs::exists(self.world.path("kit.html")).unwrap());

        let prover = Person {
            world: self.world,
            key: if holds_key {
                Vec::new()
            } else {
                self.key.clone()
            },
            needs: self.needs.clone(),
        };
        let confirm = ["--json", "kit", "confirm", &kit];
        let dry = prover.run(&[&confirm[..], &["-n"]].concat()).expect(0);
        let written = |ran: &Ran| ran.message("kit-confirm")["written"].clone();
        assert_eq!(written(&dry), serde_json::Value::Null);
        let proved = prover.run(&confirm).expect(0);
        assert!(written(&proved).is_string());
        fs::remove_file(kit).unwrap();
    }
}

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(ToOwned::to_owned).to_vec()
}

/// A file with the passphrase, and one with another.
fn phrases(world: &World) -> [String; 2] {
    [("phrase", PASSPHRASE), ("wrong", "tyrant")]
        .map(|(name, text)| world.private(name, &format!("{text}\n")))
}

#[test]
fn an_identity_that_a_passphrase_locks() {
    let world = world();
    let plain = fs::read(world.identity()).unwrap();
    let mut recipient = age::scrypt::Recipient::new(PASSPHRASE.into());
    recipient.set_work_factor(10);
    let locked = age::encrypt_and_armor(&recipient, &plain).unwrap();
    let locked = world.private("locked.key", &locked);
    let [right, wrong] = phrases(&world);
    let with = |needs: Vec<String>| Person {
        world: &world,
        key: words(["--identity", &locked]),
        needs,
    };
    let admin = with(words(["--passphrase-file", &right]));
    admin.reads_everything();
    admin.has_a_kit(&[], true);
    with(words(["--passphrase-file", &wrong])).reads_nothing(12, "E-WRONG-IDENTITY");
    with(Vec::new()).reads_nothing(12, "E-IDENTITY-MISSING");
    world.assert_tidy();
}

#[test]
fn the_environment_names_a_key_where_no_command_line_does() {
    let world = world();
    let by_environment = |args: &[&str]| {
        let mut command = clean(world.program());
        command.args(["--config", &world.path("config.toml")]);
        command
            .args(args)
            .env("BACKUPCTL_IDENTITY", world.identity());
        world.run(command)
    };
    let cat = ["cat", JOB, "config.tar"];
    by_environment(&cat).expect(0);
    let [right, _] = phrases(&world);
    let by_phrase = ["--passphrase", "--passphrase-file", &right];
    let said = by_environment(&[&cat[..], &by_phrase].concat());
    assert!(said.expect(12).stderr.contains("E-WRONG-IDENTITY"));
    // A kit is proved with its own key.
    let kit = world.path("kit.txt");
    by_environment(&["kit", "create", "--out", &kit]).expect(0);
    by_environment(&["kit", "confirm", &kit]).expect(0);
}

#[test]
fn an_ssh_key_that_a_passphrase_locks() {
    let world = world();
    let [right, wrong] = phrases(&world);
    let key = world.path("ssh");
    let mut make = stock("ssh-keygen");
    make.args(["-q", "-t", "ed25519", "-a", "4", "-N", PASSPHRASE]);
    make.args(["-f", &key]);
    Ran::of(make).expect(0);
    let (public, admin) = (format!("{key}.pub"), world.identity());
    let add = ["add", "laptop", "--recipient-file", &public];
    let added = change(&world, &[&add[..], &["--identity", &admin]].concat());
    assert_eq!(added["tested"], false);

    let with = |needs: Vec<String>| Person {
        world: &world,
        key: words(["--identity", &key]),
        needs,
    };
    let laptop = with(words(["--passphrase-file", &right]));
    laptop.reads_everything();
    laptop.has_a_kit(&[], true);
    with(words(["--passphrase-file", &wrong])).reads_nothing(12, "E-WRONG-IDENTITY");
    with(Vec::new()).reads_nothing(12, "E-IDENTITY-MISSING");
    // It can begin the next epoch.
    let rotate = ["rotate", "--identity", &key, "--passphrase-file", &right];
    assert_eq!(change(&world, &rotate)["epochs"], serde_json::json!([2]));
}

#[test]
fn a_passphrase_and_nothing_else() {
    let world = world();
    let [right, wrong] = phrases(&world);
    let admin = world.identity();
    let add = ["add", "carol", "--new-passphrase-file", &right];
    let added = change(&world, &[&add[..], &["--identity", &admin]].concat());
    assert_eq!(added["tested"], true);
    let lies = world.private("lies", "Carol knows it.\n");

    let with = |phrase: &str| Person {
        world: &world,
        key: words(["--passphrase"]),
        needs: words(["--passphrase-file", phrase]),
    };
    let carol = with(&right);
    carol.reads_everything();
    carol.has_a_kit(&["--elsewhere", &lies], false);
    let wrongly = with(&wrong).run(&["cat", JOB, "config.tar"]).expect(12);
    assert!(wrongly.stderr.contains("E-WRONG-IDENTITY"));

    // She begins an epoch, and goes along into the one that somebody else begins.
    let hers = ["rotate", "--passphrase", "--passphrase-file", &right];
    let rotated = change(&world, &hers);
    assert_eq!(rotated["left_out"], serde_json::json!([]));
    let root = world.path("keys/root.key");
    let rotate = [
        "key",
        "rotate",
        "--identity",
        &admin,
        "--root-key",
        &root,
        "-y",
    ];
    let of = |file: &str| format!("carol={file}");
    for (words, status) in [
        (of(&wrong), 12),
        (format!("admin={right}"), 2),
        ("x".to_owned(), 2),
    ] {
        let args = [&rotate[..], &["--passphrase-of", &words]].concat();
        world.backupctl(&args).expect(status);
    }
    let hers = of(&right);
    let along = [&rotate[..], &["--passphrase-of", &hers, "--json"]].concat();
    let rotated = world.backupctl(&along).expect(0).message("key-change");
    assert_eq!(rotated["epochs"], serde_json::json!([3]));
    let test = carol.run(&["key", "test"]).expect(0).text();
    assert!(test.contains("✓ epoch 3: opens, as `carol`"), "{test}");

    // Without her passphrase the plan says who is left out, and so does the end.
    let plan = [&rotate[..], &["-n"]].concat();
    let plan = world.backupctl(&plan).expect(0).text();
    assert!(plan.contains("which `carol` does not open"), "{plan}");
    let said = world.backupctl(&rotate).expect(3).text();
    assert!(
        said.contains("`carol` does not open the new epoch"),
        "{said}"
    );
    // One backup of each time: what is of hers she reads, the rest not.
    assert_eq!(world.backup()["snapshot"], "app/000002");
    carol.run(&["cat", "app/1", "config.tar"]).expect(0);
    carol.run(&["cat", "app/2", "config.tar"]).expect(12);
}

#[test]
fn a_plugin_that_was_allowed() {
    let world = world();
    let folder = world.path("plugins");
    fs::create_dir(&folder).unwrap();
    let program = format!("{folder}/age-plugin-plain");
    fs::write(&program, PLUGIN).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let key = world.private("plugin.key", &format!("# in hardware\n{PLUGIN_IDENTITY}\n"));
    let admin = world.identity();
    let add = [
        "add",
        "yubi",
        "--recipient",
        PLUGIN_RECIPIENT,
        "--proof",
        &key,
    ];
    let by = ["--identity", &admin, "--plugin", &folder];
    let added = change(&world, &[&add[..], &by].concat());
    assert_eq!(added["tested"], true);
    let lies = world.private("lies", "in the safe\n");

    let with = |needs: Vec<String>| Person {
        world: &world,
        key: words(["--identity", &key]),
        needs,
    };
    let yubi = with(words(["--plugin", &program]));
    yubi.reads_everything();
    yubi.has_a_kit(&["--elsewhere", &lies], false);
    with(Vec::new()).reads_nothing(12, "E-IDENTITY-INVALID");
    with(words(["--plugin", "plugins"])).reads_nothing(2, "not an absolute path");

    let rotate = ["rotate", "--identity", &key, "--plugin", &program];
    assert_eq!(change(&world, &rotate)["epochs"], serde_json::json!([2]));
    // Whoever begins an epoch needs the plugins of all.
    let root = world.path("keys/root.key");
    let rotate = [
        "key",
        "rotate",
        "--identity",
        &admin,
        "--root-key",
        &root,
        "-y",
    ];
    let said = world.backupctl(&rotate).expect(12).stderr;
    assert!(said.contains("age-plugin-plain"), "{said}");
    assert!(!fs::exists(world.path("repo/keys/3")).unwrap());
    let with = [&rotate[..], &["--plugin", &folder]].concat();
    world.backupctl(&with).expect(0);
    let (_, other) = age_key(&world, "other.key");
    let wrong = ["add", "yubi", "--recipient", &other, "--identity", &admin];
    let args = [&["key"], &wrong[..], &["--root-key", &root, "-y"]].concat();
    let said = world.backupctl(&args).expect(17).stderr;
    assert!(
        said.contains("Who may read and write is as it was"),
        "{said}"
    );
}
