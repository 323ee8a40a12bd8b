//! A backup that fails while its server is down, in the shipped window: what is said there can be
//! taken away as text, and when the server is back, the same button backs up.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    guard::Daemon,
    program::need,
    window::{BACK_UP, Desk, backups, click},
    world::World,
};

/// The server's socket, and where it is while the server is down to all who look for it.
fn socket(world: &World) -> [PathBuf; 2] {
    let entries = fs::read_dir(world.socket()).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    let is_socket = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with(".s.PGSQL.") && path.extension().is_none_or(|last| last != "lock")
    };
    let socket = paths.find(is_socket).unwrap();
    [socket.with_file_name("away"), socket]
}

fn newest(world: &World, outcome: &str) -> Option<Value> {
    let all = backups(world);
    all.into_iter().find(|run| run["outcome"] == outcome)
}

fn rename(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap();
}

#[test]
fn a_failed_backup_is_explained_and_made_good_in_the_window() {
    need("xdotool");
    let world = World::new();
    let daemon = Daemon::start(&world);
    let mut desk = Desk::open(&world, "glow");
    let [away, socket] = socket(&world);
    rename(&socket, &away);
    let failed = desk.until(&BACK_UP, || newest(&world, "failed"));
    assert_eq!(failed["failure"]["code"], "E-PG-CONNECT", "{failed}");

    // The newest run, and the button that copies what is said of it.
    let steps = [click("420", "339"), click("1227", "423")].concat();
    let said = desk.until_copied(&steps, "E-PG-CONNECT");
    for part in [
        "This backup failed",
        "cannot reach the database server",
        "whether the server runs",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }

    rename(&away, &socket);
    desk.until(&BACK_UP, || newest(&world, "succeeded"));
    daemon.stop();
    let log = fs::read_to_string(world.path("window.log")).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}
