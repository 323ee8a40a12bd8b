//! Secrets by reference: where one is, and how it is fetched at the moment it is needed.
//!
//! A reference can be shown, compared and written down; the secret itself lives in a type that
//! shows nothing and is wiped when dropped, and is never in an error.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use backup_model::{Code, Failure};
use rustix::fs::{Mode, OFlags};
use secrecy::{SecretString, zeroize::Zeroizing};
use tokio::io::AsyncReadExt as _;

const MAX_BYTES: usize = 64 << 10;
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretRef {
    /// In an environment variable.
    Env(String),
    /// In a file that only its owner can read; an absolute path.
    File(PathBuf),
    /// In a file of this name in the folder of credentials.
    Credential(String),
    /// In what a program prints: the program and its arguments, without a shell.
    Command(Vec<String>),
}

/// What the program knows about where secrets are.
#[derive(Clone, Debug)]
pub struct SecretSources {
    /// Looks up an environment variable.
    pub env: fn(&str) -> Option<OsString>,
    /// `$CREDENTIALS_DIRECTORY`.
    pub credentials: Option<PathBuf>,
}

/// Why a secret could not be had. Never holds any part of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// No such variable.
    #[error("the environment variable `{0}` is not set")]
    EnvMissing(String),
    /// Nobody handed credentials to this process.
    #[error("the credential `{0}` is not there: $CREDENTIALS_DIRECTORY is not set")]
    NoCredentials(String),
    /// The file cannot be read.
    #[error("the secret file {} cannot be read", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not what a secret should be kept in.
    #[error("the secret file {} {fault}", .path.display())]
    Unsafe {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The program could not be run.
    #[error("the secret command `{program}` cannot be run")]
    Spawn {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The program failed.
    #[error("the secret command `{program}` failed: {status}")]
    Status {
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// The program took too long.
    #[error("the secret command `{program}` gave no answer within {} s", COMMAND_TIMEOUT.as_secs())]
    Timeout {
        /// The program.
        program: String,
    },
    /// Empty, too long, not UTF-8, or with NUL.
    #[error("the secret from {origin} {fault}")]
    Content {
        /// Where it came from.
        origin: String,
        /// What is wrong with it.
        fault: &'static str,
    },
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        Self::from_error(Code::Config, &error)
    }
}

impl SecretRef {
    /// Fetches the secret. A line end after it is not part of it.
    pub async fn resolve(&self, sources: &SecretSources) -> Result<SecretString, SecretError> {
        let bytes = match self {
            Self::Env(name) => (sources.env)(name)
                .map(|value| Zeroizing::new(value.into_encoded_bytes()))
                .ok_or_else(|| SecretError::EnvMissing(name.clone()))?,
            Self::File(path) => read_private(path)?,
            Self::Credential(name) => {
                let folder = sources
                    .credentials
                    .as_ref()
                    .ok_or_else(|| SecretError::NoCredentials(name.clone()))?;
                read_credential(&folder.join(name))?
            }
            Self::Command(arguments) => run(arguments, COMMAND_TIMEOUT).await?,
        };
        text(&bytes).map_err(|fault| SecretError::Content {
            origin: self.origin(),
            fault,
        })
    }

    /// Where the secret is, for messages.
    pub fn origin(&self) -> String {
        match self {
            Self::Env(name) => format!("the environment variable `{name}`"),
            Self::File(path) => path.display().to_string(),
            Self::Credential(name) => format!("the credential `{name}`"),
            Self::Command(arguments) => format!("the command `{}`", program(arguments)),
        }
    }
}

/// The secret in what was read; else what is wrong with it.
fn text(bytes: &[u8]) -> Result<SecretString, &'static str> {
    if bytes.len() > MAX_BYTES {
        return Err("is longer than 64 KiB");
    }
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8")?;
    if text.is_empty() {
        return Err("is empty");
    }
    if text.contains('\0') {
        return Err("contains a NUL character");
    }
    Ok(SecretString::from(text))
}

fn program(arguments: &[String]) -> &str {
    arguments.first().map_or("", String::as_str)
}

/// Reads a file that only its owner can read, and that is the file itself and not a link to one.
fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let refuse = |fault| SecretError::Unsafe {
        path: path.to_owned(),
        fault,
    };
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Err(rustix::io::Errno::LOOP) => return Err(refuse("is a symbolic link")),
        other => File::from(other.map_err(|error| unreadable(path, error.into()))?),
    };
    let facts = file.metadata().map_err(|error| unreadable(path, error))?;
    let me = rustix::process::geteuid().as_raw();
    if !facts.is_file() {
        return Err(refuse("is not a regular file"));
    }
    if facts.uid() != 0 && facts.uid() != me {
        return Err(refuse("belongs to another user"));
    }
    if facts.mode() & 0o077 != 0 {
        return Err(refuse("can be read by others: it needs mode 0600"));
    }
    read_capped(file, path)
}

/// Reads a credential. Who may see it is the service manager's business, which guards the folder,
/// and gives modes that look open and files that are links.
fn read_credential(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty())
        .map_err(|error| unreadable(path, error.into()))?;
    let file = File::from(file);
    let facts = file.metadata().map_err(|error| unreadable(path, error))?;
    if !facts.is_file() {
        return Err(SecretError::Unsafe {
            path: path.to_owned(),
            fault: "is not a regular file",
        });
    }
    read_capped(file, path)
}

