//! A job restored in place by the real program: what was spoilt is as it was, what was there is
//! kept beside, and a snapshot of it was made before.

use std::{
    fs,
    io::{Read as _, Write as _},
    process::Stdio,
};

use crate::{
    guard::Daemon,
    program::Ran,
    world::{JOB, World},
};

const IN_PLACE: [&str; 4] = ["restore", "app/1", "--in-place", "--json"];

/// A world with a snapshot, whose database and folder were spoilt since.
fn spoilt() -> World {
    let world = World::new();
    world.backup();
    world.psql("app", "delete from note where id > 7; drop view titles");
    fs::write(world.path("src/settings.toml"), "colour = \"red\"\n").unwrap();
    fs::remove_file(world.path("src/.env")).unwrap();
    world
}

fn notes(world: &World, database: &str) -> String {
    let counted = world.psql(database, "select count(*) from note");
    counted.trim().to_owned()
}

fn colour(world: &World, folder: &str) -> String {
    fs::read_to_string(format!("{folder}/settings.toml"))
        .unwrap_or_else(|error| panic!("{folder} in {}: {error}", world.dir.display()))
}

fn untouched(world: &World) {
    assert_eq!(notes(world, "app"), "7");
    assert_eq!(colour(world, &world.path("src")), "colour = \"red\"\n");
    assert_eq!(
        world.psql("postgres", "select count(*) from pg_database"),
        "4\n"
    );
}

/// What a restore in place leaves behind, by its report.
fn restored(world: &World, ran: &Ran) {
    let report = ran.message("restore");
    assert_eq!(report["safety"], "app/2");
    assert_eq!(notes(world, "app"), "2000");
    assert_eq!(world.psql("app", "select count(*) from titles"), "2000\n");
    assert_eq!(colour(world, &world.path("src")), "colour = \"blue\"\n");
    let env = fs::read_to_string(world.path("src/.env")).unwrap();
    assert_eq!(env, "PORT=8080\n");
    let mut kept = 0;
    for stream in report["streams"].as_array().unwrap() {
        let kept_as = stream["kept_as"].as_str().unwrap();
        match stream["target"].as_str().unwrap() {
            "database" => assert_eq!(notes(world, kept_as), "7"),
            _ => assert_eq!(colour(world, kept_as), "colour = \"red\"\n"),
        }
        kept += 1;
    }
    assert_eq!(kept, 2);
    // The spoilt state is a snapshot, too.
    let folder = world.path("safety");
    let safety = ["restore", "app/2", "--to-folder", &folder, "--yes"];
    world.as_admin(&safety).expect(0);
    let settings = format!("{folder}{}", world.path("src"));
    assert_eq!(colour(world, &settings), "colour = \"red\"\n");
    world.assert_tidy();
}

#[test]
fn a_job_is_restored_in_place_here_and_only_by_its_name() {
    let world = spoilt();
    let plan = world.as_admin(&[&IN_PLACE[..], &["--dry-run"]].concat());
    let plan = plan.expect(0).message("restore-plan");
    assert_eq!(plan["confirm"], JOB);
    assert_eq!(plan["safety_backup"], true);
    for refused in [&["--yes"][..], &["--yes", "--confirm", "src"]] {
        let ran = world
            .as_admin(&[&IN_PLACE[..], refused].concat())
            .expect(17);
        assert!(ran.stderr.contains("E-NOT-CONFIRMED"), "{}", ran.stderr);
        assert!(ran.text().contains("restore-plan"), "{}", ran.text());
        untouched(&world);
    }
    let unnamed = world
        .as_admin(&["restore", "app/1", "--in-place"])
        .expect(17);
    for part in ["--yes --confirm app", "is kept as", "`app` is backed up"] {
        assert!(unnamed.stderr.contains(part), "{part}: {}", unnamed.stderr);
    }
    let mut connected = world.client("psql", "app");
    let mut connected = connected
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut asked = connected.stdin.take().unwrap();
    asked.write_all(b"\\echo here\n").unwrap();
    let mut answer = [0; 5];
    connected
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut answer)
        .unwrap();
    let busy = world.as_admin(&["restore", "app/1", "--in-place", "--dry-run"]);
    let busy = busy.expect(17);
    assert!(
        busy.text()
            .contains("in use, by 1 connections (psql as postgres)"),
        "{}",
        busy.text()
    );
    drop(asked);
    connected.wait().unwrap();
    untouched(&world);
    let yes = ["--yes", "--confirm", JOB];
    let ran = world.as_admin(&[&IN_PLACE[..], &yes].concat()).expect(0);
    restored(&world, &ran);
}

#[test]
fn the_daemon_restores_in_place_with_a_run_for_the_backup_before() {
    let world = spoilt();
    let daemon = Daemon::start(&world);
    let yes = ["--yes", "--confirm", JOB];
    let ran = world.as_admin(&[&IN_PLACE[..], &yes].concat()).expect(0);
    restored(&world, &ran);
    let listed = world.backupctl(&["--json", "run", "list"]).expect(0);
    let runs = listed.message("runs");
    let mut kinds = Vec::new();
    for run in runs["runs"].as_array().unwrap() {
        assert_eq!(run["outcome"], "succeeded", "{run}");
        kinds.push(run["kind"].as_str().unwrap().to_owned());
    }
    kinds.sort();
    assert_eq!(kinds, ["backup", "restore"]);
    let audit = world.backupctl(&["audit", "list"]).expect(0).text();
    assert!(audit.contains("in place"), "{audit}");
    daemon.stop();
}

#[test]
fn a_backup_before_that_fails_changes_nothing() {
    let world = spoilt();
    let path = world.path("config.toml");
    let config = fs::read_to_string(&path).unwrap();
    let hook = "[job.app.hooks]\nbefore = [{ run = [\"/bin/false\"] }]\n";
    fs::write(&path, format!("{config}\n{hook}")).unwrap();
    let yes = [&IN_PLACE[..], &["--yes", "--confirm", JOB]].concat();
    let failed = world.as_admin(&yes);
    for part in ["E-HOOK", "nothing was changed", "--no-safety-backup"] {
        assert!(failed.stderr.contains(part), "{part}: {}", failed.stderr);
    }
    untouched(&world);
    let without = [&yes[..], &["--no-safety-backup"]].concat();
    let report = world.as_admin(&without).expect(0).message("restore");
    assert!(report["safety"].is_null(), "{report}");
    assert_eq!(notes(&world, "app"), "2000");
}
