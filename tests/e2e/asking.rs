//! Asking the daemon: the same answers as without one, runs that outlive whoever asked for them,
//! pauses that outlive the daemon, and a state that follows what happens.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    process::Command,
};

use rustix::process::Signal;
use serde_json::Value;

use crate::{
    guard::{Daemon, Watch},
    program::{Ran, clean, need},
    world::{JOB, World},
};

/// A world whose job reads a folder.
fn with_folder() -> World {
    let world = World::new();
    let folder = world.path("src");
    world.sources(&format!(
        "§\"files\"\nname = \"src\"\npaths = [\"{folder}\"]\n"
    ));
    world
}

/// A world whose job reads a pipe, and so runs until somebody closes it.
fn with_pipe() -> World {
    need("mkfifo");
    let world = World::new();
    let pipe = world.path("pipe");
    Ran::of({
        let mut command = Command::new("mkfifo");
        command.arg(&pipe);
        command
    })
    .expect(0);
    let source = format!("§\"command\"\nname = \"pipe\"\ncommand = [\"cat\", \"{pipe}\"]\n");
    world.sources(&source);
    world
}

fn runs(world: &World, more: &[&str]) -> Vec<Value> {
    let args = [&["--json", "run", "list"], more].concat();
    let runs = world.backupctl(&args).expect(0).message("runs");
    runs["runs"].as_array().unwrap().clone()
}

/// What an answer says, but for how long it took and when it was asked.
fn same(ran: &Ran) -> Vec<Value> {
    let mut messages = ran.messages();
    messages.iter_mut().for_each(timeless);
    messages
}

fn timeless(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !["took_secs", "now", "at"].contains(&name.as_str()));
            fields.values_mut().for_each(timeless);
        }
        Value::Array(items) => items.iter_mut().for_each(timeless),
        _ => {}
    }
}

#[test]
fn the_daemon_answers_as_the_program_does_by_itself() {
    let world = with_folder();
    let daemon = Daemon::start(&world);
    world.backup();
    fs::write(world.dir.join("src/new"), "more").unwrap();
    world.backup();
    let asked = runs(&world, &["--kind", "backup"]);
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0]["cause"], "by-hand");
    let newest = asked[0]["run"].as_str().unwrap();
    let older = runs(&world, &["--kind", "backup", "--before", newest]);
    assert_eq!(older, asked[1..]);
    assert!(asked[0]["asked_by"].as_str().unwrap().starts_with("uid "));
    for args in [
        &["snapshot", "list"][..],
        &["snapshot", "list", JOB],
        &["snapshot", "show", "app/1"],
        &["verify", "--all"],
        &["retention", "preview", JOB, "--keep-last", "1"],
        &["prune", "plan"],
        &["repo", "stats", "main"],
        &["backup", "nothing"],
        &["snapshot", "show", "app/9"],
    ] {
        let near = world.backupctl(&[&["--json", "--direct"], args].concat());
        let far = world.backupctl(&[&["--json"], args].concat());
        assert_eq!(
            (far.status, same(&far)),
            (near.status, same(&near)),
            "{args:?}"
        );
    }
    for args in [
        &["snapshot", "ls", "app/2"][..],
        &["snapshot", "diff", "app/1", "app/2"],
        &["snapshot", "find", "new"],
        &["verify", "app/2", "--level", "data"],
    ] {
        let near = world.as_admin(&[&["--json", "--direct"], args].concat());
        let far = world.as_admin(&[&["--json"], args].concat());
        assert_eq!(
            (far.status, same(&far)),
            (near.status, same(&near)),
            "{args:?}"
        );
    }
    let by_hand = |world: &World| {
        let mut found = runs(world, &["--kind", "verify"]);
        found.retain(|run| run["cause"] == "by-hand");
        found
    };
    let verified = by_hand(&world);
    assert_eq!(verified.len(), 2);
    let mut watch = Watch::start(&world);
    watch.until(|job| job["proven"]["level"] == "data");
    drop(watch);
    daemon.stop();
    // What the daemon knew is there without it.
    assert_eq!(by_hand(&world), verified);
    let job = world.backupctl(&["--json", "job", "show", JOB]).expect(0);
    assert_eq!(job.message("job")["proven"]["level"], "data");
}

