//! What people hear of a daemon whose source breaks and comes back: at a real endpoint, once for
//! each change, and with no secret where it does not belong.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    sync::mpsc::{Receiver, sync_channel},
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::{guard::Daemon, supervised::busy_with, world::World};

const CANARY: &str = "canary7Hq2Vw9Lk4";

/// An endpoint at loopback: its port, and what is posted there, head and body.
fn endpoint() -> (u16, Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (say, said) = sync_channel(1000);
    let serve = move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut got = String::new();
            let mut buffer = [0; 4096];
            let request = loop {
                let len = stream.read(&mut buffer).unwrap();
                got.push_str(std::str::from_utf8(&buffer[..len]).unwrap());
                let Some((head, body)) = got.split_once("\r\n\r\n") else {
                    continue;
                };
                let length = head.to_lowercase();
                let length = length.split("content-length: ").nth(1);
                let length = length.map_or(0, |it| it.lines().next().unwrap().parse().unwrap());
                if body.len() >= length {
                    break (head.to_owned(), body.to_owned());
                }
            };
            let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer.as_bytes()).unwrap();
            if say.send(request).is_err() {
                return;
            }
        }
    };
    let server = thread::Builder::new().name("endpoint".to_owned());
    server.spawn(serve).unwrap();
    (port, said)
}

pub(crate) fn secret(world: &World, name: &str, text: &str) {
    let path = world.path(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The next event, and what it says is over.
fn event(said: &Receiver<(String, String)>) -> (String, Option<String>) {
    let (head, body) = said.recv_timeout(Duration::from_secs(90)).unwrap();
    assert!(head.starts_with(&format!("POST /{CANARY} ")), "{head}");
    let body: Value = serde_json::from_str(&body).unwrap();
    let events = body["events"].as_array().unwrap();
    assert_eq!(events.len(), 1, "{body}");
    assert_eq!(events[0]["job"], "app");
    let over = events[0]["over"].as_str().map(str::to_owned);
    (events[0]["event"].as_str().unwrap().to_owned(), over)
}

#[test]
fn people_hear_that_it_breaks_and_that_it_is_well_again() {
    let source = "§\"command\"\nname = \"made\"\ncommand = [\"cat\", \"WORLD/made\"]\n";
    let channels = "[notify.ops]\nkind = \"webhook\"\nurl = { file = \"ops.url\" }\n\
        token = { file = \"ops.token\" }\nevents = [\"failed\", \"recovered\"]\n\
        [notify.deadman]\nkind = \"healthchecks\"\nurl = { file = \"deadman.url\" }\n";
    let world = busy_with(source, channels);
    let (port, ops) = endpoint();
    let (pings_port, pings) = endpoint();
    secret(
        &world,
        "ops.url",
        &format!("http://127.0.0.1:{port}/{CANARY}"),
    );
    secret(&world, "ops.token", &format!("tk{CANARY}"));
    let url = format!("http://127.0.0.1:{pings_port}/{CANARY}");
    secret(&world, "deadman.url", &url);
    fs::write(world.path("made"), "made").unwrap();

    let daemon = Daemon::begin(&world);
    let ping = |wanted: &str| {
        let wanted = format!("POST /{CANARY}{wanted}?rid=");
        let (head, _) = pings.recv_timeout(Duration::from_secs(90)).unwrap();
        head.starts_with(&wanted)
    };
    assert!(ping("/start"));
    assert!(ping(""));
    fs::remove_file(world.path("made")).unwrap();
    assert_eq!(event(&ops), ("failed".to_owned(), None));
    while !ping("/fail") {}
    // It goes on failing, and nobody hears of it again; nor after a restart.
    while !ping("/fail") {}
    let said = daemon.stop_and_read();
    let daemon = Daemon::begin(&world);
    while !ping("/fail") {}
    fs::write(world.path("made"), "made").unwrap();
    let over = Some("failed".to_owned());
    assert_eq!(event(&ops), ("recovered".to_owned(), over));

    let status = world.backupctl(&["--json", "status"]);
    let shown = world.backupctl(&["config", "show"]);
    let log = daemon.stop_and_read();
    let told = fs::read_to_string(world.path("state/notify.json")).unwrap();
    let outputs = [&said, &log, &told, &status.stderr, &shown.stderr];
    for text in outputs.into_iter().chain([&status.text(), &shown.text()]) {
        assert!(!text.contains(CANARY), "{text}");
    }
    assert!(ops.try_recv().is_err());
}

#[test]
fn a_test_message_says_whether_people_would_hear() {
    let source = "§\"command\"\nname = \"made\"\ncommand = [\"cat\", \"WORLD/made\"]\n";
    let channels = "[notify.ops]\nkind = \"webhook\"\nurl = { file = \"ops.url\" }\n\
        events = [\"config-invalid\"]\n[notify.wrong]\nkind = \"ntfy\"\nurl = { file = \"wrong.url\" }\n\
        events = [\"config-invalid\"]\n";
    let world = busy_with(source, channels);
    fs::write(world.path("made"), "made").unwrap();
    let (port, ops) = endpoint();
    secret(
        &world,
        "ops.url",
        &format!("http://127.0.0.1:{port}/{CANARY}"),
    );
    // Nobody listens at a port that was just let go.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let wrong = format!("http://{}/{CANARY}", gone.local_addr().unwrap());
    drop(gone);
    secret(&world, "wrong.url", &wrong);
    let asked = |direct: &[&str]| {
        let arrives = world.backupctl(&[direct, &["notify", "test", "ops"]].concat());
        let arrives = arrives.expect(0).text();
        assert!(arrives.contains("✓ ops  delivered by webhook"), "{arrives}");
        let (head, body) = ops.recv_timeout(Duration::from_secs(90)).unwrap();
        assert!(head.starts_with(&format!("POST /{CANARY} ")), "{head}");
        assert!(body.contains("a test"), "{body}");
        let all = world.backupctl(&[direct, &["notify", "test"]].concat());
        let all = all.expect(1);
        assert!(ops.recv_timeout(Duration::from_secs(90)).is_ok());
        let refused = &all.stderr;
        assert!(refused.contains("by `wrong` was not delivered: no connection"));
        let unknown = world.backupctl(&[direct, &["notify", "test", "nobody"]].concat());
        assert!(unknown.expect(16).stderr.contains("E-NO-CHANNEL"));
        let listed = world.backupctl(&[direct, &["notify", "list"]].concat());
        let listed = listed.expect(0).text();
        let line = |name: &str| {
            let found = listed.lines().find(|line| line.starts_with(name));
            found.unwrap_or_else(|| panic!("{listed}")).to_owned()
        };
        assert!(line("ops").contains(" ago"), "{listed}");
        assert!(line("wrong").contains("no connection"), "{listed}");
        for text in [&arrives, &listed, &all.text(), &all.stderr] {
            assert!(!text.contains(CANARY), "{text}");
        }
    };
    asked(&["--direct"]);
    let daemon = Daemon::start(&world);
    // What became of messages is remembered.
    let before = world.backupctl(&["notify", "list"]).expect(0).text();
    assert!(before.contains("no connection"), "{before}");
    asked(&[]);
    assert!(!daemon.stop_and_read().contains(CANARY));
}
