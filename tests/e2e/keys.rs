//! Keys, as administrators use them: let in, tried, put out, a new epoch, a host rebuilt or stolen.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};

use crate::{
    program::{Ran, stock},
    world::World,
};

/// A world with one backup of a folder.
pub(crate) fn world() -> World {
    let world = World::new();
    let source = "§\"files\"\nname = \"config\"\npaths = [\"WORLD/src\"]\n";
    world.sources(&source.replace("WORLD", &world.dir.display().to_string()));
    assert_eq!(world.backup()["snapshot"], "app/000001");
    world
}

/// A key that stock `age-keygen` makes, and its recipient.
pub(crate) fn age_key(world: &World, name: &str) -> (String, String) {
    let path = world.path(name);
    let mut make = stock("age-keygen");
    make.args(["-o", &path]);
    Ran::of(make).expect(0);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let mut show = stock("age-keygen");
    show.args(["-y", &path]);
    let recipient = Ran::of(show).expect(0).text().trim().to_owned();
    (path, recipient)
}

/// Runs `key …` with the root key and a yes, and gives the change.
pub(crate) fn change(world: &World, args: &[&str]) -> Value {
    let root = world.path("keys/root.key");
    let all = [&["--json", "key"], args, &["--root-key", &root, "--yes"]].concat();
    let ran = world.backupctl(&all).expect(0);
    ran.message("key-change")
}

fn refused(world: &World, args: &[&str], status: i32, words: &str) {
    let root = world.path("keys/root.key");
    let all = [&["key"], args, &["--root-key", &root, "--yes"]].concat();
    let ran = world.backupctl(&all).expect(status);
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
}

fn restores(world: &World, snapshot: &str, identity: &str, status: i32) {
    let to = world.path(&format!("out-{}", snapshot.replace('/', "-")));
    let args = ["restore", snapshot, "--to-folder", &to, "--yes"];
    world
        .backupctl(&[&args[..], &["--identity", identity]].concat())
        .expect(status);
    let restored = fs::exists(&to).unwrap();
    assert_eq!(restored, status == 0);
    if restored {
        fs::remove_dir_all(to).unwrap();
    }
}

#[test]
fn a_new_epoch_keeps_out_who_is_put_out() {
    let world = world();
    let admin = world.identity();
    let (second, recipient) = age_key(&world, "second.key");
    restores(&world, "app/1", &second, 12);
    let add = [
        "add",
        "second",
        "--recipient",
        &recipient,
        "--identity",
        &admin,
    ];
    let added = change(&world, &[&add[..], &["--proof", &second]].concat());
    assert_eq!(
        (&added["trust"], &added["epochs"], &added["tested"]),
        (&2.into(), &json!([1]), &true.into())
    );
    restores(&world, "app/1", &second, 0);

    let rotate = ["rotate", "--identity", &second, "--without", "admin"];
    assert_eq!(change(&world, &rotate)["epochs"], json!([2]));
    assert_eq!(world.backup()["snapshot"], "app/000002");
    restores(&world, "app/1", &admin, 0);
    restores(&world, "app/2", &admin, 12);
    restores(&world, "app/1", &second, 0);
    restores(&world, "app/2", &second, 0);

    assert_eq!(change(&world, &["remove", "admin"])["left"], json!([]));
    restores(&world, "app/1", &admin, 12);
    let tested = ["--json", "key", "test", "--identity", &second];
    let tested = world.backupctl(&tested).expect(0).message("key-test");
    assert_eq!(tested["epochs"][1]["administrator"], "second");
    world
        .backupctl(&["key", "test", "--identity", &admin])
        .expect(12);
    // Whoever is the last to open something stays.
    refused(
        &world,
        &["remove", "second"],
        17,
        "has shown to open epoch 1",
    );
    let verify = ["verify", "--all", "--level", "data", "--identity", &second];
    world.backupctl(&verify).expect(0);
    world.backupctl(&["repo", "check"]).expect(0);
    world.assert_tidy();
}

#[test]
fn an_ssh_key_opens_with_us_and_with_stock_age() {
    let world = world();
    let admin = world.identity();
    let key = world.path("ssh");
    let mut make = stock("ssh-keygen");
    make.args(["-q", "-t", "ed25519", "-N", "", "-f", &key]);
    Ran::of(make).expect(0);
    let public = format!("{key}.pub");
    let add = [
        "add",
        "laptop",
        "--recipient-file",
        &public,
        "--identity",
        &admin,
    ];
    change(&world, &[&add[..], &["--proof", &key]].concat());
    restores(&world, "app/1", &key, 0);
    let mut age = stock("age");
    age.args(["-d", "-i", &key]);
    age.arg(world.path("repo/keys/1/laptop-1.age"));
    assert!(Ran::of(age).expect(0).text().contains("AGE-SECRET-KEY-1"));
}

