//! What the daemon does besides backups, all of it by schedule: it forgets, prunes, verifies and
//! probes, and says so when a stored byte is not what it was.

#![expect(
    clippy::print_stdout,
    reason = "figures are for whoever asks to see them"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    guard::{Daemon, Watch},
    numbers::Numbers,
    world::{JOB, World},
};

/// So many are kept by the policy.
const KEPT: u64 = 2;
const MADE: u64 = 5;

/// A world whose job reads a folder, and whose upkeep is due all the time.
fn world() -> World {
    let world = World::new();
    let src = world.path("src");
    world.sources(&format!(
        "§\"files\"\nname = \"src\"\npaths = [\"{src}\"]\n"
    ));
    world.policy(&format!("keep_last = {KEPT}, min_keep = 1"));
    let path = world.path("config.toml");
    let config = fs::read_to_string(&path).unwrap();
    let upkeep = "verify = { full_coverage = \"4s\" }\n\n[upkeep]\nretention = \"every 2s\"\n\
                  prune = \"every 2s\"\nverify = \"every 2s\"\nprobe = \"every 2s\"\n\
                  prune_grace = \"1s\"\n";
    fs::write(&path, config + upkeep).unwrap();
    world
}

/// The runs of a kind that ended so.
fn runs(world: &World, kind: &str, outcome: &str) -> Vec<Value> {
    let args = [
        "--json",
        "run",
        "list",
        "--limit",
        "500",
        "--kind",
        kind,
        "--outcome",
        outcome,
    ];
    let page = world.backupctl(&args).expect(0).message("runs");
    page["runs"].as_array().unwrap().clone()
}

fn snapshots(world: &World) -> Vec<String> {
    let list = world.backupctl(&["--json", "snapshot", "list"]).expect(0);
    let list = list.message("snapshots");
    let snapshots = list["snapshots"].as_array().unwrap().iter();
    snapshots
        .map(|each| each["snapshot"].as_str().unwrap().to_owned())
        .collect()
}

fn name(number: u64) -> String {
    format!("{JOB}/{number:06}")
}

/// The files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn everything_besides_backups_is_done_by_schedule_and_damage_is_found() {
    let world = world();
    let mut numbers = Numbers::of(1, 0);
    // Most of each snapshot is in all of them: what goes is too little for a person to be asked.
    fs::write(world.path("src/same"), numbers.bytes(4 << 20)).unwrap();
    let mut daemon = Daemon::start(&world);
    for _ in 0..MADE {
        fs::write(world.path("src/other"), numbers.bytes(100 << 10)).unwrap();
        world.backup();
    }
    for kind in ["retention", "prune", "verify", "probe"] {
        daemon.says(&format!("kind={kind}"));
    }
    let mut watch = Watch::start(&world);
    watch.until(|job| job["snapshots"] == KEPT && job["proven"]["level"] == "storage");
    let kept: Vec<_> = (MADE - KEPT + 1..=MADE).map(name).collect();
    assert_eq!(snapshots(&world), kept);
    // A prune that began after the last forget has an end, too.
    let packs = world.dir.join("repo/packs");
    let left = || {
        let plan = world.backupctl(&["--json", "prune", "plan"]).expect(0);
        plan.message("prune-plan")["repositories"][0]["packs"]["objects"] != 0
    };
    for _ in 0..20 {
        daemon.says("kind=prune");
        if !left() {
            break;
        }
    }
    assert!(!left(), "what nobody names stays");
    for kind in ["retention", "prune", "verify", "probe"] {
        let [good, bad] = ["succeeded", "failed"].map(|outcome| runs(&world, kind, outcome));
        println!("{kind}: {} succeeded, {} failed", good.len(), bad.len());
        assert!(!good.is_empty() && bad.is_empty(), "{kind}: {bad:?}");
    }
    world.backupctl(&["repo", "check"]).expect(0);

    flip(&packs);
    let found = watch.until(|job| job["state"] == "breached");
    let reasons = found["jobs"][0]["reasons"].as_array().unwrap();
    let damaged = reasons.iter().find(|it| it["reason"] == "damaged").unwrap();
    let named: Vec<_> = damaged["snapshots"].as_array().unwrap().iter().collect();
    println!("damaged: {named:?}");
    assert!(named.iter().all(|it| kept.iter().any(|name| *it == name)) && !named.is_empty());
    let said = world.backupctl(&["status", "--check"]).expect(6).text();
    assert!(kept.iter().any(|name| said.contains(name)), "{said}");
    let failed = runs(&world, "verify", "failed");
    assert!(!failed.is_empty());
    assert_eq!(failed[0]["failure"]["code"], "E-DAMAGED");
    daemon.stop();
}

/// Flips a bit in the middle of the largest pack.
fn flip(packs: &Path) {
    let size = |path: &PathBuf| fs::metadata(path).unwrap().len();
    let largest = files(packs).into_iter().max_by_key(size).unwrap();
    let mut bytes = fs::read(&largest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(largest, bytes).unwrap();
}
