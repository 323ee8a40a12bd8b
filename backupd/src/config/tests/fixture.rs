//! A right configuration, and how to break it.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use tempfile::TempDir;

use crate::config::{Config, LoadError, Places, Problem, load};

pub(super) const TRUST: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

/// A right configuration; `§` stands for the trusted key.
pub(super) const GOOD: &str = r#"version = 1
state = "state"

[repository.main]
url = "file:///var/lib/backupd/repo"
trust = "§"

[job.webui]
repository = "main"

[[job.webui.source]]
kind = "postgres"
connection = { user = "backup", dbname = "webui" }
password = { file = "secrets/pg" }

[[job.webui.source]]
kind = "files"
name = "config"
paths = ["/srv/webui/config"]
"#;

pub(super) fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
}

pub(super) fn folder(text: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "config.toml", text.replace('§', TRUST));
    folder
}

pub(super) fn load_from(folder: &TempDir) -> Result<Config, LoadError> {
    load(&Places {
        flag: Some(folder.path().join("config.toml")),
        ..Places::default()
    })
}

pub(super) fn problems(folder: &TempDir) -> Vec<Problem> {
    match load_from(folder) {
        Err(LoadError::Invalid(problems)) => problems.0,
        other => panic!("no problems: {other:?}"),
    }
}

/// Replaces a part of [`GOOD`] and expects one problem: line, message, part of the help.
#[track_caller]
pub(super) fn refused(part: &str, by: &str, line: usize, message: &str, help: &str) {
    assert!(GOOD.contains(part), "{part}");
    let folder = folder(&GOOD.replace(part, by));
    let problems = problems(&folder);
    let shown: Vec<_> = problems.iter().map(Problem::one_line).collect();
    assert_eq!(problems.len(), 1, "{by}: {shown:?}");
    assert_eq!(problems[0].message, message, "{by}");
    assert_eq!(problems[0].line, Some(line), "{by}");
    let given = problems[0].help.as_deref().unwrap_or_default();
    assert!(given.contains(help), "{by}: {given}");
}

/// Expects problems: message, key and a part of the help of each, in the order of the lines.
#[track_caller]
pub(super) fn all_refused(text: &str, wanted: &[(&str, &str, &str)]) {
    let problems = problems(&folder(text));
    let shown: Vec<_> = problems.iter().map(Problem::one_line).collect();
    assert_eq!(problems.len(), wanted.len(), "{shown:?}");
    for (problem, (message, key, help)) in problems.iter().zip(wanted) {
        assert_eq!(problem.message, *message);
        assert_eq!(problem.key, *key, "{message}");
        assert!(
            problem.line.is_some() && problem.column.is_some(),
            "{message}"
        );
        let given = problem.help.as_deref().unwrap_or_default();
        assert!(given.contains(help), "{message}: {given}");
    }
}
