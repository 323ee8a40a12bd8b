//! `quickstart`: what a newcomer runs first must work, on the sample and on their own.

use std::{fs, path::Path};

use crate::world::World;

fn is_equal(compared: &serde_json::Value) -> bool {
    compared["different"].as_array().is_some_and(Vec::is_empty)
}

#[test]
fn the_sample_goes_the_whole_way() {
    let world = World::empty();
    let dir = world.path("try");
    let ran = world.backupctl(&["quickstart", "--dir", &dir, "--json"]);
    let report = ran.expect(0).message("quickstart");
    assert_eq!(report["sample"], true);
    assert_eq!(report["verified"], 2);
    assert!(is_equal(&report["database"]), "{}", report["database"]);
    assert!(is_equal(&report["folders"]), "{}", report["folders"]);
    let added = |run: &str| report[run]["added_bytes"].as_u64().unwrap();
    assert!(
        added("second") * 4 < added("first"),
        "{} after {}",
        added("second"),
        added("first")
    );
    // The commands that it names next work on what it left, without its server.
    let next = |words: &str| {
        let line = format!("$BACKUPCTL -c $W/try/config.toml {words}");
        world.shell(&line, &[]).expect(0).text()
    };
    assert!(next("snapshot list").contains("chat/000002"));
    next("verify --all --level data --identity $W/try/keys/admin.key");
    next("restore chat --to-folder $W/again --yes --identity $W/try/keys/admin.key");
    let target = world.path("again");
    let restored = Path::new(&target).join(dir.trim_start_matches('/'));
    let env = fs::read_to_string(restored.join("sample/.env")).unwrap();
    assert!(env.contains("maintenance on Sunday"), "{env}");
}

#[test]
fn the_users_own_is_restored_elsewhere_and_left_as_it_is() {
    let world = World::new();
    let databases = "select string_agg(datname, ' ' order by 1) from pg_database";
    let before = (world.psql("postgres", databases), world.dumped("app"));
    let url = world.url("app");
    let (dir, src) = (world.path("try"), world.path("src"));
    let password = world.path("pg.password");
    let ran = world.backupctl(&[
        "quickstart",
        "--dir",
        &dir,
        "--database",
        &url,
        "--password-file",
        &password,
        "--path",
        &src,
        "--json",
    ]);
    let report = ran.expect(0).message("quickstart");
    assert_eq!(report["sample"], false);
    assert!(is_equal(&report["database"]), "{}", report["database"]);
    assert!(is_equal(&report["folders"]), "{}", report["folders"]);
    assert_eq!(before.0, world.psql("postgres", databases));
    assert_eq!(before.1, world.dumped("app"));
}

#[test]
fn wrong_arguments_make_nothing() {
    let world = World::new();
    let dir = world.path("try");
    let url = "postgres://app:secret-word@localhost/app";
    let ran = world.backupctl(&["quickstart", "--dir", &dir, "--database", url]);
    let ran = ran.expect(2);
    assert!(
        ran.stderr.contains("E-SECRET-IN-ARGUMENT"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("secret-word"), "{}", ran.stderr);
    assert!(!Path::new(&dir).exists());
    let ran = world.backupctl(&["quickstart", "--dir", &dir, "--path", "/no/such/folder"]);
    assert!(ran.expect(1).stderr.contains("/no/such/folder"));
    assert!(!Path::new(&dir).exists());
    let ran = world.backupctl(&["quickstart", "--dir", &world.path("src")]);
    assert!(ran.expect(17).stderr.contains("E-TARGET-NOT-EMPTY"));
}
