//! The memory of `backupctl` is nobody else's: no other program of the same user looks into it, and
//! no core dump is made of it. Its client programs find their password all the same.

use std::{
    fs::{self, File},
    os::unix::{
        fs::{MetadataExt as _, OpenOptionsExt as _, chown},
        process::ExitStatusExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::OFlags,
    process::{Pid, Signal, geteuid, kill_process},
};

use crate::{
    program::{Ran, clean, stock},
    world::World,
};

/// `backupctl`, run by somebody who is not root, with a repository of his own.
struct User {
    world: World,
    home: PathBuf,
    program: PathBuf,
    ids: (u32, u32),
}

impl User {
    fn new() -> Self {
        let world = World::new();
        // The server's user, who alone reaches its socket.
        let all = fs::read_dir(&world.dir)
            .unwrap()
            .map(|entry| entry.unwrap());
        let mut servers =
            all.filter(|entry| entry.file_name().to_string_lossy().starts_with("pg-"));
        let owner = servers.next().unwrap().metadata().unwrap();
        let user = Self {
            home: world.dir.join("home"),
            program: world.dir.join("backupctl"),
            ids: (owner.uid(), owner.gid()),
            world,
        };
        fs::create_dir(&user.home).unwrap();
        fs::copy(user.world.program(), &user.program).unwrap();
        let password = user.home.join("pg.password");
        fs::rename(user.world.dir.join("pg.password"), &password).unwrap();
        for path in [&user.home, &password, &user.world.dir.join("tmp")] {
            chown(path, Some(user.ids.0), Some(user.ids.1)).unwrap();
        }
        user.init();
        user
    }

    /// A command of this user, with core dumps as large as they may be.
    fn command(&self, words: &str) -> Command {
        let mut command = if geteuid().is_root() {
            let (uid, gid) = self.ids;
            let mut setpriv = stock("setpriv");
            setpriv.args([format!("--reuid={uid}"), format!("--regid={gid}")]);
            setpriv.args(["--clear-groups", "--"]);
            setpriv.arg("/bin/sh");
            setpriv
        } else {
            clean(Path::new("/bin/sh"))
        };
        command.args(["-c", &format!("ulimit -c $(ulimit -H -c) && exec {words}")]);
        command.current_dir(&self.home).stdin(Stdio::null());
        command.env("B", &self.program).env("H", &self.home);
        command.env("TMPDIR", self.world.dir.join("tmp"));
        command.env("BACKUPD_CONFIG", self.home.join("config.toml"));
        command
    }

    fn init(&self) {
        let init = "\"$B\" init --json --repository repo --keys keys --state state";
        let made = Ran::of(self.command(init)).expect(0).message("init");
        let old = fs::read_to_string(self.world.dir.join("config.toml")).unwrap();
        let (dir, home) = (self.world.path(""), self.home.display());
        let new = old.replace(&self.world.trust, made["trust"].as_str().unwrap());
        let new = ["repo", "state", "pg.password"]
            .iter()
            .fold(new, |text, name| {
                text.replace(&format!("{dir}{name}\""), &format!("{home}/{name}\""))
            });
        let new = new
            + &format!(
                "\n[job.waits]\n[[job.waits.source]]\nkind = \"command\"\nname = \"waits\"\n\
             command = [\"/bin/sh\", \"-c\", \"echo >{home}/ready; read line <{home}/go\"]\n"
            );
        fs::write(self.home.join("config.toml"), new).unwrap();
    }

    /// Starts a program, and waits until what it runs says into a pipe that it is in the middle. Of
    /// another run there must be another pipe: what wrote into this one may hold it open.
    fn started(&self, words: &str, pipe: &str) -> Child {
        let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
        let mut options = File::options();
        let ready = options.read(true).custom_flags(nonblocking);
        let ready = ready.open(self.home.join(pipe)).unwrap();
        let mut command = self.command(words);
        let child = command.stdout(Stdio::null()).spawn().unwrap();
        let mut said = [PollFd::new(&ready, PollFlags::IN)];
        let limit = Timespec::try_from(Duration::from_mins(1)).unwrap();
        assert_eq!(
            poll(&mut said, Some(&limit)),
            Ok(1),
            "{words} did not begin"
        );
        child
    }

    /// Aborts it; what it ran goes on, and ends.
    fn abort(&self, mut child: Child, go: &str) -> ExitStatus {
        let pid = Pid::from_child(&child);
        kill_process(pid, Signal::ABORT).unwrap();
        let status = child.wait().unwrap();
        let mut options = File::options();
        let go = options.read(true).write(true).open(self.home.join(go));
        drop(go.unwrap());
        status
    }

    /// A pipe with a name in the user's home.
    fn pipe(&self, name: &str) {
        Ran::of(self.command(&format!("mkfifo -m 666 {name}"))).expect(0);
    }
}

/// Who owns what the system says of a process: root, if it may not be looked into.
fn owner(child: &Child) -> u32 {
    let path = format!("/proc/{}/maps", child.id());
    fs::metadata(path).unwrap().uid()
}

#[test]
fn its_memory_is_neither_looked_into_nor_dumped() {
    let user = User::new();
    for name in ["ready", "go", "other-ready", "other-go"] {
        user.pipe(name);
    }
    let before = files(&user.home);
    let child = user.started("\"$B\" backup waits", "ready");
    assert_eq!(owner(&child), 0);
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let cores = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let words: Vec<&str> = cores.unwrap().split_whitespace().collect();
    assert_eq!(&words[4..6], ["0", "0"]);
    let status = user.abort(child, "go");
    assert_eq!(status.signal(), Some(6));
    assert!(!status.core_dumped());
    assert_eq!(files(&user.home), before);

    // Another program of the same user may be looked into.
    let other = user.started(
        "/bin/sh -c 'echo >other-ready; read line <other-go'",
        "other-ready",
    );
    assert_eq!(owner(&other), user.ids.0);
    user.abort(other, "other-go");
}

/// The names in a folder.
fn files(folder: &Path) -> Vec<std::ffi::OsString> {
    let all = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = all.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

#[test]
fn client_programs_find_the_password_of_a_user_who_is_not_root() {
    let user = User::new();
    for words in [
        "backup app",
        "verify --level data --identity keys/admin.key",
        "restore app --to-folder out --to-database=copy --yes --identity keys/admin.key",
    ] {
        Ran::of(user.command(&format!("\"$B\" {words}"))).expect(0);
    }
    assert_eq!(user.world.dumped("copy"), user.world.dumped("app"));
}