fn unreadable(path: &Path, source: io::Error) -> SecretError {
    let path = path.to_owned();
    SecretError::Read { path, source }
}

fn read_capped(file: File, path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    // With room for all of it, so that growing leaves no copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BYTES + 64));
    file.take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, error))?;
    Ok(bytes)
}

/// What a program prints to its standard output.
async fn run(arguments: &[String], timeout: Duration) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let program = program(arguments).to_owned();
    let spawn = |source| SecretError::Spawn {
        program: program.clone(),
        source,
    };
    let mut child = tokio::process::Command::new(&program)
        .args(arguments.get(1..).unwrap_or_default())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(spawn)?;
    let stdout = child.stdout.take();
    let answer = async {
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BYTES + 64));
        if let Some(stdout) = stdout {
            stdout
                .take(MAX_BYTES as u64 + 1)
                .read_to_end(&mut bytes)
                .await?;
        }
        Ok((bytes, child.wait().await?))
    };
    let (bytes, status) = match tokio::time::timeout(timeout, answer).await {
        Ok(answer) => answer.map_err(spawn)?,
        Err(_) => return Err(SecretError::Timeout { program }),
    };
    // A program that prints too much may die of a closed pipe: the length is the real fault.
    if !status.success() && bytes.len() <= MAX_BYTES {
        return Err(SecretError::Status { program, status });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use secrecy::ExposeSecret as _;
    use tempfile::TempDir;

    use super::*;

    fn sources(credentials: Option<&Path>) -> SecretSources {
        SecretSources {
            env: |name| (name == "SET").then(|| "value".into()),
            credentials: credentials.map(Path::to_owned),
        }
    }

    async fn get(secret: SecretRef, credentials: Option<&Path>) -> Result<String, String> {
        let secret = secret.resolve(&sources(credentials)).await;
        secret
            .map(|secret| {
                assert!(!format!("{secret:?}").contains(secret.expose_secret()));
                secret.expose_secret().to_owned()
            })
            .map_err(|error| error.to_string())
    }

    fn file(folder: &TempDir, content: &[u8], mode: u32) -> PathBuf {
        let path = folder.path().join("secret");
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn command(arguments: &[&str]) -> SecretRef {
        SecretRef::Command(arguments.iter().map(|&s| s.to_owned()).collect())
    }

    #[tokio::test]
    async fn variables() {
        let get = |name: &str| get(SecretRef::Env(name.to_owned()), None);
        assert_eq!(get("SET").await.unwrap(), "value");
        let error = get("UNSET").await.unwrap_err();
        assert_eq!(error, "the environment variable `UNSET` is not set");
    }

    #[tokio::test]
    async fn files_are_the_owners_alone() {
        let folder = TempDir::new().unwrap();
        let get = |path: PathBuf| get(SecretRef::File(path), None);
        let good = file(&folder, b" geheim \r\n", 0o400);
        assert_eq!(get(good.clone()).await.unwrap(), " geheim ");
        for mode in [0o640, 0o604, 0o620] {
            let error = get(file(&folder, b"geheim", mode)).await.unwrap_err();
            assert!(
                error.ends_with("can be read by others: it needs mode 0600"),
                "{error}"
            );
        }
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&good, &link).unwrap();
        assert!(get(link).await.unwrap_err().ends_with("is a symbolic link"));
        let error = get(folder.path().to_owned()).await.unwrap_err();
        assert!(error.ends_with("is not a regular file"), "{error}");
        let error = get(folder.path().join("none")).await.unwrap_err();
        assert!(error.ends_with("cannot be read"), "{error}");
        let long = vec![b'x'; MAX_BYTES + 2];
        for (content, fault) in [
            (&b"\n"[..], "is empty"),
            (b"a\0b", "contains a NUL character"),
            (b"\xff", "is not UTF-8"),
            (&long, "is longer than 64 KiB"),
        ] {
            let error = get(file(&folder, content, 0o600)).await.unwrap_err();
            assert!(error.ends_with(fault), "{error}");
        }
    }

    #[tokio::test]
    async fn credentials_come_from_their_folder() {
        let folder = TempDir::new().unwrap();
        file(&folder, b"geheim\n", 0o440);
        let secret = || SecretRef::Credential("secret".to_owned());
        assert_eq!(get(secret(), Some(folder.path())).await.unwrap(), "geheim");
        let error = get(secret(), None).await.unwrap_err();
        assert!(
            error.ends_with("$CREDENTIALS_DIRECTORY is not set"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn commands_have_no_shell_and_little_time() {
        let echo = get(command(&["echo", "$HOME;ls"]), None).await;
        assert_eq!(echo.unwrap(), "$HOME;ls");
        let error = get(command(&["false"]), None).await.unwrap_err();
        assert!(error.contains("failed: exit status: 1"), "{error}");
        let error = get(command(&["/nonexistent"]), None).await.unwrap_err();
        assert!(error.ends_with("cannot be run"), "{error}");
        let error = get(command(&["yes"]), None).await.unwrap_err();
        assert!(error.ends_with("is longer than 64 KiB"), "{error}");
        let sleep = ["sleep".to_owned(), "60".to_owned()];
        let late = run(&sleep, Duration::from_millis(20)).await.unwrap_err();
        assert!(matches!(late, SecretError::Timeout { .. }), "{late}");
    }
}
