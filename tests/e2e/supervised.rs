//! The daemon as a service: what it tells whoever started it, and what it tells whoever measures.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::net::UnixDatagram,
    time::Duration,
};

use rustix::process::Signal;

use crate::{guard::Daemon, world::World};

/// A world whose job runs each second, with this besides.
fn busy(more: &str) -> World {
    let source = "§\"files\"\nname = \"config\"\npaths = [\"WORLD/src\"]\n";
    busy_with(source, more)
}

/// The same, of this source.
pub(crate) fn busy_with(source: &str, more: &str) -> World {
    let world = World::new();
    world.sources(&source.replace("WORLD", &world.dir.display().to_string()));
    let path = world.path("config.toml");
    let config = fs::read_to_string(&path).unwrap();
    let timed = config.replacen("[job.app]\n", "[job.app]\nschedule = \"* * * * * *\"\n", 1);
    assert_ne!(timed, config);
    let zone = "[defaults]\ntimezone = \"UTC\"";
    fs::write(&path, format!("{timed}\n{zone}\n{more}")).unwrap();
    world
}

/// What a service manager hears, the next time.
fn heard(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 1024];
    let len = socket.recv(&mut buffer).expect("it is told something");
    String::from_utf8(buffer[..len].to_vec()).unwrap()
}

/// What a service manager hears until it hears this.
fn heard_until(socket: &UnixDatagram, wanted: &str) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let message = heard(socket);
        let last = message.lines().any(|line| line == wanted);
        all.push(message);
        if last {
            return all;
        }
    }
}

#[test]
fn a_service_manager_hears_how_it_fares() {
    let world = busy("");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_mins(1)))
        .unwrap();
    let variable = ("NOTIFY_SOCKET", path.to_str().unwrap());
    let mut daemon = Daemon::begin_with(&world, &[variable]);
    heard_until(&socket, "READY=1");
    // It is ready, so it answers.
    world.backupctl(&["job", "list"]).expect(0);
    heard_until(&socket, "WATCHDOG=1");
    daemon.says("is up");

    daemon.signal(Signal::HUP);
    let reloading = heard_until(&socket, "RELOADING=1").pop().unwrap();
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    heard_until(&socket, "READY=1");
    heard_until(&socket, "WATCHDOG=1");

    daemon.signal(Signal::TERM);
    heard_until(&socket, "STOPPING=1");
    assert_eq!(daemon.ends(), Some(0));
    socket.set_nonblocking(true).unwrap();
    let mut buffer = [0; 1024];
    while let Ok(len) = socket.recv(&mut buffer) {
        let late = String::from_utf8_lossy(&buffer[..len]);
        assert!(!late.contains("READY=1"), "{late}");
    }
}

fn scrape(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn metrics_tell_of_runs_that_a_schedule_began() {
    let world = busy("[metrics]\nlisten = \"127.0.0.1:0\"\n");
    let mut daemon = Daemon::begin(&world);
    let line = daemon.says("metrics are here");
    let address = line.split("address=").nth(1).unwrap();
    let address = address.split_whitespace().next().unwrap().to_owned();
    let succeeded = r#"backupd_runs_total{job="app",outcome="succeeded"} "#;
    let count = |page: &str| {
        let line = page.lines().find_map(|line| line.strip_prefix(succeeded));
        line.map_or(0, |count| count.parse::<u64>().unwrap())
    };
    for _ in 0..3 {
        daemon.says("snapshot=app/");
    }
    // A run is counted before it is over for the schedule, and the third began after the second.
    let page = scrape(&address);
    assert!(count(&page) >= 2, "{page}");
    for name in [
        "backupd_job_last_success_timestamp_seconds{job=\"app\"",
        "backupd_scheduler_heartbeat_timestamp_seconds ",
        "backupd_repository_snapshots{",
        "backupd_repository_stored_bytes{",
        "backupd_run_duration_seconds_bucket{",
    ] {
        assert!(page.contains(name), "{name} is not in {page}");
    }
    let once_more = scrape(&address);
    assert!(count(&once_more) >= count(&page));
    daemon.stop();
}
