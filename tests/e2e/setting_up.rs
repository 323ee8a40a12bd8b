//! A machine that is set up in the shipped window: its configuration, its daemon and its first backup
//! are found outside, and its daemon goes on when the window is gone.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    program::{Ran, clean, need},
    window::{Desk, click, fill},
    world::World,
};

/// Where the button of the step "First backup" is.
const BACK_UP: &str = "558";

/// The daemon that the window has started, which ends with the test.
struct Own<'a> {
    world: &'a World,
    configuration: PathBuf,
}

impl Own<'_> {
    fn ask(&self, args: &[&str]) -> Ran {
        let mut command = clean(self.world.program());
        command.env("HOME", self.world.path("home"));
        command.arg("--config").arg(&self.configuration);
        command.args(args);
        self.world.run(command)
    }

    /// The processes that were started with this configuration.
    fn processes(&self) -> Vec<Pid> {
        let all = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let ours = |folder: &Path| {
            let words = fs::read(folder.join("cmdline")).unwrap_or_default();
            let words = String::from_utf8_lossy(&words).replace('\0', " ");
            words.contains(&*self.configuration.to_string_lossy()) && words.contains(" run")
        };
        all.filter(|entry| ours(&entry.path()))
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter_map(Pid::from_raw)
            .collect()
    }
}

impl Drop for Own<'_> {
    fn drop(&mut self) {
        for process in self.processes() {
            kill_process(process, Signal::TERM).unwrap();
        }
    }
}

fn snapshots(own: &Own<'_>) -> Vec<Value> {
    let listed = own.ask(&["--json", "snapshot", "list"]);
    if listed.status != Some(0) {
        return Vec::new();
    }
    let listed = listed.message("snapshots");
    listed["snapshots"].as_array().unwrap().clone()
}

#[test]
fn a_machine_is_set_up_and_backed_up_in_the_window() {
    need("xdotool");
    let world = World::new();
    let own = Own {
        world: &world,
        configuration: world.path("home/.config/backupd/config.toml").into(),
    };
    let mut desk = Desk::alone(&world, "glow");
    let (place, src) = (world.path("new-repository"), world.path("src"));
    let server = world.socket().display().to_string();
    let steps = [
        // The first of the doors that a window has which finds nobody.
        click("286", "359"),
        fill("704", "175", &place),
        click("1213", "712"),
        fill("704", "175", "mine"),
        fill("640", "282", &server),
        fill("704", "341", "app"),
        fill("570", "400", "postgres"),
        fill("800", "400", world.password()),
        fill("704", "480", &src),
        click("1213", "712"),
        click("1222", "712"),
        vec!["sleep", "5"],
    ];
    desk.until(&steps.concat(), || own.configuration.exists().then_some(()));
    let text = fs::read_to_string(&own.configuration).unwrap();
    assert!(!text.contains(world.password()), "{text}");
    own.ask(&["config", "check"]).expect(0);
    for key in ["admin.key", "root.key"] {
        let keys = world.path("home/backupd-keys");
        assert!(Path::new(&keys).join(key).exists());
    }

    // The fourth of the steps that lead on from here.
    let back_up = [click("910", BACK_UP), vec!["sleep", "2"]];
    desk.until(&back_up.concat(), || snapshots(&own).pop());
    assert!(!own.processes().is_empty());
    drop(desk);
    own.ask(&["status"]).expect(0);
    own.ask(&["verify", "--all"]).expect(0);
    let audit = own.ask(&["audit", "list"]).expect(0).text();
    assert!(audit.contains("backup"), "{audit}");
    let log = fs::read_to_string(world.path("window.log")).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}
