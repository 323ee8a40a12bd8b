//! A job restored in place by the real program: what was spoilt is as it was, what was there is
//! kept beside, and a snapshot of it was made before.

use std::{
    fs,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use crate::{
    guard::Daemon,
    program::Ran,
    world::{JOB, World},
};

const IN_PLACE: [&str; 4] = ["restore", "app/1", "--in-place", "--json"];

/// A world with a snapshot, whose database and folder were spoilt since.
pub(crate) fn spoilt() -> World {
    let world = World::new();
    world.backup();
    world.psql("app", "delete from note where id > 7; drop view titles");
    fs::write(world.path("src/settings.toml"), "colour = \"red\"\n").unwrap();
    fs::remove_file(world.path("src/.env")).unwrap();
    connections(&world, "0");
    world
}

pub(crate) fn notes(world: &World, database: &str) -> String {
    let counted = world.psql(database, "select count(*) from note");
    counted.trim().to_owned()
}

pub(crate) fn colour(world: &World, folder: &str) -> String {
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
    connections(world, "0");
}

/// Waits until so many are connected to the database.
fn connections(world: &World, wanted: &str) {
    let sql = "select count(*) from pg_stat_activity where datname = 'app'";
    let begun = Instant::now();
    while world.psql("postgres", sql).trim() != wanted {
        assert!(begun.elapsed() < Duration::from_secs(30), "not {wanted}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// What a restore in place leaves behind, by its report.
fn restored(world: &World, ran: &Ran) {
    let report = ran.message("restore");
    assert_eq!(report["safety"], "app/000002");
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
        let said = ran.text() + &ran.stderr;
        for part in ["E-NOT-CONFIRMED", "restore-plan", "--confirm"] {
            assert!(said.contains(part), "{part}: {said}");
        }
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
        .args(["-c", "select pg_sleep(60)"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    connections(&world, "1");
    let busy = world
        .as_admin(&["restore", "app/1", "--in-place", "--dry-run"])
        .expect(17);
    assert!(
        busy.text()
            .contains("in use, by 1 connection (psql as postgres)"),
        "{}",
        busy.text()
    );
    world.psql(
        "postgres",
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'app'",
    );
    connected.wait().unwrap();
    connections(&world, "0");
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
    let runs = runs["runs"].as_array().unwrap();
    let succeeded = |kind: &str| {
        let of_kind = runs
            .iter()
            .filter(|run| run["kind"] == kind && run["outcome"] == "succeeded");
        of_kind.collect::<Vec<_>>()
    };
    assert_eq!(succeeded("restore").len(), 1, "{runs:?}");
    let backups = succeeded("backup");
    let safety = backups.iter().filter(|run| run["snapshot"] == "app/000002");
    assert_eq!(safety.count(), 1, "{runs:?}");
    let audit = world
        .backupctl(&["--json", "audit", "list"])
        .expect(0)
        .text();
    assert!(audit.contains("\"in place\""), "{audit}");
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
    let said = failed.text() + &failed.stderr;
    for part in ["E-HOOK", "nothing was changed", "--no-safety-backup"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    untouched(&world);
    let without = [&yes[..], &["--no-safety-backup"]].concat();
    let report = world.as_admin(&without).expect(0).message("restore");
    assert!(report["safety"].is_null(), "{report}");
    assert_eq!(notes(&world, "app"), "2000");
}

#[test]
fn what_an_interrupted_restore_left_is_named_with_the_way_out() {
    let world = spoilt();
    fs::create_dir(world.path(".src.partial")).unwrap();
    let yes = ["--yes", "--confirm", JOB];
    let ran = world.as_admin(&[&IN_PLACE[..], &yes].concat()).expect(17);
    let said = ran.text() + &ran.stderr;
    for part in [".src.partial", "E-TARGET-NOT-EMPTY", "can be removed"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    untouched(&world);
}
