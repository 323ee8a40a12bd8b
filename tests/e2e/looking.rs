//! Looking into snapshots, and getting one file back.

use std::fs;

use serde_json::Value;

use crate::world::{JOB, World};

fn messages(ran: &crate::program::Ran, kind: &str) -> Vec<Value> {
    let mut messages = ran.messages();
    messages.retain(|message| message["type"] == kind && message["v"] == 1);
    messages
}

#[test]
fn one_file_is_found_compared_and_restored() {
    let world = World::new();
    world.backup();
    fs::write(world.dir.join("src/.env"), "PORT=80\n").unwrap();
    fs::write(world.dir.join("src/new \u{1b}[2J"), "x").unwrap();
    world.psql("app", "update note set title = 'new' where id = 7");
    world.backup();

    let src = world.path("src");
    let inside = src.strip_prefix('/').unwrap();
    let args = ["snapshot", "ls", JOB, &src];
    let text = world.as_admin(&args).expect(0).text();
    let listed = world.as_admin(&[&args[..], &["--json"]].concat()).expect(0);
    let listed = messages(&listed, "entry");
    assert_eq!((text.lines().count(), listed.len()), (3, 3), "{text}");
    assert!(!text.contains('\u{1b}'), "names do not steer the terminal");
    assert_eq!(listed[0]["path"], format!("{inside}/.env"));
    assert_eq!(listed[0]["size_bytes"], 8);

    let args = ["snapshot", "diff", "app/1", "app/2"];
    let text = world.as_admin(&args).expect(0).text();
    let changed = format!("changed  {inside}/.env  (10 B → 8 B, time)");
    assert!(text.lines().any(|line| line == changed), "{text}");
    assert!(text.contains("changed  stream app.dump  ("), "{text}");
    let json = world.as_admin(&[&args[..], &["--json"]].concat()).expect(0);
    let differences = messages(&json, "difference");
    assert_eq!(differences.len(), text.lines().count());
    for (of, change) in [("entry", "added"), ("stream", "changed")] {
        let is = |difference: &Value| difference["of"] == of && difference["change"] == change;
        assert!(differences.iter().any(is), "{of} {change}");
    }

    let args = ["snapshot", "find", ".env", "--job", JOB];
    let text = world.as_admin(&args).expect(0).text();
    let snapshots: Vec<_> = text.lines().map(|line| &line[..10]).collect();
    assert_eq!(snapshots, ["app/000002", "app/000001"]);
    let json = world.as_admin(&[&args[..], &["--json"]].concat()).expect(0);
    assert_eq!(messages(&json, "found")[1]["size_bytes"], 10);

    let (file, out) = (world.path("src/.env"), world.path("out"));
    let args = ["restore", "app/1", "--path", &file, "--to-folder", &out];
    let plan = world.as_admin(&[&args[..], &["-n"]].concat()).expect(0);
    assert!(plan.text().contains("1 entry"), "{}", plan.text());
    world.as_admin(&[&args[..], &["-y"]].concat()).expect(0);
    let restored = world.dir.join("out").join(inside);
    assert_eq!(
        fs::read_to_string(restored.join(".env")).unwrap(),
        "PORT=8080\n"
    );
    assert_eq!(fs::read_dir(&restored).unwrap().count(), 1);
    world.assert_tidy();
}

#[test]
fn what_is_not_there_has_its_status() {
    let world = World::new();
    world.backup();
    let out = world.path("out");
    for args in [
        &["snapshot", "ls", JOB, "no/such"][..],
        &["snapshot", "diff", "app/1", "app/1", "no/such"],
        &["snapshot", "find", "no-such"],
        &[
            "restore",
            JOB,
            "-y",
            "--path",
            "no/such",
            "--to-folder",
            &out,
        ],
    ] {
        let ran = world.as_admin(args).expect(16);
        assert!(ran.stderr.contains("E-NO-PATH"), "{}", ran.stderr);
        assert!(ran.stderr.contains("no"), "{}", ran.stderr);
        world.backupctl(args).expect(12);
    }
    world.as_admin(&["snapshot", "find", "a["]).expect(2);
    world.as_admin(&["snapshot", "ls", JOB, "../up"]).expect(2);
}
