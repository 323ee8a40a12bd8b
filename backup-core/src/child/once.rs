//! A program that is run to its end for what it does, and not for what it writes.

use std::{process::Command, process::Stdio, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{ChildError, Running, Stderr};

/// Why it did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnceError {
    /// It did not start, or failed.
    #[error(transparent)]
    Program(#[from] ChildError),
    /// It took too long, and was stopped with everything that it had started.
    #[error("`{program}` was stopped: it took longer than {}", seconds(*.limit))]
    TooLong {
        /// The program.
        program: String,
        /// What it had.
        limit: Duration,
    },
    /// It was stopped because everything was.
    #[error("`{program}` was stopped on request")]
    Cancelled {
        /// The program.
        program: String,
    },
}

fn seconds(limit: Duration) -> String {
    format!("{} s", limit.as_secs_f64())
}

/// Runs a command to its end, which must come within `limit` and with status 0. What it writes to
/// standard output goes nowhere; what it says on standard error is given back. Whatever it has
/// started ends with it. Blocks.
pub fn once(
    program: &str,
    mut command: Command,
    limit: Duration,
    cancel: &CancellationToken,
) -> Result<Stderr, OnceError> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let running = Running::start(program, command, cancel)?;
    if !running.ends_within(limit)? {
        running.stop();
        // It is gone in any case; how it took that says nothing.
        drop(running.end());
        return Err(OnceError::TooLong {
            program: program.to_owned(),
            limit,
        });
    }
    let ended = running.end();
    if ended.is_err() && cancel.is_cancelled() {
        return Err(OnceError::Cancelled {
            program: program.to_owned(),
        });
    }
    Ok(ended?)
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Instant};

    use super::*;

    fn shell(script: &str, limit_ms: u64) -> Result<Stderr, OnceError> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).env_clear();
        let limit = Duration::from_millis(limit_ms);
        once("hook", command, limit, &CancellationToken::new())
    }

    #[test]
    fn what_it_says_is_kept_and_how_it_ends_counts() {
        assert_eq!(
            shell("echo out; echo word >&2", 60_000).unwrap().0,
            "word\n"
        );
        let error = shell("echo why >&2; exit 7", 60_000)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("status 7") && error.contains("why"),
            "{error}"
        );
        let missing = once(
            "nothing",
            Command::new("/nonexistent/nothing"),
            Duration::from_mins(1),
            &CancellationToken::new(),
        );
        let error = missing.unwrap_err().to_string();
        assert_eq!(error, "cannot start `nothing`");
    }

    /// One that hangs, one that leaves something hanging, and one that does both.
    #[test]
    fn nobody_waits_for_what_hangs_or_forks() {
        let folder = tempfile::tempdir().unwrap();
        let alive = folder.path().join("alive");
        let begun = Instant::now();
        let error = shell("sleep 600", 50).unwrap_err();
        assert!(matches!(error, OnceError::TooLong { .. }), "{error}");
        let left = format!("(sleep 600; touch {}) & exit 0", alive.display());
        shell(&left, 60_000).unwrap();
        let error = shell("sleep 600 & sleep 600", 50).unwrap_err();
        assert!(matches!(error, OnceError::TooLong { .. }), "{error}");
        assert!(begun.elapsed() < Duration::from_mins(1));
        assert!(!fs::exists(alive).unwrap());
    }

    #[test]
    fn it_stops_when_everything_does() {
        let cancel = CancellationToken::new();
        cancel.cancel();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "sleep 600"]);
        let error = once("hook", command, Duration::from_mins(5), &cancel).unwrap_err();
        assert!(matches!(error, OnceError::Cancelled { .. }), "{error}");
    }
}
