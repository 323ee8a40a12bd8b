//! The programs beside this one: where they are, how they are told to reach a bucket, and why one
//! has ended.

use std::{
    collections::VecDeque,
    io,
    path::{Path, PathBuf},
    process::Command,
};

use backup_model::{Code, Failure};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use crate::state::StorageAccess;

/// A line of a daemon's log, as far as it matters here.
#[derive(Deserialize)]
struct LogLine {
    msg: String,
    code: Option<Code>,
    causes: Option<String>,
}

/// A program: the first that is there.
pub(super) fn find(folders: &[PathBuf], program: &str) -> Result<PathBuf, Failure> {
    let mut programs = folders.iter().map(|folder| folder.join(program));
    let found = programs.find(|program| program.is_file());
    found.ok_or_else(|| {
        let beside = folders.first().map_or(Path::new("."), PathBuf::as_path);
        let text = format!(
            "there is no {program} in {}, nor where PATH leads",
            beside.display()
        );
        Failure::new(Code::ProgramMissing, text)
    })
}

/// Why a daemon ended, from the end of its log.
pub(super) fn why(log: &VecDeque<String>) -> Failure {
    let mut lines = log.iter().rev();
    let told = lines.find_map(|line| {
        let line: LogLine = serde_json::from_str(line).ok()?;
        let code = line.code?;
        let text = line.msg.strip_prefix("the daemon ends: ");
        Some(Failure {
            causes: line.causes.into_iter().collect(),
            ..Failure::new(code, text.unwrap_or(&line.msg))
        })
    });
    told.unwrap_or_else(|| {
        // What is wrong with the arguments is told in clear, and first.
        let first = log.iter().find(|line| !line.is_empty());
        Failure {
            causes: first.into_iter().cloned().collect(),
            ..Failure::new(Code::Usage, "backupd did not start")
        }
    })
}

/// How a program reaches a bucket. Secrets go into its environment and nowhere else.
pub(super) fn access(command: &mut Command, storage: &StorageAccess) {
    for (flag, value) in [
        ("--endpoint", &storage.endpoint),
        ("--region", &storage.region),
    ] {
        if let Some(value) = value {
            command.args([flag, value]);
        }
    }
    if let (Some(id), Some(secret)) = (&storage.key_id, &storage.secret_key) {
        command.env("AWS_ACCESS_KEY_ID", id);
        command.env("AWS_SECRET_ACCESS_KEY", secret.text().expose_secret());
        // One that is there belongs to another key.
        command.env_remove("AWS_SESSION_TOKEN");
    }
}

/// That a program is there and does not run.
pub(super) fn not_started(program: &str, error: &io::Error) -> Failure {
    Failure {
        causes: vec![error.to_string()],
        ..Failure::new(Code::ProgramMissing, format!("{program} cannot be started"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_it_ended_is_found_in_its_log() {
        let log = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect();
        let told = why(&log(&[
            r#"{"level":"INFO","msg":"starts"}"#,
            r#"{"level":"ERROR","code":"E-NOT-TRUSTED","causes":"a: b","msg":"the daemon ends: no"}"#,
        ]));
        let expected = Failure {
            causes: vec!["a: b".to_owned()],
            ..Failure::new(Code::NotTrusted, "no")
        };
        assert_eq!(told, expected);
        let told = why(&log(&["", "error: no such flag", "Usage: backupd"]));
        assert_eq!(told.causes, ["error: no such flag"]);
        assert_eq!(why(&log(&[])).code, Code::Usage);
    }

    #[test]
    fn a_program_that_is_nowhere_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [folder.path().to_owned()];
        let missing = find(&folders, "backupctl").unwrap_err();
        assert_eq!(missing.code, Code::ProgramMissing);
        assert!(missing.message.contains("backupctl"), "{missing}");
        std::fs::write(folder.path().join("backupctl"), "").unwrap();
        let found = find(&folders, "backupctl").unwrap();
        assert_eq!(found, folder.path().join("backupctl"));
    }
}
