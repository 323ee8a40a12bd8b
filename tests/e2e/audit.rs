//! The audit log of a real daemon: what people and the schedule do is in it, and whatever is done
//! to it is seen.

use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::{
    guard::Daemon,
    network::free_ports,
    program::{Ran, stock},
    world::{JOB, World},
};

/// A world whose job reads a folder every few seconds, and whose daemon answers on loopback, too:
/// at this port.
fn world(port: u16) -> World {
    let world = World::new();
    let folder = world.path("src");
    world.sources(&format!(
        "§\"files\"\nname = \"src\"\npaths = [\"{folder}\"]\n"
    ));
    let path = world.path("config.toml");
    let text = fs::read_to_string(&path).unwrap();
    let head = format!("[job.{JOB}]\n");
    let text = text.replacen(&head, &format!("{head}schedule = \"every 2s\"\n"), 1);
    let socket = world.path("state/api.sock");
    let server = format!("\n[server]\nlisten = [\"unix:{socket}\", \"http://127.0.0.1:{port}\"]\n");
    fs::write(&path, text + &server).unwrap();
    world
}

fn entries(world: &World, more: &[&str]) -> Vec<Value> {
    let args = [&["--json", "audit", "list", "--limit", "500"], more].concat();
    let page = world.backupctl(&args).expect(0).message("audit");
    page["entries"].as_array().unwrap().clone()
}

fn file(world: &World) -> PathBuf {
    let folder = fs::read_dir(world.path("state/audit")).unwrap();
    let mut files: Vec<PathBuf> = folder.map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "jsonl"));
    files.sort();
    files.remove(0)
}

fn lines(world: &World) -> Vec<String> {
    let text = fs::read_to_string(file(world)).unwrap();
    text.split_inclusive('\n').map(str::to_owned).collect()
}

/// Data and words.
fn said(ran: &Ran) -> String {
    format!("{}{}", ran.text(), ran.stderr)
}

fn verified(world: &World, status: i32, words: &str) {
    let ran = world
        .backupctl(&["--direct", "audit", "verify"])
        .expect(status);
    assert!(ran.text().contains(words), "{}", ran.text());
}

#[test]
fn who_did_what_is_on_record_and_a_changed_record_is_seen() {
    let [port, _] = free_ports();
    let world = world(port);
    let mut daemon = Daemon::start(&world);
    daemon.says("snapshot=app/000001");
    let token = world
        .backupctl(&["--json", "token", "create", "t", "--scope", "status"])
        .expect(0)
        .message("token");
    let id = token["id"].as_str().unwrap();
    Ran::of({
        let wrong = format!("Authorization: Bearer bk_{id}_{}", "0".repeat(64));
        let mut curl = stock("curl");
        curl.args([
            "-s",
            "-H",
            &wrong,
            &format!("http://127.0.0.1:{port}/v1/jobs"),
        ]);
        curl
    })
    .expect(0);
    daemon.says("event=auth_failure");
    world.backupctl(&["token", "revoke", id]).expect(0);
    world
        .backupctl(&["job", "pause", JOB, "--until", "1h"])
        .expect(0);

    let scheduled = entries(&world, &["--actor", "schedule", "--action", "backup"]);
    assert!(scheduled.len() >= 2, "{scheduled:?}");
    assert_eq!(scheduled[0]["object"], JOB);
    let uid = uid();
    let tokens = entries(&world, &["--action", "token"]);
    let told = |entry: &Value| format!("{} {}", entry["action"], entry["outcome"]);
    let told: Vec<_> = tokens.iter().map(told).collect();
    assert_eq!(
        told,
        [
            "\"token.revoke\" \"done\"",
            "\"token.revoke\" \"began\"",
            "\"token.add\" \"done\"",
            "\"token.add\" \"began\""
        ]
    );
    assert!(tokens.iter().all(|entry| entry["actor"] == *uid));
    let wrong = entries(&world, &["--source", "127.0.0.1", "--action", "sign-in"]);
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert_eq!(
        (&wrong[0]["outcome"], &wrong[0]["object"]),
        (&"refused".into(), &id.into())
    );
    assert!(!lines(&world).concat().contains("127.0.0.1"));

    // One more that the newest snapshot knows of, and one after it.
    world.backupctl(&["job", "resume", JOB]).expect(0);
    daemon.says("snapshot=app/");
    daemon.says("snapshot=app/");
    daemon.stop();
    world
        .backupctl(&["--direct", "job", "pause", JOB, "--until", "1h"])
        .expect(0);
    verified(&world, 0, "✓ verified from entry 1 to entry ");
    whatever_is_done_to_it_is_seen(&world);
}

fn uid() -> String {
    format!("uid {}", rustix::process::getuid().as_raw())
}

fn whatever_is_done_to_it_is_seen(world: &World) {
    // What the README says to check it with elsewhere.
    let export = world.backupctl(&["audit", "export"]).expect(0).text();
    let first = export.lines().next().unwrap();
    fs::write(world.path("first"), format!("{first}\n")).unwrap();
    let mut sum = stock("sha256sum");
    sum.arg(world.path("first"));
    let sum = Ran::of(sum).expect(0).text();
    let second: Value = serde_json::from_str(export.lines().nth(1).unwrap()).unwrap();
    assert_eq!(second["prev"], sum[..64]);

    let whole = lines(world);
    let changes: [(&str, Vec<String>, &str); 4] = [
        (
            "cut",
            whole[..whole.len() / 2].to_vec(),
            "is not there: cut off or replaced",
        ),
        (
            "removed",
            [&whole[..3], &whole[4..]].concat(),
            "comes after entry 3",
        ),
        (
            "changed",
            {
                let mut lines = whole.clone();
                lines[2] = lines[2]
                    .replace(&uid(), "uid 4242")
                    .replace("schedule", "somebody");
                lines
            },
            "does not follow from the line before it",
        ),
        ("gone", Vec::new(), "is not there: cut off or replaced"),
    ];
    for (what, lines, words) in changes {
        fs::write(file(world), lines.concat()).unwrap();
        let ran = world.backupctl(&["--direct", "audit", "verify"]).expect(4);
        assert!(said(&ran).contains(words), "{what}: {}", said(&ran));
        assert!(said(&ran).contains("E-AUDIT-DAMAGED"), "{what}");
    }
    fs::write(file(world), whole.concat()).unwrap();
    verified(world, 0, "✓ verified");
}
