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
    os::fd::{AsRawFd as _, OwnedFd},
    path::Path,
    process::Command,
};

use command_fds::CommandFdExt as _;
use rustix::fs::{MemfdFlags, Mode, fchmod, memfd_create};
use secrecy::{ExposeSecret as _, SecretString, zeroize::Zeroize as _};

use super::{Connection, ConnectionError, Host};

/// Settings that shape values as text, so that equal data gives equal bytes whatever the
/// server's, database's or role's own settings are.
pub(super) const SESSION_OPTIONS: &str = "-c timezone=UTC -c datestyle=ISO \
     -c intervalstyle=postgres -c extra_float_digits=3 -c bytea_output=hex -c lc_monetary=C";

/// The environment of client programs for one connection.
#[derive(Debug)]
pub(crate) struct ChildEnvironment {
    variables: Vec<(&'static str, OsString)>,
    /// Always there, if empty: else the client would look for one in the user's home.
    pass_file: PassFile,
}

/// A file in memory that a program inherits and finds among its own open files: no disk ever sees
/// it, nothing can leave it behind, not even our being killed, and no other program has it. A path
/// to it in this process would be of no use: nobody may look into a program that holds keys.
#[derive(Debug)]
struct PassFile(File);

impl PassFile {
    fn new() -> io::Result<Self> {
        let file = memfd_create("pgpass", MemfdFlags::CLOEXEC)?;
        // The client refuses a pass file that others could read.
        fchmod(&file, Mode::RUSR | Mode::WUSR)?;
        Ok(Self(file.into()))
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
            let written = pass_file.0.write_all(line.as_bytes());
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
    pub(crate) fn command(&self, program: &Path) -> Result<Command, ConnectionError> {
        let own = self.pass_file.0.try_clone();
        let own = OwnedFd::from(own.map_err(ConnectionError::PassFile)?);
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .env("PGPASSFILE", format!("/proc/self/fd/{}", own.as_raw_fd()))
            .preserved_fds(vec![own]);
        Ok(command)
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
    use std::{collections::BTreeMap, time::Duration};

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
        let mut command = environment.command(Path::new("/usr/bin/env")).unwrap();
        let output = command.output().unwrap();
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
    fn the_pass_file_is_private_escaped_and_no_other_programs() {
        let environment = ChildEnvironment::new(&connection(r"a:b\c")).unwrap();
        let mut command = environment.command(Path::new("/bin/sh")).unwrap();
        command.args([
            "-c",
            "stat -L -c %a $PGPASSFILE; cat $PGPASSFILE; cat $PGPASSFILE",
        ]);
        let output = command.output().unwrap();
        let line = "*:*:*:*:a\\:b\\\\c\n";
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text, format!("600\n{line}{line}"));
        // Who is started at the same time by somebody else does not have it.
        let mut other = Command::new("/bin/ls");
        let other = other.args(["-l", "/proc/self/fd"]).output().unwrap();
        assert!(!String::from_utf8(other.stdout).unwrap().contains("pgpass"));
    }

    #[test]
    fn a_password_that_would_break_the_line_is_refused() {
        let error = ChildEnvironment::new(&connection("a\nb")).unwrap_err();
        assert!(matches!(error, ConnectionError::Password { .. }));
    }
}
