//! Runs a program and passes on what it writes to standard output, while it keeps to its limits.
//!
//! A program that hangs looks like one that works hard: only how long it may be silent tells them
//! apart. The time counts while we wait for it, never while it waits for us.

use std::{
    io::{self, Read as _},
    process::{ChildStdout, Command, Stdio},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{
    ChildError, Running, Stderr,
    running::{ready_within, said},
};

/// How much is passed on at once, and how large the pipe is made.
const PIECE_BYTES: usize = 1 << 20;

/// What a program that is read from must keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PipeLimits {
    /// For how long it may write nothing, and live on once it has closed its output.
    pub stall: Duration,
    /// How much it may write; `None` for any amount.
    pub most_bytes: Option<u64>,
}

/// Why what a program wrote was not passed on to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PassError {
    /// The program failed.
    #[error(transparent)]
    Program(#[from] ChildError),
    /// The pipe from the program broke.
    #[error("cannot read what `{program}` writes")]
    Pipe {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Whoever takes the bytes failed; the program was stopped.
    #[error("cannot pass on what `{program}` writes")]
    Output {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It was silent for too long, and was stopped.
    #[error("`{program}` wrote nothing for {} and was stopped{stderr}", time_text(*.limit))]
    Stalled {
        /// The program.
        program: String,
        /// For how long it may be silent.
        limit: Duration,
        /// What it had said.
        stderr: Stderr,
    },
    /// It wrote too much, and was stopped.
    #[error("`{program}` wrote more than the {limit} bytes that it may, and was stopped{stderr}")]
    TooMuch {
        /// The program.
        program: String,
        /// How many bytes it may write.
        limit: u64,
        /// What it had said.
        stderr: Stderr,
    },
    /// Stopped on request.
    #[error("reading from `{program}` was cancelled")]
    Cancelled {
        /// The program.
        program: String,
    },
}

/// Runs a program to its end, giving what it writes to `take` piece by piece. Blocks.
pub(crate) fn pass(
    program: &str,
    mut command: Command,
    limits: PipeLimits,
    cancel: &CancellationToken,
    take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<Stderr, PassError> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut running = Running::start(program, command, cancel)?;
    let mut pipe = running
        .take_stdout()
        .expect("standard output was just asked to be a pipe");
    // A larger pipe lets the program run ahead; without one it merely waits more often.
    rustix::pipe::fcntl_setpipe_size(&pipe, PIECE_BYTES).ok();
    let passed = copy(&mut pipe, limits, take).and_then(|()| {
        // It is silent from here on, so this is the last it is waited for.
        match running.ends_within(limits.stall) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Fault::Silent),
            Err(error) => Err(Fault::End(error)),
        }
    });
    if passed.is_err() {
        running.stop();
    }
    drop(pipe);
    let ended = running.end();
    let program = program.to_owned();
    match (passed, ended) {
        (Ok(()), Ok(stderr)) => Ok(stderr),
        (Err(Fault::Take(source)), _) => Err(PassError::Output { program, source }),
        (_, Err(_)) if cancel.is_cancelled() => Err(PassError::Cancelled { program }),
        (Ok(()), Err(error)) | (Err(Fault::End(error)), _) => Err(error.into()),
        (Err(Fault::Read(source)), _) => Err(PassError::Pipe { program, source }),
        (Err(Fault::Silent), ended) => Err(PassError::Stalled {
            program,
            limit: limits.stall,
            stderr: said(&ended),
        }),
        (Err(Fault::TooMuch(limit)), ended) => Err(PassError::TooMuch {
            program,
            limit,
            stderr: said(&ended),
        }),
    }
}

/// Why copying stopped before the pipe's end, or the program did not end after it.
enum Fault {
    End(ChildError),
    Read(io::Error),
    Take(io::Error),
    Silent,
    TooMuch(u64),
}

fn copy(
    pipe: &mut ChildStdout,
    limits: PipeLimits,
    take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<(), Fault> {
    let mut piece = vec![0; PIECE_BYTES];
    let mut taken = 0_u64;
    loop {
        if !ready_within(pipe, limits.stall).map_err(Fault::Read)? {
            return Err(Fault::Silent);
        }
        let len = match pipe.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Fault::Read(error)),
        };
        taken += len as u64;
        if let Some(most) = limits.most_bytes.filter(|most| taken > *most) {
            return Err(Fault::TooMuch(most));
        }
        take(&piece[..len]).map_err(Fault::Take)?;
    }
}

/// A limit as it was configured: `30m`, `45s`.
pub(super) fn time_text(limit: Duration) -> String {
    let secs = limit.as_secs();
    match secs {
        0 => format!("{} ms", limit.as_millis()),
        secs if secs % 3600 == 0 => format!("{} h", secs / 3600),
        secs if secs % 60 == 0 => format!("{} min", secs / 60),
        secs => format!("{secs} s"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn run(script: &str, stall: Duration, most_bytes: Option<u64>) -> (u64, String) {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        let limits = PipeLimits { stall, most_bytes };
        let mut taken = 0;
        let passed = pass(
            "sh",
            command,
            limits,
            &CancellationToken::new(),
            &mut |piece| {
                taken += piece.len() as u64;
                Ok(())
            },
        );
        (
            taken,
            passed
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default(),
        )
    }

    #[test]
    fn a_silent_program_is_stopped_and_quoted() {
        let begun = Instant::now();
        let limit = Duration::from_millis(200);
        let (taken, error) = run("echo waiting >&2; echo some; exec sleep 600", limit, None);
        assert_eq!(taken, 5);
        assert_eq!(
            error,
            "`sh` wrote nothing for 200 ms and was stopped: waiting"
        );
        // One that closes its output is not heard any more; it may end, but not live on.
        let (_, error) = run("exec >&-; exec sleep 600", limit, None);
        assert_eq!(error, "`sh` wrote nothing for 200 ms and was stopped");
        let (_, error) = run("exec >&-; exec sleep 0.1", Duration::from_mins(1), None);
        assert_eq!(error, "");
        assert!(begun.elapsed() < Duration::from_mins(1));
    }

    #[test]
    fn a_program_without_end_is_stopped_at_its_limit() {
        let hour = Duration::from_hours(1);
        let (taken, error) = run("exec yes", hour, Some(3_000_000));
        assert!((1..=3_000_000).contains(&taken), "{taken}");
        assert_eq!(
            error,
            "`sh` wrote more than the 3000000 bytes that it may, and was stopped"
        );
        assert_eq!(run("printf 12345", hour, Some(5)), (5, String::new()));
    }

    #[test]
    fn limits_are_told_as_they_were_set() {
        let shown = [1800, 45, 7200].map(|secs| time_text(Duration::from_secs(secs)));
        assert_eq!(shown, ["30 min", "45 s", "2 h"]);
    }
}