#[test]
fn a_run_outlives_who_asked_for_it_and_can_be_stopped() {
    let world = with_pipe();
    let mut daemon = Daemon::start(&world);
    let mut client = clean(world.program());
    client.args(["--config", &world.path("config.toml"), "backup", JOB]);
    let mut client = client.spawn().unwrap();
    daemon.says("kind=backup");
    client.kill().unwrap();
    client.wait().unwrap();
    let backups = ["--kind", "backup", "--outcome", "running"];
    let under_way = runs(&world, &backups);
    assert_eq!(under_way.len(), 1);
    let busy = world.backupctl(&["--json", "backup", JOB]).expect(11);
    assert_eq!(busy.message("error")["code"], "E-BUSY");
    let run = under_way[0]["run"].as_str().unwrap();
    fs::write(world.path("pipe"), "all of it").unwrap();
    daemon.says("snapshot=app/");
    let shown = world.backupctl(&["--json", "run", "show", run]).expect(0);
    assert_eq!(shown.message("run")["snapshot"], "app/000001");
    let said = world.backupctl(&["run", "logs", run, "--follow"]).expect(0);
    assert!(
        said.text().contains("backup of app, by-hand"),
        "{}",
        said.text()
    );

    let begun = world.backupctl(&["--json", "backup", JOB, "--detach"]);
    assert_eq!(begun.expect(0).message("task")["state"], "running");
    daemon.says("kind=backup");
    let run = runs(&world, &backups)[0]["run"].clone();
    let run = &run.as_str().unwrap()[20..];
    world.backupctl(&["job", "cancel", run]).expect(0);
    daemon.says("outcome=cancelled");
    let shown = world.backupctl(&["--json", "run", "show", run]).expect(0);
    assert_eq!(shown.message("run")["outcome"], "cancelled");
    world
        .backupctl(&["--json", "job", "cancel", run])
        .expect(16);
    daemon.stop();
    world.backupctl(&["repo", "check"]).expect(0);
}

#[test]
fn a_daemon_puts_in_order_what_one_that_was_killed_left() {
    let world = with_pipe();
    let held = world.path("held");
    let config = world.path("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    let hooks = format!(
        "[job.app.hooks]\nbefore = [{{ run = [\"touch\", \"{held}\"] }}]\n\
         finally = [{{ run = [\"mv\", \"{held}\", \"{held}.let-go\"] }}]\n"
    );
    fs::write(&config, text + &hooks).unwrap();
    let daemon = Daemon::start(&world);
    world.backupctl(&["backup", JOB, "--detach"]).expect(0);
    // Opens when the other side does, which comes after the hook.
    let pipe = File::options()
        .write(true)
        .open(world.path("pipe"))
        .unwrap();
    daemon.signal(Signal::KILL);
    daemon.ends();
    assert!(fs::exists(&held).unwrap());
    let mut next = Daemon::begin(&world);
    next.says("were made up for");
    next.says("is up");
    drop(pipe);
    assert!(!fs::exists(&held).unwrap());
    assert!(fs::exists(format!("{held}.let-go")).unwrap());
    next.stop();
}

