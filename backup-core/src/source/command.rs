//! A command as a source: what it writes to standard output is the stream.
//!
//! Started without a shell, in an environment that the caller gives and in the root folder, so
//! that it does the same by hand, by timer and by daemon. It counts only if it ends with status 0,
//! speaks often enough and writes no more than it may. What its bytes mean is not known here.

use std::{ffi::OsString, io::Write, process::Command};

use backup_model::{Code, Failure};
use tokio_util::sync::CancellationToken;

use crate::child::{PassError, PipeLimits, pass};

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandSpec {
    /// The program: a name that is looked for in `PATH`, or an absolute path.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// All of its environment.
    pub environment: Vec<(&'static str, OsString)>,
    /// What it must keep to.
    pub limits: PipeLimits,
}

/// What a command gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandSummary {
    /// How much it wrote.
    pub length_bytes: u64,
    /// What it said although it succeeded.
    pub warnings: Vec<Failure>,
}

/// Why there is no stream.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct CommandError(#[from] pub PassError);

impl CommandError {
    /// The stable code. [`PassError::Output`] has none of its own: ask its source.
    pub fn code(&self) -> Code {
        match &self.0 {
            PassError::Output { .. } => Code::LocalIo,
            PassError::Cancelled { .. } => Code::Interrupted,
            PassError::Program(_)
            | PassError::Pipe { .. }
            | PassError::Stalled { .. }
            | PassError::TooMuch { .. } => Code::Source,
        }
    }
}

/// Runs the command into `out`. What `out` got is worth something only if this succeeds.
pub fn command(
    spec: &CommandSpec,
    out: &mut dyn Write,
    cancel: &CancellationToken,
) -> Result<CommandSummary, CommandError> {
    let mut command = Command::new(&spec.program);
    command
        .args(&spec.arguments)
        .env_clear()
        .envs(spec.environment.iter().map(|(name, value)| (name, value)))
        .current_dir("/");
    let mut length_bytes = 0;
    let stderr = pass(&spec.program, command, spec.limits, cancel, &mut |piece| {
        length_bytes += piece.len() as u64;
        out.write_all(piece)
    })?;
    Ok(CommandSummary {
        length_bytes,
        warnings: Vec::from_iter(stderr.warning(Code::Source, &spec.program)),
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, io, time::Duration};

    use super::*;

    fn spec(program: &str, arguments: &[&str]) -> CommandSpec {
        CommandSpec {
            program: program.to_owned(),
            arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
            environment: vec![("PATH", "/usr/bin:/bin".into()), ("LANG", "C".into())],
            limits: PipeLimits {
                stall: Duration::from_mins(10),
                most_bytes: None,
            },
        }
    }

    fn run(spec: &CommandSpec) -> Result<(Vec<u8>, Vec<Failure>), CommandError> {
        let mut out = Vec::new();
        let summary = command(spec, &mut out, &CancellationToken::new())?;
        assert_eq!(summary.length_bytes, out.len() as u64);
        Ok((out, summary.warnings))
    }

    #[test]
    fn arguments_reach_the_program_as_they_are() {
        let (out, warnings) = run(&spec("printf", &["%s|", "a b", "$HOME", "*", "'"])).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "a b|$HOME|*|'|");
        assert_eq!(warnings, []);
        let (out, _) = run(&spec("env", &[])).unwrap();
        let text = String::from_utf8(out).unwrap();
        let seen: BTreeMap<_, _> = text.lines().filter_map(|l| l.split_once('=')).collect();
        let wanted = BTreeMap::from([("LANG", "C"), ("PATH", "/usr/bin:/bin")]);
        assert_eq!(seen, wanted);
        let (out, warnings) = run(&spec("sh", &["-c", "pwd; echo careful >&2"])).unwrap();
        assert_eq!(out, b"/\n");
        assert_eq!(warnings[0].causes, ["careful"]);
    }

    #[test]
    fn what_does_not_end_well_is_no_stream() {
        for (arguments, message) in [
            (
                "echo half; echo why >&2; exit 3",
                "`sh` failed with exit status 3: why",
            ),
            ("echo half; kill -9 $$", "`sh` was killed by SIGKILL"),
        ] {
            let error = run(&spec("sh", &["-c", arguments])).unwrap_err();
            assert_eq!(error.to_string(), message);
            assert_eq!(error.code(), Code::Source);
        }
        let error = run(&spec("no-such-program", &[])).unwrap_err();
        assert_eq!(error.to_string(), "cannot start `no-such-program`");
        assert_eq!(error.code(), Code::Source);
    }

    #[test]
    fn a_full_target_and_a_cancelled_run_stop_it() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let cancel = CancellationToken::new();
        let error = command(&spec("yes", &[]), &mut Full, &cancel).unwrap_err();
        assert!(matches!(error.0, PassError::Output { .. }), "{error}");
        cancel.cancel();
        let error = command(&spec("yes", &[]), &mut io::sink(), &cancel).unwrap_err();
        assert_eq!(error.code(), Code::Interrupted, "{error}");
    }
}