/// The old host's disk is gone. The new one makes a key, an administrator lets it in under the old
/// name, and the old key, wherever it is, stores nothing more.
#[test]
fn a_host_is_rebuilt() {
    let world = world();
    let config = fs::read_to_string(world.path("config.toml")).unwrap();
    let rebuilt = world.path("rebuilt.toml");
    fs::write(&rebuilt, config.replace("/state\"", "/rebuilt\"")).unwrap();
    let on_new = |args: &[&str], status| {
        let mut command = crate::program::clean(world.program());
        command.args(["--config", &rebuilt, "--json"]).args(args);
        Ran::of(command).expect(status)
    };
    let made = on_new(&["key", "host"], 0).message("key-host");
    assert_eq!(
        (&made["made"], &made["writer"]),
        (&true.into(), &Value::Null)
    );
    let key = made["key"].as_str().unwrap();
    on_new(&["backup", "app"], 12);
    let add = ["add", "host", "--writer", key, "--role", "write,maintain"];
    refused(&world, &add, 17, "the name `host` is taken");
    change(&world, &[&add[..], &["--replace"]].concat());
    assert_eq!(
        on_new(&["key", "host"], 0).message("key-host")["writer"],
        "host"
    );
    let backup = on_new(&["backup", "app"], 0).message("backup");
    assert_eq!(backup["snapshot"], "app/000002");
    let stolen = world.backupctl(&["backup", "app"]).expect(12);
    assert!(
        stolen.stderr.contains("it was removed"),
        "{}",
        stolen.stderr
    );
    world
        .as_admin(&["verify", "--all", "--level", "data"])
        .expect(0);
    let list = ["--json", "key", "list"];
    let list = world.backupctl(&list).expect(0).message("keys");
    let removed: Vec<bool> = list["writers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|writer| writer["removed"].is_string())
        .collect();
    assert_eq!(removed, [true, false]);
}

/// Nobody can be let in or put out any more, and everything else goes on. The next backups go to a
/// new repository; the old one is read as long as it is needed.
#[test]
fn the_root_key_is_lost() {
    let world = world();
    let (admin, root) = (world.identity(), world.path("keys/root.key"));
    fs::remove_file(&root).unwrap();
    let rotate = ["key", "rotate", "--identity", &admin, "--root-key", &root];
    let rotated = world.backupctl(&[&rotate[..], &["-y"]].concat());
    assert!(rotated.expect(12).stderr.contains(&root));
    assert_eq!(world.backup()["snapshot"], "app/000002");
    restores(&world, "app/2", &admin, 0);

    let config = fs::read_to_string(world.path("config.toml")).unwrap();
    let (keys, state) = (world.path("new.keys"), world.path("state"));
    let (old, new) = (world.path("repo"), world.path("new"));
    let init = ["--json", "init", "--repository", &new];
    let mut command = crate::program::clean(world.program());
    command
        .args(init)
        .args(["--keys", &keys, "--state", &state]);
    let made = Ran::of(command).expect(0).message("init");
    let trust = made["trust"].as_str().unwrap();
    let config = config.replace(&world.trust, trust);
    let config = config.replace(&format!("{old}\""), &format!("{new}\""));
    fs::write(world.path("config.toml"), config).unwrap();
    assert_eq!(world.backup()["snapshot"], "app/000001");
    let added = world.path("new.keys/admin.key");
    restores(&world, "app/1", &added, 0);
    restores(&world, "app/1", &admin, 12);
    let to = world.path("from-the-old");
    let mut restore = crate::program::clean(world.program());
    restore.args(["restore", "app/2", "--to-folder", &to, "--yes"]);
    restore.args(["--identity", &admin, "--repository", &old]);
    restore.args(["--trust", &world.trust]);
    Ran::of(restore).expect(0);
}

#[test]
fn what_is_refused_or_only_shown_changes_nothing() {
    let world = world();
    let admin = world.identity();
    let root = world.path("keys/root.key");
    let (second, recipient) = age_key(&world, "second.key");
    let add = ["add", "second", "--recipient", &recipient, "--identity"];
    let dry = [&["key"], &add[..], &[&admin, "--root-key", &root, "-n"]].concat();
    assert!(world.backupctl(&dry).expect(0).text().contains("`second`"));
    let unasked = [&["key"], &add[..], &[&admin, "--root-key", &root]].concat();
    world.backupctl(&unasked).expect(17);
    refused(
        &world,
        &[&add[..], &[&second]].concat(),
        12,
        "E-WRONG-IDENTITY",
    );
    let proof = [&add[..], &[&admin, "--proof", &admin]].concat();
    refused(&world, &proof, 12, "E-WRONG-IDENTITY");
    let taken = [
        "add",
        "admin",
        "--recipient",
        &recipient,
        "--identity",
        &admin,
    ];
    refused(&world, &taken, 17, "the name `admin` is taken");
    for wrong in ["age1nothing", "ssh-rsa AAAA", "AGE-SECRET-KEY-1QQQQ", ""] {
        let add = ["add", "second", "--recipient", wrong, "--identity", &admin];
        refused(&world, &add, 2, "is not a recipient");
    }
    refused(
        &world,
        &["remove", "nobody"],
        17,
        "no administrator is called",
    );
    refused(
        &world,
        &["remove", "host2", "--writer"],
        17,
        "no writer is called",
    );
    let not_root = ["key", "remove", "admin", "--root-key", &admin, "-y"];
    world.backupctl(&not_root).expect(12);
    let list = world.backupctl(&["--json", "key", "list"]).expect(0);
    let keys = list.message("keys");
    assert_eq!(keys["trust"], 1);
}