#[test]
fn a_pause_outlives_the_daemon() {
    let world = with_folder();
    let path = world.path("config.toml");
    let config = fs::read_to_string(&path).unwrap();
    let timed = config.replacen("[job.app]\n", "[job.app]\nschedule = \"every 1d\"\n", 1);
    fs::write(&path, timed).unwrap();
    let state = |world: &World| {
        let job = world.backupctl(&["--json", "job", "show", JOB]).expect(0);
        job.message("job")
    };
    let daemon = Daemon::start(&world);
    assert!(state(&world)["next"].is_string());
    let args = [
        "job",
        "pause",
        JOB,
        "--until",
        "8h",
        "--reason",
        "moving house",
    ];
    world.backupctl(&args).expect(0);
    daemon.stop();
    let mut daemon = Daemon::start(&world);
    let paused = state(&world);
    assert_eq!(paused["paused"]["why"], "moving house");
    assert!(
        paused["paused"]["who"]
            .as_str()
            .unwrap()
            .starts_with("uid ")
    );
    assert!(paused["next"].is_null(), "{paused}");
    // By hand it runs all the same.
    world.backup();
    daemon.says("snapshot=app/");
    world.backupctl(&["job", "resume", JOB]).expect(0);
    let resumed = state(&world);
    assert!(
        resumed["paused"].is_null() && resumed["next"].is_string(),
        "{resumed}"
    );
    daemon.stop();
    // Without a daemon the next one hears of it.
    world.backupctl(&["job", "pause", JOB]).expect(0);
    let daemon = Daemon::start(&world);
    assert!(state(&world)["paused"].is_object());
    daemon.stop();
}

#[test]
fn a_repository_that_is_gone_for_a_while_is_a_breach_for_as_long() {
    let world = with_folder();
    let daemon = Daemon::start(&world);
    world.backup();
    let mut watch = Watch::start(&world);
    let unreadable = |job: &Value| {
        let reasons = job["reasons"].as_array().unwrap();
        reasons
            .iter()
            .any(|reason| reason["reason"] == "repository-unreadable")
    };
    watch.until(|job| job["state"] == "at-risk" && !unreadable(job));
    let [here, away] = ["repo", "away"].map(|name| world.path(name));
    fs::rename(&here, &away).unwrap();
    world.backupctl(&["backup", JOB]).expect(10);
    watch.until(|job| job["state"] == "breached" && unreadable(job));
    world.backupctl(&["status", "--check"]).expect(6);
    fs::rename(&away, &here).unwrap();
    world.backup();
    watch.until(|job| job["state"] == "at-risk" && !unreadable(job));
    daemon.stop();
}

#[test]
fn tokens_are_made_and_taken_away_with_a_daemon_and_without() {
    let world = with_folder();
    let create = [
        "--json",
        "token",
        "create",
        "monitoring",
        "--scope",
        "status",
    ];
    let made = world.backupctl(&create).expect(0).message("token");
    let secret = made["token"].as_str().unwrap().to_owned();
    let daemon = Daemon::start(&world);
    let id = made["id"].as_str().unwrap();
    let rotated = world
        .backupctl(&["--json", "token", "rotate", id])
        .expect(0);
    assert_ne!(rotated.message("token")["token"], secret.as_str());
    let listed = world.backupctl(&["--json", "token", "list"]).expect(0);
    assert!(listed.text().contains(id) && !listed.text().contains(&secret[20..]));
    // Behind its back it would still count: the daemon has read the file.
    let behind = ["--json", "--direct", "token", "revoke", id];
    let refused = world.backupctl(&behind).expect(11);
    assert_eq!(refused.message("error")["code"], "E-BUSY");
    world.backupctl(&["token", "revoke", id]).expect(0);
    world.backupctl(&["token", "revoke", id]).expect(16);
    daemon.stop();
    let listed = world.backupctl(&["--json", "token", "list"]).expect(0);
    assert_eq!(listed.message("tokens")["tokens"], Value::Array(Vec::new()));
}

#[test]
fn a_daemon_that_waits_takes_little_memory() {
    const MOST_KIB: u64 = 30 << 10;
    let world = with_folder();
    world.backup();
    let daemon = Daemon::start(&world);
    world.backup();
    Watch::start(&world).until(|job| job["snapshots"] == 2);
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.id())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    writeln!(io::stdout(), "resident after a backup: {kib} KiB").unwrap();
    assert!(kib <= MOST_KIB, "{kib} KiB");
    daemon.stop();
}
