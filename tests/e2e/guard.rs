//! The daemon as a process of a test: started on a world, read along by its log, and gone with
//! the test.

use std::{
    io::{BufRead as _, BufReader, Read},
    process::{Child, Stdio},
    sync::mpsc::{Receiver, sync_channel},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{program::clean, world::World};

/// What a test waits for comes within this time, or not at all.
const PATIENCE: Duration = Duration::from_secs(90);

/// The lines that a process writes, as they come.
fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (say, said) = sync_channel(10_000);
    let read = move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if say.send(line).is_err() {
                return;
            }
        }
    };
    let reader = thread::Builder::new().name("lines".to_owned());
    reader.spawn(read).unwrap();
    said
}

/// The first line of which this holds; else what there was instead.
fn first(lines: &Receiver<String>, holds: impl Fn(&str) -> bool) -> Result<String, String> {
    let begun = Instant::now();
    let mut seen = Vec::new();
    while let Some(left) = PATIENCE.checked_sub(begun.elapsed()) {
        let Ok(line) = lines.recv_timeout(left) else {
            break;
        };
        if holds(&line) {
            return Ok(line);
        }
        seen.push(line);
    }
    Err(seen.join("\n"))
}

/// A running daemon.
pub(crate) struct Daemon {
    child: Child,
    log: Receiver<String>,
}

impl Daemon {
    /// Starts it, and waits until it answers.
    pub(crate) fn start(world: &World) -> Self {
        let mut daemon = Self::begin(world);
        daemon.says("is up");
        daemon
    }

    /// Starts it.
    pub(crate) fn begin(world: &World) -> Self {
        Self::begin_with(world, &[])
    }

    /// Starts it with these variables, too.
    pub(crate) fn begin_with(world: &World, variables: &[(&str, &str)]) -> Self {
        let mut command = clean(&world.program().with_file_name("backupd"));
        command.args(["run", "--config", &world.path("config.toml")]);
        command.envs(variables.iter().copied());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = lines(child.stderr.take().unwrap());
        Self { child, log }
    }

    /// Reads the log up to a line with these words.
    #[track_caller]
    pub(crate) fn says(&mut self, words: &str) -> String {
        let found = first(&self.log, |line| line.contains(words));
        found.unwrap_or_else(|seen| panic!("the daemon does not say `{words}`, but:\n{seen}"))
    }

    /// Reads the log for so long, or until the daemon ends.
    pub(crate) fn listen(&mut self, time: Duration) {
        let begun = Instant::now();
        while let Some(left) = time.checked_sub(begun.elapsed()) {
            if self.log.recv_timeout(left).is_err() {
                return;
            }
        }
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

    /// Ends it in order, and gives what it said that nobody has read.
    pub(crate) fn stop_and_read(self) -> String {
        self.signal(Signal::TERM);
        let said: Vec<String> = self.log.iter().collect();
        assert_eq!(self.ends(), Some(0));
        said.join("\n")
    }

    /// Ends it on the spot, as a failing machine would.
    pub(crate) fn kill(self) {
        self.signal(Signal::KILL);
        assert_eq!(self.ends(), None);
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
    lines: Receiver<String>,
}

impl Watch {
    pub(crate) fn start(world: &World) -> Self {
        let mut command = clean(world.program());
        command.args(["--config", &world.path("config.toml"), "--json"]);
        command.args(["status", "--watch"]).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = lines(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// Waits for a report in which this holds of the first job.
    #[track_caller]
    pub(crate) fn until(&mut self, holds: impl Fn(&Value) -> bool) -> Value {
        self.until_all(|report| holds(&report["jobs"][0]))
    }

    /// Waits for a report of which this holds.
    #[track_caller]
    pub(crate) fn until_all(&mut self, holds: impl Fn(&Value) -> bool) -> Value {
        let parse = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        let found = first(&self.lines, |line| holds(&parse(line)));
        let found = found.unwrap_or_else(|seen| panic!("it does not come to that:\n{seen}"));
        parse(&found)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
