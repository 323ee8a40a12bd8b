//! This machine's own daemon, as whoever opened the window runs it: where it is asked by its
//! configuration, and how it is started. It outlives the window.

use std::{
    collections::VecDeque,
    fs::{self, OpenOptions},
    io,
    os::unix::{fs::OpenOptionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use backup_model::{Code, Failure};
use backupd_api::{Address, Target};

use super::programs::{find, not_started, why};
use crate::state::Home;

const PROGRAM: &str = "backupd";
const LOG: &str = "backupd.log";
/// It opens its repositories and its ledger first.
const PATIENCE: Duration = Duration::from_mins(1);
const AGAIN: Duration = Duration::from_millis(100);
/// Of its log the end says why it ended.
const LAST_LINES: usize = 20;

/// Where it is asked.
pub(super) fn target(home: &Home) -> Result<Target, Failure> {
    let file = &home.configuration;
    let unread = |cause: String| Failure {
        causes: vec![cause],
        ..Failure::new(Code::Config, format!("could not read {}", file.display()))
    };
    let text = fs::read_to_string(file).map_err(|error| unread(error.to_string()))?;
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| unread(error.message().to_owned()))?;
    Ok(Target {
        address: Address::unix(&socket(&table, home)),
        token: None,
        pin: None,
    })
}

/// The socket that a configuration names, else the one beside the state that it names.
fn socket(table: &toml::Table, home: &Home) -> PathBuf {
    let listen = table.get("server").and_then(|server| server.get("listen"));
    let mut listen = listen.and_then(toml::Value::as_array).into_iter().flatten();
    let named = listen.find_map(|one| one.as_str()?.strip_prefix("unix:"));
    let state = table.get("state").and_then(toml::Value::as_str);
    match (named, state) {
        (Some(named), _) => PathBuf::from(named),
        (None, Some(state)) => Path::new(state).join("api.sock"),
        (None, None) => home.socket(),
    }
}

/// Starts it, and waits until it answers, or says why it ends.
pub(super) fn start(
    home: &Home,
    folders: &[PathBuf],
    answers: impl Fn() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let program = find(folders, PROGRAM)?;
    let log = home.state.join(LOG);
    let mut child = spawn(&program, home, &log).map_err(|error| not_started(PROGRAM, &error))?;
    let begun = Instant::now();
    loop {
        let refused = match answers() {
            Ok(()) => break,
            Err(refused) => refused,
        };
        if let Ok(Some(_)) = child.try_wait() {
            return Err(why(&end_of(&log)));
        }
        if refused.code == Code::Interrupted || begun.elapsed() > PATIENCE {
            return Err(refused);
        }
        thread::sleep(AGAIN);
    }
    // Whoever started it is told when it ends; nobody here waits for that.
    let reap = move || drop(child.wait());
    let reaper = thread::Builder::new().name("reaper".to_owned());
    drop(reaper.spawn(reap));
    Ok(())
}

fn spawn(program: &Path, home: &Home, log: &Path) -> io::Result<Child> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    let log = options.create(true).append(true).mode(0o600).open(log)?;
    let mut command = Command::new(program);
    command.args(["run", "--log-format", "json", "--config"]);
    command.arg(&home.configuration);
    // What is sent to the window's group, as by Ctrl+C in its terminal, is not for the daemon.
    command.process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(log).spawn()
}

fn end_of(log: &Path) -> VecDeque<String> {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().rev().take(LAST_LINES);
    let mut last: VecDeque<String> = VecDeque::new();
    for line in lines {
        last.push_front(line.to_owned());
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> Home {
        Home {
            configuration: "/nowhere/config.toml".into(),
            state: "/home/anna/state".into(),
            keys: "/home/anna/keys".into(),
            zone: "UTC".to_owned(),
            is_set_up: true,
        }
    }

    #[test]
    fn it_is_where_its_configuration_says() {
        let socket = |text: &str| socket(&text.parse().unwrap(), &home());
        let named = "state = \"/srv/s\"\n[server]\nlisten = [\"https://0.0.0.0:1\", \"unix:/a/b\"]";
        assert_eq!(socket(named), Path::new("/a/b"));
        assert_eq!(socket("state = \"/srv/s\""), Path::new("/srv/s/api.sock"));
        assert_eq!(socket(""), Path::new("/home/anna/state/api.sock"));
    }

    #[test]
    fn a_configuration_that_cannot_be_read_is_named() {
        let refused = target(&home()).unwrap_err();
        assert_eq!(refused.code, Code::Config);
        assert!(refused.message.contains("/nowhere/config.toml"));
    }
}
