//! A throw-away PostgreSQL server: private, empty, gone afterwards with all that was in it.
//!
//! It listens on a socket in a folder that only its user can enter, and asks even there for a
//! random password. It gives up durability for speed: nothing in it is meant to last. `postgres`
//! is run directly, as our child, so that its end is seen and nothing has to be found again.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{PermissionsExt as _, chown},
        process::{CommandExt as _, ExitStatusExt as _},
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use backup_model::Code;
use data_encoding::HEXLOWER;
use rustix::process::{Pid, Signal, kill_process};
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;

use super::{Connection, Host, Programs, ProgramsError};
use crate::child::Stderr;

const USER: &str = "postgres";
const PORT: u16 = 5432;
/// The longest path of a socket that the system takes.
const SOCKET_PATH_BYTES: usize = 107;
const START_LIMIT: Duration = Duration::from_mins(1);
const STOP_LIMIT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);

/// Why there is no scratch cluster.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScratchError {
    /// The server programs are not there.
    #[error("cannot make a scratch cluster")]
    Programs(#[source] ProgramsError),
    /// The folder is too deep.
    #[error("the socket's path {} has {} bytes and may have {SOCKET_PATH_BYTES}", .socket.display(), .socket.as_os_str().len())]
    PathTooLong {
        /// What the socket's path would be.
        socket: PathBuf,
    },
    /// A local file or folder of the cluster.
    #[error("cannot {what} for the scratch cluster")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// `initdb` failed.
    #[error("`initdb` failed{0}")]
    Initdb(Stderr),
    /// The server ended before it took connections.
    #[error("the scratch server ended with {status}{log}")]
    Ended {
        /// How.
        status: ExitStatus,
        /// The end of its log.
        log: Stderr,
    },
    /// The server does not answer.
    #[error("the scratch server took no connection within {} s{log}", START_LIMIT.as_secs())]
    Silent {
        /// The end of its log.
        log: Stderr,
    },
}

impl ScratchError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Programs(error) => error.code(),
            Self::PathTooLong { .. } => Code::Config,
            Self::Io { .. } => Code::LocalIo,
            Self::Initdb(_) | Self::Ended { .. } | Self::Silent { .. } => Code::PgConnect,
        }
    }

    fn io(what: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}

/// A running throw-away server. Dropping it stops it and removes its folder.
#[derive(Debug)]
pub struct ScratchCluster {
    // Before the folder: the server must have ended when that is removed.
    server: Server,
    folder: TempDir,
    password: SecretString,
}

