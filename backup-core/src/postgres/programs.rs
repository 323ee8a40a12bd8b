//! Finds the PostgreSQL programs and tells their version.
//!
//! A folder that was asked for is the only one looked at. Otherwise the newest of Debian's
//! versioned folders wins over the search path, whose `pg_dump` may be a wrapper that picks a
//! version by its own rules. The environment is not read: the search path comes from the caller.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use backup_model::Code;

/// Debian and its relatives keep each major version in `<here>/<major>/bin`.
const VERSIONED: &str = "/usr/lib/postgresql";

/// Why the programs cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramsError {
    /// A program is in none of the folders.
    #[error("there is no program `{program}` in {}", list(.searched))]
    Missing {
        /// The program.
        program: &'static str,
        /// Where it was looked for.
        searched: Vec<PathBuf>,
    },
    /// A program does not start.
    #[error("cannot run {}", .program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A program does not say which version it is.
    #[error("{} does not tell its version but `{printed}`", .program.display())]
    NoVersion {
        /// The program.
        program: PathBuf,
        /// The start of what it printed.
        printed: String,
    },
}

impl ProgramsError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Missing { .. } | Self::Run { .. } | Self::NoVersion { .. } => {
                Code::ProgramMissing
            }
        }
    }
}

/// The version of a program of PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The line that it prints.
    pub text: String,
    /// The major version, for example 15.
    pub major: u32,
    /// The minor version, for example 20; none of a beta.
    pub minor: Option<u32>,
}

impl Version {
    /// Reads `pg_dump (PostgreSQL) 15.20 (Debian …)`, and also `18beta1`.
    fn parse(line: &str) -> Option<Self> {
        let (_, number) = line.split_once("(PostgreSQL) ")?;
        let digits = |text: &str| {
            let count = text.bytes().take_while(u8::is_ascii_digit).count();
            text.split_at(count).0.to_owned()
        };
        let major = digits(number);
        let minor = number.get(major.len()..)?.strip_prefix('.').map(digits);
        Some(Self {
            text: line.to_owned(),
            major: major.parse().ok()?,
            minor: minor.and_then(|minor| minor.parse().ok()),
        })
    }
}

/// The PostgreSQL programs of this machine.
#[derive(Clone, Debug)]
pub struct Programs {
    folders: Vec<PathBuf>,
    pg_dump: PathBuf,
    pg_dumpall: PathBuf,
    pg_restore: PathBuf,
    version: Version,
}

impl Programs {
    /// Finds the client programs: in `folder` if given, else the newest installed version, else
    /// along `search`.
    pub fn find(folder: Option<&Path>, search: &[PathBuf]) -> Result<Self, ProgramsError> {
        let folders = match folder {
            Some(folder) => vec![folder.to_owned()],
            None => versioned(Path::new(VERSIONED))
                .into_iter()
                .chain(search.iter().cloned())
                .collect(),
        };
        let pg_dump = look_for("pg_dump", &folders)?;
        // The others come from the same place, so that all are of one version.
        let beside: Vec<PathBuf> = pg_dump.parent().map(Path::to_owned).into_iter().collect();
        Ok(Self {
            pg_dumpall: look_for("pg_dumpall", &beside)?,
            pg_restore: look_for("pg_restore", &beside)?,
            version: ask_version(&pg_dump)?,
            pg_dump,
            folders,
        })
    }

    /// The version of `pg_dump`, and so of the others.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// The path of `pg_dump`.
    pub fn pg_dump(&self) -> &Path {
        &self.pg_dump
    }

    /// The path of `pg_dumpall`.
    pub fn pg_dumpall(&self) -> &Path {
        &self.pg_dumpall
    }

    /// The path of `pg_restore`.
    pub fn pg_restore(&self) -> &Path {
        &self.pg_restore
    }

    /// The paths of `initdb` and `postgres`, of one version. Only throw-away clusters need them.
    pub fn server(&self) -> Result<(PathBuf, PathBuf), ProgramsError> {
        let initdb = look_for("initdb", &self.folders)?;
        let beside: Vec<PathBuf> = initdb.parent().map(Path::to_owned).into_iter().collect();
        let postgres = look_for("postgres", &beside)?;
        Ok((initdb, postgres))
    }
}

/// The `bin` folders of all versions below `root`, newest first.
fn versioned(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root) else {
        return Vec::new();
    };
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name();
            // `9.6` is older than `10`: its first number decides.
            let major = name.to_str()?.split('.').next()?.parse().ok()?;
            Some((major, entry.path().join("bin")))
        })
        .collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, folder)| folder).collect()
}

fn look_for(program: &'static str, folders: &[PathBuf]) -> Result<PathBuf, ProgramsError> {
    folders
        .iter()
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .ok_or_else(|| ProgramsError::Missing {
            program,
            searched: folders.to_vec(),
        })
}

fn ask_version(program: &Path) -> Result<Version, ProgramsError> {
    let output = Command::new(program)
        .arg("--version")
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(|source| ProgramsError::Run {
            program: program.to_owned(),
            source,
        })?;
    let printed = String::from_utf8_lossy(&output.stdout);
    Version::parse(printed.trim()).ok_or_else(|| ProgramsError::NoVersion {
        program: program.to_owned(),
        printed: printed.trim().chars().take(80).collect(),
    })
}

fn list(folders: &[PathBuf]) -> String {
    if folders.is_empty() {
        return "any folder: none was given".to_owned();
    }
    let texts: Vec<_> = folders.iter().map(|f| f.display().to_string()).collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_releases_and_betas_are_read() {
        for (line, major) in [
            ("pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)", 15),
            ("pg_dump (PostgreSQL) 18beta1", 18),
            ("pg_dump (PostgreSQL) 9.6.24", 9),
        ] {
            assert_eq!(Version::parse(line).unwrap().major, major);
        }
        for line in ["", "pg_dump", "pg_dump (PostgreSQL) devel"] {
            assert_eq!(Version::parse(line), None);
        }
    }

    #[test]
    fn the_newest_version_comes_first_by_number_not_by_text() {
        let root = tempfile::tempdir().unwrap();
        for name in ["9.6", "15", "10", "not-a-version"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        let names: Vec<_> = versioned(root.path())
            .into_iter()
            .map(|bin| bin.strip_prefix(root.path()).unwrap().to_owned())
            .collect();
        assert_eq!(names, ["15/bin", "10/bin", "9.6/bin"].map(PathBuf::from));
    }

    #[test]
    fn a_missing_program_is_named_with_where_it_was_looked_for() {
        let empty = tempfile::tempdir().unwrap();
        let error = Programs::find(Some(empty.path()), &[]).unwrap_err();
        assert_eq!(error.code(), Code::ProgramMissing);
        let text = error.to_string();
        assert!(text.contains("`pg_dump`"), "{text}");
        assert!(text.contains(&empty.path().display().to_string()), "{text}");
    }
}
