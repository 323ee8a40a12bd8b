//! A daemon of this window's own, on a repository alone: `backupd run --private`. It ends when its
//! standard input does, so that it never outlives the window; what it is doing then it finishes.

use std::{
    collections::VecDeque,
    io::{self, BufRead as _, BufReader, Read},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
};

use backup_model::{Code, Failure};
use backupd_api::Target;
use secrecy::SecretString;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::programs::{access, find, not_started, why};
use crate::state::StorageAccess;

const PROGRAM: &str = "backupd";
/// It says no more than its address and its token.
const LONGEST_LINE: u64 = 64 * 1024;
/// Of its log the end is kept, for why it ended.
const LAST_LINES: usize = 20;
const LOG_LINE: u64 = 16 * 1024;

/// A daemon that runs for as long as this lives.
#[derive(Debug)]
pub struct Private {
    input: Option<ChildStdin>,
    child: Option<Child>,
}

/// What a daemon that was just started says.
#[derive(Debug)]
pub(super) struct Saying {
    said: ChildStdout,
    ended: Receiver<VecDeque<String>>,
}

/// What it says when it is ready.
#[derive(Deserialize)]
struct Ready<'a> {
    address: &'a str,
    token: &'a str,
}

impl Private {
    /// Starts one. Secrets go into its environment and nowhere else.
    pub(super) fn start(
        folders: &[PathBuf],
        location: &str,
        root: &str,
        storage: &StorageAccess,
    ) -> Result<(Self, Saying), Failure> {
        let mut command = Command::new(find(folders, PROGRAM)?);
        command.args(["--log-format", "json", "run", "--private"]);
        command.args(["--repository", location, "--trust", root]);
        access(&mut command, storage);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let failed = |error: &io::Error| not_started(PROGRAM, error);
        let spawned = command.stderr(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|error| failed(&error))?;
        // A child that was given pipes has them.
        let gone = || failed(&io::Error::from(io::ErrorKind::BrokenPipe));
        let said = child.stdout.take().ok_or_else(gone)?;
        let log = child.stderr.take().ok_or_else(gone)?;
        let private = Self {
            input: child.stdin.take(),
            child: Some(child),
        };
        let ended = follow(log).map_err(|error| failed(&error))?;
        Ok((private, Saying { said, ended }))
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        drop(self.input.take());
        if let Some(mut child) = self.child.take() {
            // It may finish something first; nobody stands and waits for that.
            let reap = move || drop(child.wait());
            let reaper = thread::Builder::new().name("reaper".to_owned());
            drop(reaper.spawn(reap));
        }
    }
}

impl Saying {
    /// Waits until it says where it is, or why it ends.
    pub(super) fn ready(self) -> Result<Target, Failure> {
        let mut line = Zeroizing::new(String::with_capacity(LONGEST_LINE as usize));
        let mut said = BufReader::new(self.said.take(LONGEST_LINE));
        let read = said.read_line(&mut line);
        if !matches!(read, Ok(1..)) {
            return Err(why(&self.ended.recv().unwrap_or_default()));
        }
        let bad = || Failure::new(Code::Daemon, "backupd says nothing that makes sense");
        let ready: Ready<'_> = serde_json::from_str(&line).map_err(|_| bad())?;
        Ok(Target {
            address: ready.address.parse().map_err(|_| bad())?,
            token: Some(SecretString::from(ready.token)),
            pin: None,
        })
    }
}

/// Reads its log to the end, so that it never waits for a reader, and then gives the last of it.
fn follow(log: impl Read + Send + 'static) -> io::Result<Receiver<VecDeque<String>>> {
    let (say, ended) = mpsc::sync_channel(1);
    let read = move || {
        let mut last = VecDeque::new();
        let mut log = BufReader::new(log);
        loop {
            let mut line = Vec::new();
            let read = log.by_ref().take(LOG_LINE).read_until(b'\n', &mut line);
            if !matches!(read, Ok(1..)) {
                break;
            }
            if last.len() == LAST_LINES {
                last.pop_front();
            }
            last.push_back(String::from_utf8_lossy(&line).trim().to_owned());
        }
        // Whoever gave up does not ask.
        drop(say.send(last));
    };
    let follower = thread::Builder::new().name("private log".to_owned());
    follower.spawn(read)?;
    Ok(ended)
}
