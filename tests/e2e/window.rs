//! The shipped window on a screen of its own, at a real daemon: what somebody does there with keys
//! and mouse is seen outside, in the daemon's own runs and in its audit log.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    guard::Daemon,
    program::{Ran, backupctl, clean, stock},
    world::World,
};

const SIZE: &str = "1280x800x24";
/// What somebody does is tried again until it has come of it, and no longer than this: nobody
/// outside knows when a window has drawn.
const PATIENCE: Duration = Duration::from_secs(90);

/// Ends with the test.
struct Process(Child);

impl Process {
    fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_running() {
            kill_process(Pid::from_child(&self.0), Signal::TERM).unwrap();
            self.0.wait().unwrap();
        }
    }
}

/// A screen that nobody looks at, and the window on it.
pub(crate) struct Desk {
    display: String,
    home: String,
    window: Process,
    _screen: Process,
}

impl Desk {
    pub(crate) fn open(world: &World, renderer: &str) -> Self {
        let socket = format!("unix:{}", world.path("state/api.sock"));
        Self::begin(world, &["--renderer", renderer, "--server", &socket])
    }

    /// A window that nobody has told of a daemon.
    pub(crate) fn alone(world: &World, renderer: &str) -> Self {
        Self::begin(world, &["--renderer", renderer])
    }

    fn begin(world: &World, arguments: &[&str]) -> Self {
        let mut screen = stock("Xvfb");
        screen.args(["-displayfd", "1", "-screen", "0", SIZE, "-nolisten", "tcp"]);
        let screen = screen.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut screen = screen.spawn().unwrap();
        let mut number = String::new();
        let said = screen.stdout.take().unwrap();
        BufReader::new(said).read_line(&mut number).unwrap();
        let display = format!(":{}", number.trim());
        let home = world.path("home");
        fs::create_dir_all(&home).unwrap();
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
        let mut window = clean(&world.program().with_file_name("admin-gui"));
        window
            .args(arguments)
            .env("DISPLAY", &display)
            .env("HOME", &home)
            .env("XDG_RUNTIME_DIR", &home)
            .stderr(fs::File::create(world.path("window.log")).unwrap());
        let window = Process(window.spawn().unwrap());
        Self {
            display,
            home,
            window,
            _screen: Process(screen),
        }
    }

    /// Does something with keys and mouse, in the window.
    pub(crate) fn act(&self, steps: &[&str]) {
        let mut command = stock("timeout");
        command.args(["60", "xdotool", "search", "--sync", "--onlyvisible"]);
        command.args(["--name", "^Backup console$", "windowfocus", "--sync"]);
        command
            .args(steps)
            .env("DISPLAY", &self.display)
            .env("HOME", &self.home);
        Ran::of(command).expect(0);
    }

    /// Does it again and again, until something with this in it was copied in the window.
    pub(crate) fn until_copied(&mut self, steps: &[&str], part: &str) -> String {
        crate::program::need("xclip");
        let display = self.display.clone();
        self.until(steps, || {
            let mut command = stock("timeout");
            command.args(["20", "xclip", "-out", "-selection", "clipboard"]);
            command.env("DISPLAY", &display);
            // As long as nothing was copied, it fails, and gives nothing.
            let copied = Ran::of(command).text();
            Some(copied).filter(|copied| copied.contains(part))
        })
    }

    /// Does it again and again, until this holds outside.
    pub(crate) fn until<T>(&mut self, steps: &[&str], mut holds: impl FnMut() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            assert!(self.window.is_running(), "the window is gone");
            assert!(begun.elapsed() < PATIENCE, "nothing comes of {steps:?}");
            self.act(steps);
            let looked = Instant::now();
            while looked.elapsed() < Duration::from_secs(4) {
                if let Some(found) = holds() {
                    return found;
                }
            }
        }
    }
}

/// Clicks, and lets the window draw what comes of it.
pub(crate) fn click<'a>(x: &'a str, y: &'a str) -> Vec<&'a str> {
    vec!["mousemove", x, y, "click", "1", "sleep", "1"]
}

