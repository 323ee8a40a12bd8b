//! A program as a child of ours: watched, and never outliving whoever started it.
//!
//! The child leads a process group, so that what it starts itself goes with it, and so that an
//! interrupt typed at a terminal reaches us first. A named thread waits for cancellation; the child
//! is reaped only after that has ended, so a signal can never hit a stranger who got the same
//! process id.

use std::{
    io::{self, Read},
    os::{
        fd::AsFd,
        unix::process::{CommandExt as _, ExitStatusExt as _},
    },
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    thread::{self, JoinHandle},
    time::Duration,
};

use futures::{
    executor::block_on,
    future::{Either, select},
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{
        Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, waitid,
    },
};
use tokio_util::sync::CancellationToken;

use super::stderr::{Complaints, Stderr};

/// Asked to stop, a program may tell the server so; after this it is killed.
const GRACE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(50);

/// Why a program did not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChildError {
    /// It does not start.
    #[error("cannot start `{program}`")]
    Start {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It gave up.
    #[error("`{program}` failed with exit status {status}{stderr}")]
    Exit {
        /// The program.
        program: String,
        /// Its exit status.
        status: i32,
        /// What it said.
        stderr: Stderr,
    },
    /// Something killed it.
    #[error("`{program}` was killed by {}{stderr}", signal_name(*.signal))]
    Killed {
        /// The program.
        program: String,
        /// The signal's number.
        signal: i32,
        /// What it had said.
        stderr: Stderr,
    },
    /// The system did not tell how it ended.
    #[error("cannot tell how `{program}` ended")]
    Wait {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Running {
    program: String,
    child: Child,
    stop: CancellationToken,
    ended: CancellationToken,
    stderr: Option<Complaints>,
    watcher: Option<JoinHandle<()>>,
    reaped: bool,
}

impl Running {
    /// Starts `command`. When `cancel` is cancelled, the program is asked to stop, then killed.
    pub(crate) fn start(
        program: &str,
        mut command: Command,
        cancel: &CancellationToken,
    ) -> Result<Self, ChildError> {
        let started = command.stderr(Stdio::piped()).process_group(0).spawn();
        let watched = started.and_then(|mut child| {
            let complaints = child.stderr.take().expect("it was just asked to be a pipe");
            Self::watch(program, child, complaints, cancel)
        });
        watched.map_err(|source| cannot_start(program, source))
    }

    /// The same, and what it writes to standard output counts as said, in one order with the rest.
    pub(crate) fn start_heard(
        program: &str,
        mut command: Command,
        cancel: &CancellationToken,
    ) -> Result<Self, ChildError> {
        let watched = io::pipe().and_then(|(said, pipe)| {
            command.stdout(pipe.try_clone()?).stderr(pipe);
            let child = command.process_group(0).spawn()?;
            // It holds ends of the pipe, which would never be closed.
            drop(command);
            Self::watch(program, child, said, cancel)
        });
        watched.map_err(|source| cannot_start(program, source))
    }

    fn watch(
        program: &str,
        child: Child,
        said: impl Read + Send + 'static,
        cancel: &CancellationToken,
    ) -> io::Result<Self> {
        let mut running = Self {
            program: program.to_owned(),
            child,
            stop: cancel.child_token(),
            ended: CancellationToken::new(),
            stderr: None,
            watcher: None,
            reaped: false,
        };
        running.stderr = Some(Complaints::listen(said)?);
        let (group, stop, ended) = (running.group(), running.stop.clone(), running.ended.clone());
        let watcher = thread::Builder::new()
            .name("child-stop".to_owned())
            .spawn(move || stop_on_request(group, &stop, &ended))?;
        running.watcher = Some(watcher);
        Ok(running)
    }

    /// Its standard output, if that was asked to be a pipe.
    pub(crate) fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Its standard input, if that was asked to be a pipe.
    pub(crate) fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Ends it as cancellation would.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until it has ended; success is exit status 0. Gives what it wrote to standard error.
    pub(crate) fn end(mut self) -> Result<Stderr, ChildError> {
        let program = self.program.clone();
        drop(self.child.stdin.take());
        drop(self.child.stdout.take());
        self.wait_unreaped()
            .and_then(|()| self.reap())
            .map_err(|source| ChildError::Wait {
                program: program.clone(),
                source,
            })
            .and_then(|(status, stderr)| judge(program, status, stderr))
    }

    /// Waits until it has ended, but not for longer than `limit`; whether it has.
    pub(crate) fn ends_within(&self, limit: Duration) -> Result<bool, ChildError> {
        let ended = pidfd_open(self.group(), PidfdFlags::empty())
            .map_err(io::Error::from)
            .and_then(|handle| ready_within(&handle, limit));
        ended.map_err(|source| ChildError::Wait {
            program: self.program.clone(),
            source,
        })
    }

    fn group(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits for the end and leaves the process id taken, so that the watcher can still use it.
    fn wait_unreaped(&self) -> io::Result<()> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        loop {
            match waitid(WaitId::Pid(self.group()), options) {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn reap(&mut self) -> io::Result<(ExitStatus, Stderr)> {
        // Whatever it started must not hold standard error open, or work on.
        signal(self.group(), Signal::KILL);
        self.ended.cancel();
        if let Some(watcher) = self.watcher.take() {
            watcher.join().map_err(|_| panicked())?;
        }
        let status = self.child.wait()?;
        self.reaped = true;
        let stderr = self.stderr.take().map(|complaints| complaints.last());
        Ok((status, stderr.unwrap_or_default()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.reaped {
            // Nobody is left to be told, and after SIGKILL nothing can fail that we could mend.
            drop(self.reap());
        }
    }
}

/// What a program said that has ended in whichever way.
pub(super) fn said(ended: &Result<Stderr, ChildError>) -> Stderr {
    match ended {
        Ok(stderr) | Err(ChildError::Exit { stderr, .. } | ChildError::Killed { stderr, .. }) => {
            stderr.clone()
        }
        Err(ChildError::Start { .. } | ChildError::Wait { .. }) => Stderr::default(),
    }
}

fn cannot_start(program: &str, source: io::Error) -> ChildError {
    ChildError::Start {
        program: program.to_owned(),
        source,
    }
}

fn judge(program: String, status: ExitStatus, stderr: Stderr) -> Result<Stderr, ChildError> {
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(stderr),
        (_, Some(signal)) => Err(ChildError::Killed {
            program,
            signal,
            stderr,
        }),
        (code, None) => Err(ChildError::Exit {
            program,
            status: code.unwrap_or(-1),
            stderr,
        }),
    }
}

/// Waits until there is something to read from a descriptor; `false` when the time is over.
pub(super) fn ready_within(descriptor: &impl AsFd, limit: Duration) -> io::Result<bool> {
    // A limit that is too long for the system is as good as none.
    let limit = Timespec::try_from(limit).ok();
    loop {
        let mut polled = [PollFd::new(descriptor, PollFlags::IN)];
        match poll(&mut polled, limit.as_ref()) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn stop_on_request(group: Pid, stop: &CancellationToken, ended: &CancellationToken) {
    let first = block_on(select(
        Box::pin(stop.cancelled()),
        Box::pin(ended.cancelled()),
    ));
    if matches!(first, Either::Right(_)) {
        return;
    }
    signal(group, Signal::TERM);
    let mut waited = Duration::ZERO;
    while waited < GRACE && !ended.is_cancelled() {
        thread::sleep(POLL);
        waited += POLL;
    }
    if !ended.is_cancelled() {
        signal(group, Signal::KILL);
    }
}

/// The group may be gone already, which is as good.
fn signal(group: Pid, signal: Signal) {
    kill_process_group(group, signal).ok();
}

fn panicked() -> io::Error {
    io::Error::other("a thread that served it panicked")
}

fn signal_name(number: i32) -> String {
    let name = match number {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        6 => "SIGABRT",
        7 => "SIGBUS",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        _ => return format!("signal {number}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader},
        time::Instant,
    };

    use rustix::process::kill_process;

    use super::*;
    use crate::child::stderr::STDERR_BYTES;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).stdin(Stdio::null());
        command
    }

    #[test]
    fn ends_are_told_apart_and_quoted() {
        let cancel = CancellationToken::new();
        let end = |script| Running::start("sh", shell(script), &cancel).unwrap().end();
        assert_eq!(end("echo hint >&2").unwrap().0, "hint\n");
        let error = end("echo one >&2; echo two >&2; exit 3").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`sh` failed with exit status 3: one: two"
        );
        let error = end("kill -9 $$").unwrap_err();
        assert_eq!(error.to_string(), "`sh` was killed by SIGKILL");
        let long = end("yes complaint | head -c 1000000 >&2; echo end >&2").unwrap();
        assert_eq!(long.0.len(), STDERR_BYTES);
        assert!(long.0.ends_with("end\n"));
    }

    #[test]
    fn cancelling_ends_a_program_that_ignores_it_and_its_children() {
        let cancel = CancellationToken::new();
        let mut command = shell("trap '' TERM; echo ready; sleep 600 & sleep 600; sleep 600");
        command.stdout(Stdio::piped());
        let mut running = Running::start("sh", command, &cancel).unwrap();
        let mut ready = [0; 6];
        running
            .take_stdout()
            .unwrap()
            .read_exact(&mut ready)
            .unwrap();
        cancel.cancel();
        let begun = Instant::now();
        let error = running.end().unwrap_err();
        assert!(matches!(error, ChildError::Killed { .. }), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn what_it_leaves_running_in_a_session_of_its_own_is_not_waited_for() {
        let script = "echo said >&2; setsid sh -c 'echo $$; exec sleep 60' & exit 4";
        let mut command = shell(script);
        command.stdout(Stdio::piped());
        let mut running = Running::start("sh", command, &CancellationToken::new()).unwrap();
        // Once it tells its number it is out of the program's group.
        let mut left = String::new();
        let mut output = BufReader::new(running.take_stdout().unwrap());
        output.read_line(&mut left).unwrap();
        let left = Pid::from_raw(left.trim().parse().unwrap()).unwrap();
        let begun = Instant::now();
        let ended = running.end();
        let waited = begun.elapsed();
        kill_process(left, Signal::KILL).unwrap();
        assert_eq!(
            ended.unwrap_err().to_string(),
            "`sh` failed with exit status 4: said"
        );
        assert!(waited < Duration::from_secs(30), "{waited:?}");
    }
}
