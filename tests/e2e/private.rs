//! A private daemon: on a repository alone, for whoever started it, and gone with them.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::OpenOptionsExt as _,
    process::Stdio,
};

use serde_json::Value;

use crate::{
    program::{Ran, clean},
    world::World,
};

#[test]
fn a_repository_alone_is_served_until_whoever_asked_for_it_is_gone() {
    let world = World::new();
    world.backup();
    let mut command = clean(&world.program().with_file_name("backupd"));
    command.args(["run", "--private", "--repository", &world.path("repo")]);
    command.args(["--trust", &world.trust]);
    command.env("TMPDIR", world.path("tmp"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut daemon = command.spawn().unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(daemon.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let address = ready["address"].as_str().unwrap();
    assert!(address.starts_with("http://127.0.0.1:"), "{address}");
    let token = world.path("token");
    let mut file = fs::OpenOptions::new();
    let file = file.write(true).create_new(true).mode(0o600).open(&token);
    std::io::Write::write_all(
        &mut file.unwrap(),
        ready["token"].as_str().unwrap().as_bytes(),
    )
    .unwrap();

    let ask = |more: &[&str]| {
        let mut command = clean(world.program());
        command.args(["--json", "--daemon", address]).args(more);
        Ran::of(command)
    };
    let refused = ask(&["snapshot", "list"]).expect(19);
    assert_eq!(refused.message("error")["code"], "E-SIGN-IN");
    let listed = ask(&["--token-file", &token, "snapshot", "list"]).expect(0);
    assert_eq!(
        listed.message("snapshots")["snapshots"][0]["snapshot"],
        "app/000001"
    );
    let identity = world.identity();
    let data = [
        "--token-file",
        &token,
        "verify",
        "--level",
        "data",
        "--identity",
        &identity,
    ];
    ask(&data).expect(0);
    let runs = ask(&["--token-file", &token, "run", "list", "--kind", "verify"]).expect(0);
    assert_eq!(runs.message("runs")["runs"][0]["kind"], "verify");

    drop(daemon.stdin.take());
    assert_eq!(daemon.wait().unwrap().code(), Some(0));
    ask(&["--token-file", &token, "snapshot", "list"]).expect(20);
    world.assert_tidy();
}

/// Arguments are seen by others, and what is refused of them is not said again in a log.
#[test]
fn a_secret_in_an_address_is_not_repeated() {
    let world = World::new();
    for (flag, value) in [
        ("--repository", "s3://id:geheim@bucket"),
        ("--endpoint", "https://id:geheim@host"),
    ] {
        let mut command = clean(&world.program().with_file_name("backupd"));
        command.args(["run", "--private", "--trust", &world.trust, flag, value]);
        let ran = Ran::of(command).expect(2);
        assert!(
            ran.stderr.contains("E-SECRET-IN-ARGUMENT"),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains(flag), "{}", ran.stderr);
        let said = ran.text() + &ran.stderr;
        assert!(!said.contains("geheim"), "{said}");
    }
}
