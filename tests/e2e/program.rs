//! Programs as the tests run them: ours, which must be built from the source as it is now, and
//! Debian's, which must be installed. All get a cleared environment.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// The search path of every program that a test runs: `backupctl` is not on it.
pub(crate) const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Its exit status; `None` when a signal ended it.
    pub(crate) status: Option<i32>,
    /// Its data.
    pub(crate) stdout: Vec<u8>,
    /// Its words.
    pub(crate) stderr: String,
    /// The command line, for messages.
    pub(crate) line: String,
}

impl Ran {
    /// Runs a command to its end.
    pub(crate) fn of(mut command: Command) -> Self {
        // Without the environment, which may hold a password.
        let mut words = vec![command.get_program()];
        words.extend(command.get_args());
        let line = format!("{words:?}");
        let output = command.stdin(Stdio::null()).output();
        let Output {
            status,
            stdout,
            stderr,
        } = output.unwrap_or_else(|error| panic!("{line}: {error}"));
        Self {
            status: status.code(),
            stdout,
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
            line,
        }
    }

    /// Fails the test unless the program ended with this status.
    #[track_caller]
    pub(crate) fn expect(self, status: i32) -> Self {
        assert_eq!(
            self.status,
            Some(status),
            "{}\n{}{}",
            self.line,
            self.text(),
            self.stderr
        );
        self
    }

    /// Its data as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The JSON messages in its data, one a line.
    #[track_caller]
    pub(crate) fn messages(&self) -> Vec<serde_json::Value> {
        let text = self.text();
        let parsed: Result<_, _> = text.lines().map(serde_json::from_str).collect();
        parsed.unwrap_or_else(|error| panic!("{}: {error}:\n{}", self.line, text))
    }

    /// The only JSON message of this type.
    #[track_caller]
    pub(crate) fn message(&self, kind: &str) -> serde_json::Value {
        let mut found = self.messages();
        found.retain(|message| message["type"] == kind && message["v"] == 1);
        assert_eq!(found.len(), 1, "one `{kind}` in:\n{}", self.text());
        found.remove(0)
    }
}

/// A program of Debian, in a cleared environment.
pub(crate) fn stock(program: &str) -> Command {
    need(program);
    clean(Path::new(program))
}

/// The program at this path, in a cleared environment.
pub(crate) fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", PATH)
        .env("LC_ALL", "C.UTF-8");
    command
}

/// Fails the test when a program is not installed, and says which package has it.
pub(crate) fn need(program: &str) {
    let package = match program {
        "psql" | "pg_dump" | "pg_restore" | "pg_dumpall" => "postgresql",
        "age-keygen" => "age",
        "ssh-keygen" => "openssh-client",
        "flock" | "unshare" | "mount" | "setpriv" => "util-linux",
        "sha256sum" | "timeout" => "coreutils",
        "Xvfb" => "xvfb",
        other => other,
    };
    let found = PATH
        .split(':')
        .any(|folder| Path::new(folder).join(program).is_file());
    assert!(
        found,
        "`{program}` is not installed: sudo apt-get install --no-install-recommends {package}"
    );
}

/// The real `backupctl`, beside the tests. Cargo does not build it for them, so it is compared
/// with every file that it was made from.
pub(crate) fn backupctl() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let folder = here.parent().and_then(Path::parent).unwrap();
    let program = folder.join("backupctl");
    let remedy = "cargo build --workspace --bins";
    let modified = |path: &Path| fs::metadata(path).and_then(|facts| facts.modified());
    let built = modified(&program)
        .unwrap_or_else(|error| panic!("{}: {error}. Run: {remedy}", program.display()));
    let list = fs::read_to_string(program.with_extension("d"))
        .unwrap_or_else(|error| panic!("{}.d: {error}. Run: {remedy}", program.display()));
    let (_, sources) = list.split_once(": ").unwrap();
    for source in sources.split_whitespace() {
        let changed = modified(Path::new(source));
        assert!(
            changed.is_ok_and(|changed| changed <= built),
            "{} is older than {source}. Run: {remedy}",
            program.display()
        );
    }
    program
}
