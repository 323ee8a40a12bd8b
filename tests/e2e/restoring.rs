//! A database and files, restored in the shipped window: what somebody chooses there with keys and
//! mouse is found outside, in rows, files, runs and the audit log.

use std::fs;

use serde_json::Value;

use crate::{
    guard::Daemon,
    program::need,
    window::{Desk, fill},
    world::World,
};

/// Where the way on is, in each step of a restore.
const ON: [&str; 7] = ["mousemove", "1222", "711", "click", "1", "sleep", "1"];

/// Chooses what the palette finds for some words.
fn find(words: &str) -> Vec<&str> {
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

fn restores(world: &World) -> Vec<Value> {
    let listed = world.backupctl(&["--json", "run", "list"]).expect(0);
    let mut runs = listed.message("runs")["runs"].as_array().unwrap().clone();
    runs.retain(|run| run["kind"] == "restore");
    runs
}

#[test]
fn a_database_and_files_are_restored_in_the_window() {
    need("xdotool");
    let world = World::new();
    world.backup();
    let daemon = Daemon::start(&world);
    let mut desk = Desk::open(&world, "glow");
    let (identity, folder) = (world.identity(), world.path("back"));
    let restore = ["mousemove", "1043", "371", "click", "1", "sleep", "1.2"];
    let steps = [
        open_key(&identity),
        find("newest snapshot"),
        restore.to_vec(),
        fill("702", "345", "webback"),
        fill("702", "522", &folder),
        ON.repeat(2),
        // The server says what it would do.
        vec!["sleep", "3"],
        ON.repeat(2),
    ];
    let done = desk.until(&steps.concat(), || {
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
