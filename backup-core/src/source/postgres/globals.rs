//! Roles and tablespaces of a server, as SQL of `pg_dumpall --globals-only`.
//!
//! Only a superuser may read the hashes of passwords. For anybody else the roles are taken
//! without them, which is said in a warning: after a restore those roles cannot log in until
//! they get a password. It is small, so it is held in memory until it is known to be whole.

use std::{io::Write, process::Command, time::Duration};

use backup_model::{Code, Failure};
use tokio_util::sync::CancellationToken;

use super::DumpError;
use crate::{
    child::{ChildError, PassError, PipeLimits, Stderr, pass},
    postgres::{Connection, Programs, environment::ChildEnvironment},
};

/// Enough for ten thousands of roles.
const MOST_BYTES: u64 = 8 << 20;
const END: &[u8] = b"-- PostgreSQL database cluster dump complete";
/// After the end mark comes at most a line or two.
const END_WITHIN: usize = 4096;

/// What was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlobalsSummary {
    /// Its length.
    pub length_bytes: u64,
    /// What is not in it, and why.
    pub warnings: Vec<Failure>,
}

/// Writes the server's roles and tablespaces to `out`. Blocks; for a plain thread.
pub fn globals(
    connection: &Connection,
    programs: &Programs,
    stall: Duration,
    out: &mut dyn Write,
    cancel: &CancellationToken,
) -> Result<GlobalsSummary, DumpError> {
    let environment = ChildEnvironment::new(connection)?;
    let command = || -> Result<Command, DumpError> {
        let mut command = environment.command(programs.pg_dumpall())?;
        // The empty name stands for the connection's database, instead of a guess.
        command.args(["--globals-only", "--no-password", "--database="]);
        Ok(command)
    };
    let mut warnings = Vec::new();
    let (sql, stderr) = match collect(command()?, stall, cancel) {
        Err(DumpError::Pass(PassError::Program(refusal @ ChildError::Exit { .. }))) => {
            let mut without = command()?;
            without.arg("--no-role-passwords");
            // When this fails too, passwords were not the matter and its error is the better one.
            let taken = collect(without, stall, cancel)?;
            warnings.push(Failure {
                code: Code::PgDump,
                message: format!(
                    "the passwords of roles are not in the backup: `{}` may not read them",
                    connection.user
                ),
                causes: vec![refusal.to_string()],
            });
            taken
        }
        other => other?,
    };
    warnings.extend(stderr.warning(Code::PgDump, "pg_dumpall"));
    out.write_all(&sql).map_err(|source| PassError::Output {
        program: "pg_dumpall".to_owned(),
        source,
    })?;
    Ok(GlobalsSummary {
        length_bytes: sql.len() as u64,
        warnings,
    })
}

fn collect(
    command: Command,
    stall: Duration,
    cancel: &CancellationToken,
) -> Result<(Vec<u8>, Stderr), DumpError> {
    let limits = PipeLimits {
        stall,
        most_bytes: Some(MOST_BYTES),
    };
    let mut sql = Vec::new();
    let stderr = pass("pg_dumpall", command, limits, cancel, &mut |piece| {
        sql.extend_from_slice(piece);
        Ok(())
    })?;
    let tail = &sql[sql.len().saturating_sub(END_WITHIN)..];
    if tail.windows(END.len()).any(|part| part == END) {
        Ok((sql, stderr))
    } else {
        Err(DumpError::Globals { stderr })
    }
}