impl ScratchCluster {
    /// Makes a cluster below `parent` and waits until it takes connections. When we are root the
    /// server is not, so others must be let through to `parent`.
    pub async fn start(programs: &Programs, parent: &Path) -> Result<Self, ScratchError> {
        let (initdb, postgres) = programs.server().map_err(ScratchError::Programs)?;
        let folder = tempfile::Builder::new()
            .prefix("pg-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(parent)
            .map_err(ScratchError::io("make a folder"))?;
        let socket = folder.path().join(format!(".s.PGSQL.{PORT}"));
        if socket.as_os_str().as_bytes().len() > SOCKET_PATH_BYTES {
            return Err(ScratchError::PathTooLong { socket });
        }
        let user = unprivileged().map_err(ScratchError::io("find an unprivileged user"))?;
        let password = random_password()?;
        let password_file = folder.path().join("password");
        fs::write(&password_file, password.expose_secret())
            .map_err(ScratchError::io("write a password"))?;
        for path in [folder.path(), &password_file] {
            if let Some((uid, gid)) = user {
                chown(path, Some(uid), Some(gid))
                    .map_err(ScratchError::io("hand over a folder"))?;
            }
        }
        initialise(&initdb, folder.path(), &password_file, user).await?;
        fs::remove_file(&password_file).map_err(ScratchError::io("remove a password"))?;
        let mut cluster = Self {
            server: Server::spawn(&postgres, folder.path(), user)?,
            folder,
            password,
        };
        cluster.wait_until_ready().await?;
        Ok(cluster)
    }

    /// How to reach one of its databases, as superuser. It starts with `postgres`.
    pub fn connection(&self, database: impl Into<String>) -> Connection {
        Connection {
            host: Host::Socket(self.folder.path().to_owned()),
            port: PORT,
            user: USER.to_owned(),
            database: database.into(),
            password: Some(self.password.clone()),
            connect_timeout: Duration::from_secs(10),
        }
    }

    /// Stops the server and removes its folder, telling what could not be removed.
    pub async fn stop(mut self) -> Result<(), ScratchError> {
        self.server.signal(Signal::INT);
        let begun = Instant::now();
        while self.server.has_ended().is_none() && begun.elapsed() < STOP_LIMIT {
            tokio::time::sleep(POLL).await;
        }
        self.server.end_now();
        self.folder
            .close()
            .map_err(ScratchError::io("remove the folder"))
    }

    async fn wait_until_ready(&mut self) -> Result<(), ScratchError> {
        let connection = self.connection("postgres");
        let begun = Instant::now();
        while begun.elapsed() < START_LIMIT {
            if let Some(status) = self.server.has_ended() {
                let log = self.log();
                return Err(ScratchError::Ended { status, log });
            }
            if connection.connect().await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        Err(ScratchError::Silent { log: self.log() })
    }

    fn log(&self) -> Stderr {
        // A log that cannot be read leaves the quotation empty; the error itself stands.
        let log = fs::read(log_path(self.folder.path())).unwrap_or_default();
        Stderr(String::from_utf8_lossy(&log).into_owned())
    }
}

/// The `postgres` process.
#[derive(Debug)]
struct Server {
    child: Child,
    status: Option<ExitStatus>,
    guard: Child,
}

impl Server {
    fn spawn(
        postgres: &Path,
        folder: &Path,
        user: Option<(u32, u32)>,
    ) -> Result<Self, ScratchError> {
        let log = fs::File::create(log_path(folder)).map_err(ScratchError::io("make a log"))?;
        let copy = log.try_clone().map_err(ScratchError::io("make a log"))?;
        let mut sockets = OsString::from("unix_socket_directories=");
        sockets.push(folder);
        let mut command = as_user(postgres, folder, user);
        command
            .arg("-D")
            .arg(folder.join("data"))
            .arg("-c")
            .arg(sockets);
        for setting in [
            "port=5432",
            "listen_addresses=",
            "unix_socket_permissions=0700",
            "shared_buffers=32MB",
            "max_connections=40",
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "wal_level=minimal",
            "max_wal_senders=0",
            "max_wal_size=256MB",
            "logging_collector=off",
        ] {
            command.args(["-c", setting]);
        }
        let mut child = command
            .stdout(copy)
            .stderr(log)
            .process_group(0)
            .spawn()
            .map_err(ScratchError::io("start `postgres`"))?;
        match guard(&child, folder) {
            Ok(guard) => Ok(Self {
                child,
                status: None,
                guard,
            }),
            Err(source) => {
                // Unguarded it must not stay; it has nothing yet that could be lost.
                child.kill().and_then(|()| child.wait()).ok();
                let what = "start the server's guard";
                Err(ScratchError::Io { what, source })
            }
        }
    }

    fn has_ended(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            // An error here means that there is nothing to wait for: as good as ended.
            let lost = || Some(ExitStatus::from_raw(-1));
            self.status = self.child.try_wait().unwrap_or_else(|_| lost());
        }
        self.status
    }

    fn signal(&mut self, signal: Signal) {
        if self.has_ended().is_none() {
            // Not yet reaped, so the process id is still ours; that it just ended is as good.
            kill_process(Pid::from_child(&self.child), signal).ok();
        }
    }

    /// Ends it without ceremony: nothing in it is worth a clean shutdown.
    fn end_now(&mut self) {
        // First, as it would take the end of our pipe for our own. It may be gone already.
        self.guard.kill().and_then(|()| self.guard.wait()).ok();
        self.signal(Signal::QUIT);
        let begun = Instant::now();
        while self.has_ended().is_none() {
            if begun.elapsed() > STOP_LIMIT {
                self.signal(Signal::KILL);
            }
            thread::sleep(POLL);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end_now();
    }
}

/// Ends the server and removes its folder should we be killed: a shell that waits for the end of
/// a pipe which only we hold. A restored database must not stay behind in the clear.
fn guard(server: &Child, folder: &Path) -> io::Result<Child> {
    Command::new("/bin/sh")
        .args(["-c", "read _; kill -QUIT \"$0\"; sleep 1; rm -rf -- \"$1\""])
        .arg(server.id().to_string())
        .arg(folder)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}

async fn initialise(
    initdb: &Path,
    folder: &Path,
    password_file: &Path,
    user: Option<(u32, u32)>,
) -> Result<(), ScratchError> {
    let mut command = as_user(initdb, folder, user);
    command
        .arg("--pgdata")
        .arg(folder.join("data"))
        .arg("--pwfile")
        .arg(password_file)
        .args(["--username", USER, "--auth", "scram-sha-256"])
        .args(["--encoding", "UTF8", "--locale", "C", "--no-sync"])
        .stdout(Stdio::null());
    let output = tokio::process::Command::from(command)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(ScratchError::io("start `initdb`"))?;
    if output.status.success() {
        Ok(())
    } else {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(ScratchError::Initdb(Stderr(said)))
    }
}

/// A command in a clean environment; the server programs refuse to run as root.
fn as_user(program: &Path, folder: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C")
        .current_dir(folder)
        .stdin(Stdio::null());
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}

/// Whom to be when we are root: `postgres` if there is such a user, else `nobody`.
fn unprivileged() -> io::Result<Option<(u32, u32)>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| ids_of(&users, name))
        .map(Some)
        .ok_or_else(|| io::Error::other("neither `postgres` nor `nobody` is in /etc/passwd"))
}

fn ids_of(users: &str, name: &str) -> Option<(u32, u32)> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        Some((uid, fields.next()?.parse().ok()?))
    })
}

fn random_password() -> Result<SecretString, ScratchError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| ScratchError::io("draw a password")(io::Error::other(error)))?;
    Ok(HEXLOWER.encode(&bytes).into())
}

fn log_path(folder: &Path) -> PathBuf {
    folder.join("log")
}

#[cfg(test)]
mod tests;
