//! What an administrator does in the shipped window besides restoring: every byte is verified, and a
//! new epoch begun. Both are found outside, in runs, trust and the audit log.

use std::fs;

use serde_json::Value;

use crate::{
    guard::Daemon,
    program::need,
    restoring::open_key,
    window::{Desk, click, fill},
    world::World,
};

fn verified(world: &World) -> Option<Value> {
    let listed = world.backupctl(&["--json", "run", "list", "--kind", "verify"]);
    let listed = listed.expect(0).message("runs");
    let mut runs = listed["runs"].as_array().unwrap().iter();
    let by_hand = runs.find(|run| run["cause"] == "by-hand" && run["outcome"] != "running");
    by_hand.cloned()
}

fn epochs(world: &World) -> usize {
    let keys = world.backupctl(&["--json", "key", "list"]).expect(0);
    keys.message("keys")["epochs"].as_array().unwrap().len()
}

#[test]
fn every_byte_is_verified_and_an_epoch_begun_in_the_window() {
    need("xdotool");
    let world = World::new();
    world.backup();
    let daemon = Daemon::start(&world);
    let mut desk = Desk::open(&world, "glow");
    let (identity, root) = (world.identity(), world.path("keys/root.key"));
    assert_eq!(epochs(&world), 1);
    let steps = [
        open_key(&identity),
        vec!["key", "ctrl+5", "sleep", "1.5"],
        click("836", "249"),
    ];
    let run = desk.until(&steps.concat(), || verified(&world));
    assert_eq!(run["outcome"], "succeeded", "{run}");
    assert!(run["read_bytes"].as_u64() > Some(20_000), "{run}");

    let steps = [
        vec!["key", "ctrl+6", "sleep", "1.5"],
        click("812", "514"),
        fill("640", "404", &root),
        click("868", "508"),
        vec!["sleep", "2", "key", "Escape"],
    ];
    desk.until(&steps.concat(), || (epochs(&world) > 1).then_some(()));
    // What is stored from now on opens with the same key.
    world.backup();
    let data = ["verify", "--all", "--level", "data"];
    world.as_admin(&data).expect(0);
    let audit = world.backupctl(&["audit", "list"]).expect(0).text();
    for action in ["verify", "trust"] {
        assert!(audit.contains(action), "{action}: {audit}");
    }
    daemon.stop();
    let log = fs::read_to_string(world.path("window.log")).unwrap();
    assert!(!log.contains("panicked"), "{log}");
    let secret = fs::read_to_string(&root).unwrap();
    let secret = secret.lines().last().unwrap();
    assert!(!audit.contains(secret) && !log.contains(secret));
}
