//! A database and files, restored in the shipped window: what somebody chooses there with keys and
//! mouse is found outside, in rows, files, runs and the audit log.

use std::{
    fs,
    process::{Child, Stdio},
};

use serde_json::Value;

use crate::{
    guard::Daemon,
    program::need,
    window::{Desk, click, fill},
    world::World,
};

/// Where the way on is, in each step of a restore.
pub(crate) const ON: [&str; 7] = ["mousemove", "1222", "711", "click", "1", "sleep", "1"];

/// Chooses what the palette finds for some words.
pub(crate) fn find(words: &str) -> Vec<&str> {
    let begin = [
        "key", "ctrl+k", "sleep", "0.7", "type", "--args", "1", "--delay", "20",
    ];
    let end = ["sleep", "1", "key", "Return", "sleep", "1.5"];
    [&begin[..], &[words], &end].concat()
}

/// Opens the administrator's key. Once it is open, the palette finds nothing by these words.
pub(crate) fn open_key(identity: &str) -> Vec<&str> {
    let open = [
        "mousemove",
        "843",
        "560",
        "click",
        "1",
        "sleep",
        "2",
        "key",
        "Escape",
    ];
    let asked = find("open an administrator");
    [asked, fill("640", "389", identity), open.to_vec()].concat()
}

pub(crate) fn restores(world: &World) -> Vec<Value> {
    let listed = world.backupctl(&["--json", "run", "list"]).expect(0);
    let mut runs = listed.message("runs")["runs"].as_array().unwrap().clone();
    runs.retain(|run| run["kind"] == "restore");
    runs
}

/// From the key to the confirmation: what somebody does one after the other.
fn to_the_confirmation<'a>(
    identity: &'a str,
    database: &'a str,
    folder: &'a str,
) -> Vec<Vec<&'a str>> {
    vec![
        open_key(identity),
        [find("newest snapshot"), click("1043", "371")].concat(),
        [fill("702", "345", database), fill("702", "522", folder)].concat(),
        ON.repeat(2),
        // The server says what it would do.
        [&["sleep", "3"], &ON[..]].concat(),
    ]
}

#[test]
fn a_database_and_files_are_restored_in_the_window() {
    need("xdotool");
    let world = World::new();
    world.backup();
    let daemon = Daemon::start(&world);
    let mut desk = Desk::open(&world, "glow");
    let (identity, folder) = (world.identity(), world.path("back"));
    let steps = to_the_confirmation(&identity, "webback", &folder).concat();
    let done = desk.until(&[&steps[..], &ON].concat(), || {
        restores(&world)
            .into_iter()
            .find(|run| run["outcome"] != "running")
    });
    assert_eq!(done["outcome"], "succeeded", "{done}");
    assert_eq!(done["job"], "app");
    let notes = world.psql("webback", "select count(*), max(title) from note");
    assert_eq!(notes.trim(), "2000|note 999");
    // Below the folder, everything stands by its whole path.
    let settings = format!("{folder}{}", world.path("src/settings.toml"));
    let back = fs::read_to_string(settings).unwrap();
    assert_eq!(back, "colour = \"blue\"\n");

    let audit = world.backupctl(&["audit", "list"]).expect(0).text();
    for action in ["key-files.read", "restore"] {
        assert!(audit.contains(action), "{audit}");
    }
    daemon.stop();
    let log = fs::read_to_string(world.path("window.log")).unwrap();
    assert!(!log.contains("panicked"), "{log}");
    // The key was opened in the window and went nowhere.
    let key = fs::read_to_string(&identity).unwrap();
    let secret = key.lines().last().unwrap();
    assert!(!audit.contains(secret) && !log.contains(secret));
}

/// Nobody can make a database while this runs.
struct Locked(Child);

impl Locked {
    fn on(world: &World) -> Self {
        let sql = "begin; lock pg_database in share mode; select pg_sleep(300)";
        let mut command = world.client("psql", "postgres");
        command.args(["-X", "-q", "-c", sql]).stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }

    fn off(mut self, world: &World) {
        // A server that sleeps does not see that its client is gone.
        let sql = "select pg_terminate_backend(pid) from pg_stat_activity \
                   where query like '%pg_sleep%' and pid <> pg_backend_pid()";
        world.psql("postgres", sql);
        self.0.wait().unwrap();
    }
}

/// Killed after each step, and started anew: the window goes on where it was. What is half restored
/// by then is interrupted, and can be done again.
#[test]
fn a_restore_outlives_its_daemon_at_each_step() {
    need("xdotool");
    let world = World::new();
    world.backup();
    let mut daemon = Daemon::start(&world);
    let mut desk = Desk::open(&world, "glow");
    let (identity, folder) = (world.identity(), world.path("back"));
    for step in to_the_confirmation(&identity, "webback", &folder) {
        desk.act(&step);
        daemon.kill();
        daemon = Daemon::start(&world);
        // The window looks for it again.
        desk.act(&["sleep", "3"]);
    }
    let locked = Locked::on(&world);
    desk.until(&ON, || restores(&world).pop());
    daemon.kill();
    locked.off(&world);
    let daemon = Daemon::start(&world);
    let run = restores(&world).pop().unwrap();
    assert_eq!(run["outcome"], "interrupted", "{run}");
    let databases = world.psql("postgres", "select datname from pg_database");
    assert!(
        databases.lines().all(|name| name != "webback"),
        "{databases}"
    );

    let folder = world.path("again");
    let steps = to_the_confirmation(&identity, "webagain", &folder);
    // The key is open still.
    let steps = [&["sleep", "3"], &steps[1..].concat()[..], &ON].concat();
    desk.until(&steps, || {
        let mut all = restores(&world).into_iter();
        all.find(|run| run["outcome"] == "succeeded")
    });
    let notes = world.psql("webagain", "select count(*) from note");
    assert_eq!(notes.trim(), "2000");
    daemon.stop();
    let log = fs::read_to_string(world.path("window.log")).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}
