//! Programs with clocks: one, or several in a pipe, to their end and no longer than allowed.
//!
//! Wall time is from before the first starts until after the last has ended. Peak memory is the
//! kernel's high-water mark of the largest of them; as it only grows, looking now and then misses
//! no more than what is taken in the last moment. Children of theirs are not counted.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom},
    os::fd::{AsFd as _, OwnedFd},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, pidfd_open},
};

use crate::error::BenchError;

/// Where programs are looked for.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
/// How often memory is looked at, at least.
const LOOK_NANOS: i64 = 25_000_000;
/// How soon for the first time: some end within milliseconds.
const FIRST_LOOK_NANOS: i64 = 500_000;
/// As much of what a failed program said is shown.
const SAID_BYTES: u64 = 4000;

/// How programs are run.
#[derive(Clone, Debug)]
pub(crate) struct Runner {
    /// Their home, for caches and keys of their own.
    pub(crate) home: PathBuf,
    /// How long one may take.
    pub(crate) limit: Duration,
}

/// How it went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) wall: Duration,
    /// In bytes.
    pub(crate) peak: u64,
}

impl Runner {
    /// A program in a clean environment.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", PATH)
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", &self.home)
            .current_dir(&self.home);
        command
    }

    /// Runs a pipe of programs; what the last one prints goes nowhere.
    pub(crate) fn run(&self, pipe: Vec<Command>) -> Result<Measured, BenchError> {
        settle();
        self.run_into(pipe, Stdio::null())
    }

    /// The same into a new file.
    pub(crate) fn run_into_file(
        &self,
        pipe: Vec<Command>,
        path: &Path,
    ) -> Result<Measured, BenchError> {
        settle();
        let file = File::create_new(path).map_err(BenchError::io("make", path))?;
        self.run_into(pipe, file.into())
    }

    /// The same, giving what the last one prints.
    pub(crate) fn read(&self, pipe: Vec<Command>) -> Result<String, BenchError> {
        let mut printed = self.scratch_file()?;
        let copy = printed
            .try_clone()
            .map_err(BenchError::io("make a file in", &self.home))?;
        self.run_into(pipe, copy.into())?;
        let mut bytes = Vec::new();
        printed
            .seek(SeekFrom::Start(0))
            .and_then(|_| io::copy(&mut printed, &mut bytes))
            .map_err(BenchError::io("read what was printed in", &self.home))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn run_into(&self, pipe: Vec<Command>, output: Stdio) -> Result<Measured, BenchError> {
        let begun = Instant::now();
        let mut running = self.start(pipe, output)?;
        let mut pause = FIRST_LOOK_NANOS;
        while running.iter().any(|stage| !stage.ended) {
            if begun.elapsed() > self.limit {
                return Err(BenchError::Slow {
                    line: lines(&running),
                    limit: self.limit,
                });
            }
            for stage in &mut running {
                stage.look();
            }
            wait_for_any(&mut running, pause)?;
            pause = LOOK_NANOS.min(pause * 2);
        }
        let wall = begun.elapsed();
        let peak = running.iter().map(|stage| stage.peak).max();
        // The one that others failed because of is more often a later one.
        for stage in running.iter_mut().rev() {
            stage.check()?;
        }
        Ok(Measured {
            wall,
            peak: peak.unwrap_or_default(),
        })
    }

    fn start(&self, pipe: Vec<Command>, output: Stdio) -> Result<Vec<Stage>, BenchError> {
        let mut running: Vec<Stage> = Vec::new();
        let last = pipe.len().saturating_sub(1);
        let mut output = Some(output);
        // By value: a command that is kept keeps its ends of the pipes open.
        for (number, mut command) in pipe.into_iter().enumerate() {
            let before = running
                .last_mut()
                .and_then(|stage| stage.child.stdout.take());
            command.stdin(before.map_or_else(Stdio::null, Stdio::from));
            command.stdout(if number == last {
                output.take().unwrap_or_else(Stdio::null)
            } else {
                Stdio::piped()
            });
            running.push(Stage::start(command, self.scratch_file()?)?);
        }
        Ok(running)
    }

    fn scratch_file(&self) -> Result<File, BenchError> {
        tempfile::tempfile_in(&self.home).map_err(BenchError::io("make a file in", &self.home))
    }
}

/// What was written before must not be written out at the expense of who is measured next.
fn settle() {
    rustix::fs::sync();
}

/// Whether a program is installed.
pub(crate) fn is_installed(program: &str) -> bool {
    PATH.split(':')
        .any(|folder| Path::new(folder).join(program).is_file())
}

/// A running program. Dropping it ends it.
struct Stage {
    line: String,
    child: Child,
    handle: OwnedFd,
    said: File,
    peak: u64,
    ended: bool,
}

