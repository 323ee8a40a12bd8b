//! How a client program gets its connection: by environment and a private pass file only.
//!
//! Nothing of a connection is ever an argument: arguments are seen by everybody on the machine,
//! and a database's name as an argument may be taken for a connection string. In the environment
//! every value stands for itself. The rest of the environment is cleared, so that no setting of
//! whoever started us leaks into what a dump looks like, and messages are in English.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Write as _},
    os::fd::AsRawFd as _,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::fs::{MemfdFlags, Mode, fchmod, memfd_create};
use secrecy::{ExposeSecret as _, SecretString, zeroize::Zeroize as _};

use super::{Connection, ConnectionError, Host};

/// Settings that shape values as text, so that equal data gives equal bytes whatever the
/// server's, database's or role's own settings are.
pub(super) const SESSION_OPTIONS: &str = "-c timezone=UTC -c datestyle=ISO \
     -c intervalstyle=postgres -c extra_float_digits=3 -c bytea_output=hex -c lc_monetary=C";

/// The environment of client programs for one connection. Its pass file goes when it is dropped,
/// so it must live as long as the programs.
#[derive(Debug)]
pub(crate) struct ChildEnvironment {
    variables: Vec<(&'static str, OsString)>,
    /// Always there, if empty: else the client would look for one in the user's home.
    pass_file: PassFile,
}

/// A file in memory that programs of the same user can open by a path while we live: no disk
/// ever sees it, and nothing can leave it behind, not even our being killed.
#[derive(Debug)]
struct PassFile {
    file: File,
    path: PathBuf,
}

impl PassFile {
    fn new() -> io::Result<Self> {
        let file = memfd_create("pgpass", MemfdFlags::CLOEXEC)?;
        // The client refuses a pass file that others could read.
        fchmod(&file, Mode::RUSR | Mode::WUSR)?;
        let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
        Ok(Self {
            file: file.into(),
            path: path.into(),
        })
    }
}

impl ChildEnvironment {
    /// Writes the pass file.
    pub(crate) fn new(connection: &Connection) -> Result<Self, ConnectionError> {
        let mut pass_file = PassFile::new().map_err(ConnectionError::PassFile)?;
        if let Some(password) = &connection.password {
            let mut line = pass_line(password).ok_or_else(|| ConnectionError::Password {
                user: connection.user.clone(),
            })?;
            let written = pass_file.file.write_all(line.as_bytes());
            line.zeroize();
            written.map_err(ConnectionError::PassFile)?;
        }
        let host = match &connection.host {
            Host::Tcp(host) => host.into(),
            Host::Socket(folder) => folder.clone().into_os_string(),
        };
        // The client counts whole seconds, and takes 0 for "for ever" and 1 for 2.
        let timeout_secs = connection.connect_timeout.as_secs().max(2);
        let variables = vec![
            ("PGHOST", host),
            ("PGPORT", connection.port.to_string().into()),
            ("PGUSER", (&connection.user).into()),
            ("PGDATABASE", (&connection.database).into()),
            ("PGPASSFILE", (&pass_file.path).into()),
            ("PGCONNECT_TIMEOUT", timeout_secs.to_string().into()),
            ("PGOPTIONS", SESSION_OPTIONS.into()),
            ("PGCLIENTENCODING", "UTF8".into()),
            ("PGGSSENCMODE", "disable".into()),
            ("PATH", "/usr/bin:/bin".into()),
            ("LC_ALL", "C".into()),
        ];
        Ok(Self {
            variables,
            pass_file,
        })
    }

    /// A command in this environment.
    pub(crate) fn command(&self, program: &Path) -> Command {
        debug_assert!(self.pass_file.path.exists(), "the pass file lives as long");
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// `*:*:*:*:<password>`: the file is for one connection, whose other fields need no comparing.
/// `None` when the password cannot be part of a line.
fn pass_line(password: &SecretString) -> Option<String> {
    let password = password.expose_secret();
    if password.contains(['\n', '\r', '\0']) {
        return None;
    }
    // Wide enough from the start: growing would leave copies behind in freed memory.
    let mut line = String::with_capacity(9 + 2 * password.len());
    line.push_str("*:*:*:*:");
    for letter in password.chars() {
        if matches!(letter, ':' | '\\') {
            line.push('\\');
        }
        line.push(letter);
    }
    line.push('\n');
    Some(line)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt as _, time::Duration};

    use super::*;

    fn connection(password: &str) -> Connection {
        Connection {
            host: Host::Socket("/run/pg".into()),
            port: 5433,
            user: "a b".to_owned(),
            database: "dbname=x host=evil".to_owned(),
            password: Some(password.into()),
            connect_timeout: Duration::from_millis(100),
        }
    }

    #[test]
    fn a_child_sees_the_connection_and_nothing_else() {
        let environment = ChildEnvironment::new(&connection("p%40")).unwrap();
        let command = environment.command(Path::new("/usr/bin/env"));
        let output = { command }.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let seen: BTreeMap<_, _> = text.lines().filter_map(|l| l.split_once('=')).collect();
        assert_eq!(seen["PGHOST"], "/run/pg");
        assert_eq!(seen["PGDATABASE"], "dbname=x host=evil");
        assert_eq!(seen["PGUSER"], "a b");
        assert_eq!(seen["PGCONNECT_TIMEOUT"], "2");
        assert!(!seen.contains_key("HOME"));
        assert!(!text.contains("p%40"));
    }

    #[test]
    fn the_pass_file_is_private_escaped_and_gone_afterwards() {
        let environment = ChildEnvironment::new(&connection(r"a:b\c")).unwrap();
        let path = environment.pass_file.path.clone();
        assert_eq!(fs::read_to_string(&path).unwrap(), "*:*:*:*:a\\:b\\\\c\n");
        let facts = fs::metadata(&path).unwrap();
        assert_eq!(facts.mode() & 0o777, 0o600);
        drop(environment);
        // The number of what was closed may be that of another file by now.
        let same = |now: fs::Metadata| (now.dev(), now.ino()) == (facts.dev(), facts.ino());
        assert!(!fs::metadata(&path).is_ok_and(same));
    }

    #[test]
    fn a_password_that_would_break_the_line_is_refused() {
        let error = ChildEnvironment::new(&connection("a\nb")).unwrap_err();
        assert!(matches!(error, ConnectionError::Password { .. }));
    }
}
