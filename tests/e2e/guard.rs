//! The daemon as a process of a test: started on a world, read along by its log, and gone with
//! the test.

use std::{
    io::{BufRead as _, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdout, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{program::clean, world::World};

/// A running daemon.
pub(crate) struct Daemon {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
}

impl Daemon {
    /// Starts it, and waits until it answers.
    pub(crate) fn start(world: &World) -> Self {
        let mut command = clean(&world.program().with_file_name("backupd"));
        command.args(["run", "--config", &world.path("config.toml")]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut daemon = Self { child, log };
        daemon.says("is up");
        daemon
    }

    /// Reads the log up to a line with these words. Nextest ends a test that waits for ever.
    pub(crate) fn says(&mut self, words: &str) -> String {
        let mut seen = Vec::new();
        for line in self.log.by_ref() {
            let line = line.unwrap();
            if line.contains(words) {
                return line;
            }
            seen.push(line);
        }
        panic!("the daemon ended without: {words}\n{}", seen.join("\n"));
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end, and gives its status; none when a signal ended it.
    pub(crate) fn ends(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Ends it in order.
    pub(crate) fn stop(self) {
        self.signal(Signal::TERM);
        assert_eq!(self.ends(), Some(0));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Of a test that failed: else it would outlive its world.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// `backupctl status --watch`, read along.
pub(crate) struct Watch {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watch {
    pub(crate) fn start(world: &World) -> Self {
        let mut command = clean(world.program());
        command.args(["--config", &world.path("config.toml"), "--json"]);
        command.args(["status", "--watch"]).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Waits for a report in which this holds of the first job.
    pub(crate) fn until(&mut self, holds: impl Fn(&Value) -> bool) -> Value {
        let lines = self.lines.by_ref().map(Result::unwrap);
        let mut reports = lines.map(|line| serde_json::from_str::<Value>(&line).unwrap());
        let found = reports.find(|report| holds(&report["jobs"][0]));
        found.expect("the daemon ended before")
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