impl Stage {
    fn start(mut command: Command, said: File) -> Result<Self, BenchError> {
        // Without the environment, which may hold a password.
        let words: Vec<_> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .take(12)
            .map(OsStr::to_string_lossy)
            .collect();
        let line = words.join(" ");
        let failed = |source| BenchError::Io {
            what: format!("run {line}"),
            source,
        };
        let copy = said.try_clone().map_err(failed)?;
        let child = command.stderr(copy).spawn().map_err(failed)?;
        let handle = pidfd_open(Pid::from_child(&child), PidfdFlags::empty());
        Ok(Self {
            handle: handle.map_err(|error| failed(error.into()))?,
            child,
            line,
            said,
            peak: 0,
            ended: false,
        })
    }

    /// Takes the high-water mark. One that has just ended has none any more.
    fn look(&mut self) {
        let path = format!("/proc/{}/status", self.child.id());
        let Ok(status) = fs::read_to_string(path) else {
            return;
        };
        let mark = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        let kibibytes: u64 = mark.and_then(|mark| mark.parse().ok()).unwrap_or_default();
        self.peak = self.peak.max(kibibytes * 1024);
    }

    /// Its status must be 0.
    fn check(&mut self) -> Result<(), BenchError> {
        let failed = |source| BenchError::Io {
            what: format!("wait for {}", self.line),
            source,
        };
        let status = self.child.wait().map_err(failed)?;
        if status.success() {
            return Ok(());
        }
        Err(BenchError::Program {
            line: self.line.clone(),
            status,
            said: self.said_at_last(),
        })
    }

    fn said_at_last(&mut self) -> String {
        let mut bytes = Vec::new();
        let length = self.said.metadata().map_or(0, |facts| facts.len());
        let from = length.saturating_sub(SAID_BYTES);
        // What cannot be read leaves the quotation empty; the failure itself stands.
        self.said
            .seek(SeekFrom::Start(from))
            .and_then(|_| self.said.read_to_end(&mut bytes))
            .ok();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !self.ended {
            // It may end by itself just now, which is as good.
            self.child.kill().and_then(|()| self.child.wait()).ok();
        }
    }
}

/// Waits until one has ended, or it is time to look again.
fn wait_for_any(running: &mut [Stage], nanos: i64) -> Result<(), BenchError> {
    let ready: Vec<bool> = {
        let open: Vec<&Stage> = running.iter().filter(|stage| !stage.ended).collect();
        let mut handles: Vec<PollFd<'_>> = open
            .iter()
            .map(|stage| PollFd::from_borrowed_fd(stage.handle.as_fd(), PollFlags::IN))
            .collect();
        let pause = Timespec {
            tv_sec: 0,
            tv_nsec: nanos,
        };
        match poll(&mut handles, Some(&pause)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => {
                return Err(BenchError::Io {
                    what: "wait for programs".to_owned(),
                    source: error.into(),
                });
            }
        }
        handles
            .iter()
            .map(|handle| !handle.revents().is_empty())
            .collect()
    };
    let open = running.iter_mut().filter(|stage| !stage.ended);
    for (stage, ready) in open.zip(ready) {
        stage.ended = ready;
    }
    Ok(())
}

fn lines(running: &[Stage]) -> String {
    let lines: Vec<&str> = running.iter().map(|stage| &stage.line[..]).collect();
    lines.join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runner(folder: &Path, limit: Duration) -> Runner {
        Runner {
            home: folder.to_owned(),
            limit,
        }
    }

    fn sh(runner: &Runner, script: &str) -> Command {
        let mut command = runner.command("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_pipe_is_read_and_any_failure_in_it_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let runner = runner(folder.path(), Duration::from_secs(20));
        let pipe = |first, second| vec![sh(&runner, first), sh(&runner, second)];
        assert_eq!(
            runner.read(pipe("echo hello", "tr l r")).unwrap(),
            "herro\n"
        );
        let measured = runner.run(pipe("echo hello", "cat")).unwrap();
        assert!(measured.wall < Duration::from_secs(20));
        for (first, second) in [("exit 3", "cat"), ("cat", "echo why >&2; exit 3")] {
            let error = runner.run(pipe(first, second)).unwrap_err();
            let BenchError::Program { status, said, .. } = error else {
                panic!("{error}");
            };
            assert_eq!(status.code(), Some(3));
            assert_eq!(said.contains("why"), first == "cat");
        }
    }

    #[test]
    fn memory_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let runner = runner(folder.path(), Duration::from_secs(20));
        // A variable that grows to 40 million letters; the last look may come before its end.
        let script = "x=$(head -c 40000000 /dev/zero | tr '\\0' x); test ${#x} -gt 1";
        let measured = runner.run(vec![sh(&runner, script)]).unwrap();
        assert!(measured.peak > 20_000_000, "{}", measured.peak);
    }

    #[test]
    fn what_takes_too_long_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let runner = runner(folder.path(), Duration::from_millis(100));
        let begun = Instant::now();
        let error = runner.run(vec![sh(&runner, "exec sleep 30")]).unwrap_err();
        assert!(matches!(error, BenchError::Slow { .. }), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}
