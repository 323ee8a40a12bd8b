//! A program that is run to its end for what it does; what it writes is words about that.
//!
//! Its end is waited for so long and no longer, and with it ends whatever it has started in its
//! process group. What it has put into a session of its own lives on, and is not waited for.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{ChildError, Running, Stderr, pass::time_text, running::said};

/// Why it did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnceError {
    /// It did not start, or failed.
    #[error(transparent)]
    Program(#[from] ChildError),
    /// It took too long, and was stopped with everything that it had started.
    #[error("`{program}` took longer than {} and was stopped{said}", time_text(*.limit))]
    TooLong {
        /// The program.
        program: String,
        /// What it had.
        limit: Duration,
        /// What it had said.
        said: Stderr,
    },
    /// It was stopped because everything was.
    #[error("`{program}` was stopped on request")]
    Cancelled {
        /// The program.
        program: String,
    },
}

/// How it went.
#[derive(Debug)]
pub struct Ran {
    /// What it wrote to standard output and standard error, in one order: the last 64 KiB.
    pub said: Stderr,
    /// Whether it came to its end, with status 0.
    pub done: Result<(), OnceError>,
}

/// Runs a command to its end, which must come within `limit` and with status 0. Blocks.
pub fn once(
    program: &str,
    mut command: Command,
    limit: Duration,
    cancel: &CancellationToken,
) -> Ran {
    command.stdin(Stdio::null());
    let failed = |error: ChildError| Ran {
        said: Stderr::default(),
        done: Err(error.into()),
    };
    let running = match Running::start_heard(program, command, cancel) {
        Ok(running) => running,
        Err(error) => return failed(error),
    };
    let in_time = match running.ends_within(limit) {
        Ok(in_time) => in_time,
        Err(error) => return failed(error),
    };
    if !in_time {
        running.stop();
    }
    let ended = running.end();
    let said = said(&ended);
    let program = program.to_owned();
    let done = match ended {
        // It is gone in any case; how it took that says nothing.
        _ if !in_time => Err(OnceError::TooLong {
            program,
            limit,
            said: said.clone(),
        }),
        Ok(_) => Ok(()),
        Err(_) if cancel.is_cancelled() => Err(OnceError::Cancelled { program }),
        Err(error) => Err(error.into()),
    };
    Ran { said, done }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Instant};

    use rustix::process::{Pid, Signal, kill_process, test_kill_process};

    use super::*;

    fn shell(script: &str, limit_ms: u64) -> Ran {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        let limit = Duration::from_millis(limit_ms);
        once("hook", command, limit, &CancellationToken::new())
    }

    const MINUTE: u64 = 60_000;

    #[test]
    fn what_it_says_is_kept_in_order_and_how_it_ends_counts() {
        let ran = shell("echo one; echo two >&2; echo three", MINUTE);
        assert_eq!(ran.said.0, "one\ntwo\nthree\n");
        assert!(ran.done.is_ok());
        let ran = shell("echo why; exit 7", MINUTE);
        assert_eq!(ran.said.0, "why\n");
        assert_eq!(
            ran.done.unwrap_err().to_string(),
            "`hook` failed with exit status 7: why"
        );
        let much = shell("yes | head -c 10000000; echo end", MINUTE);
        assert!(much.done.is_ok() && much.said.0.len() <= 1 << 16);
        assert!(much.said.0.ends_with("end\n"));
        let missing = Command::new("/nonexistent/nothing");
        let token = CancellationToken::new();
        let ran = once("nothing", missing, Duration::from_mins(1), &token);
        let error = ran.done.unwrap_err().to_string();
        assert_eq!(error, "cannot start `nothing`");
    }

    /// One that hangs, one that leaves something hanging, one that does both, and one that does not
    /// want to go.
    #[test]
    fn what_hangs_or_forks_is_stopped_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("left");
        let begun = Instant::now();
        let left = format!("sleep 600 & echo $! >{}", file.display());
        for (script, in_time) in [
            ("echo word; sleep 600".to_owned(), false),
            (left.clone(), true),
            (format!("{left}; sleep 600"), false),
            (format!("trap '' TERM; {left}; sleep 600; sleep 600"), false),
        ] {
            let limit = if in_time { MINUTE } else { 500 };
            let done = shell(&script, limit).done;
            if in_time {
                done.unwrap();
            } else {
                let error = done.unwrap_err();
                assert!(
                    matches!(error, OnceError::TooLong { .. }),
                    "{script} {error}"
                );
            }
            if script.contains("echo $!") {
                let left = fs::read_to_string(&file).unwrap();
                let left = Pid::from_raw(left.trim().parse().unwrap()).unwrap();
                assert!(is_gone(left), "{script}");
            }
        }
        assert!(begun.elapsed() < Duration::from_mins(1));
        let error = shell("echo word; sleep 600", 500).done.unwrap_err();
        assert_eq!(
            error.to_string(),
            "`hook` took longer than 500 ms and was stopped: word"
        );
    }

    /// Killed, or dead and not yet buried by whoever buries orphans here.
    fn is_gone(process: Pid) -> bool {
        if test_kill_process(process).is_err() {
            return true;
        }
        let status = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()));
        status.is_err() || status.is_ok_and(|status| status.contains(") Z "))
    }

    #[test]
    fn a_daemon_that_it_starts_is_let_be_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("left");
        let begun = Instant::now();
        let script = format!(
            "setsid sh -c 'echo $$ >{0}.new; mv {0}.new {0}; exec sleep 600' & \
             until test -e {0}; do :; done; echo said",
            file.display()
        );
        let ran = shell(&script, MINUTE);
        let waited = begun.elapsed();
        let left = fs::read_to_string(&file).unwrap();
        let left = Pid::from_raw(left.trim().parse().unwrap()).unwrap();
        kill_process(left, Signal::KILL).expect("it lives");
        assert!(ran.done.is_ok());
        assert_eq!(ran.said.0, "said\n");
        assert!(waited < Duration::from_secs(30), "{waited:?}");
    }

    #[test]
    fn it_stops_when_everything_does() {
        let cancel = CancellationToken::new();
        cancel.cancel();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "sleep 600"]);
        let ran = once("hook", command, Duration::from_mins(5), &cancel);
        let error = ran.done.unwrap_err();
        assert!(matches!(error, OnceError::Cancelled { .. }), "{error}");
    }
}