/// Clicks into a field and puts this there.
pub(crate) fn fill<'a>(x: &'a str, y: &'a str, words: &'a str) -> Vec<&'a str> {
    let begin = [
        "mousemove",
        x,
        y,
        "click",
        "1",
        "sleep",
        "0.3",
        "key",
        "ctrl+a",
    ];
    let end = [
        "type", "--args", "1", "--delay", "15", words, "sleep", "0.6",
    ];
    [&begin[..], &end].concat()
}

/// The backups; what the daemon does by itself is not meant.
pub(crate) fn backups(world: &World) -> Vec<Value> {
    let listed = world.backupctl(&["--json", "run", "list"]).expect(0);
    let mut runs = listed.message("runs")["runs"].as_array().unwrap().clone();
    runs.retain(|run| run["kind"] == "backup");
    runs
}

/// To the jobs, into the first one, and its first button; each after the window has drawn what
/// came before.
pub(crate) const BACK_UP: [&str; 18] = [
    "key",
    "ctrl+2",
    "sleep",
    "0.5",
    "mousemove",
    "420",
    "159",
    "click",
    "--repeat",
    "2",
    "1",
    "sleep",
    "0.5",
    "mousemove",
    "1201",
    "118",
    "click",
    "1",
];

fn a_backup_is_begun_in_the_window(renderer: &str) {
    crate::program::need("xdotool");
    let world = World::new();
    let daemon = Daemon::start(&world);
    assert!(backups(&world).is_empty());
    let mut desk = Desk::open(&world, renderer);
    let done = desk.until(&BACK_UP, || {
        let done = |run: &Value| run["outcome"] == "succeeded";
        backups(&world).into_iter().find(done)
    });
    assert_eq!(done["job"], "app");
    assert_eq!(done["cause"], "by-hand");
    let snapshots = world.backupctl(&["snapshot", "list"]).expect(0).text();
    assert!(snapshots.contains("app/000001"), "{snapshots}");
    let audit = world.backupctl(&["audit", "list"]).expect(0).text();
    assert!(audit.contains("backup"), "{audit}");

    // The daemon goes and comes back: the window stays, and finds it again.
    daemon.stop();
    let daemon = Daemon::start(&world);
    let before = backups(&world).len();
    desk.until(&BACK_UP, || {
        Some(backups(&world).len()).filter(|&now| now > before)
    });
    daemon.stop();
    let log = fs::read_to_string(world.path("window.log")).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}

/// What it says where it cannot open.
#[test]
fn without_a_screen_or_a_token_it_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let open_to_all = folder.path().join("open.token");
    fs::write(&open_to_all, "bk_0_0").unwrap();
    fs::set_permissions(&open_to_all, fs::Permissions::from_mode(0o644)).unwrap();
    let none = folder.path().join("none.token");
    let cases: [(&[&OsStr], &[&str]); 3] = [
        (&[], &["there is no screen", "backupctl does the same"]),
        (
            &["--token-file".as_ref(), open_to_all.as_ref()],
            &["can be read by others (mode 0644)", "chmod 600"],
        ),
        (
            &["--token-file".as_ref(), none.as_ref()],
            &["none.token: No such file", "backupctl token create"],
        ),
    ];
    for (arguments, words) in cases {
        let mut command = clean(&backupctl().with_file_name("admin-gui"));
        command.args(arguments);
        let ran = Ran::of(command).expect(1);
        for wanted in words {
            assert!(ran.stderr.contains(wanted), "{}", ran.stderr);
        }
        assert!(!ran.stderr.contains("registry"), "{}", ran.stderr);
    }
}

#[test]
fn a_backup_is_begun_in_the_window_by_wgpu() {
    a_backup_is_begun_in_the_window("wgpu");
}

#[test]
fn a_backup_is_begun_in_the_window_by_glow() {
    a_backup_is_begun_in_the_window("glow");
}
