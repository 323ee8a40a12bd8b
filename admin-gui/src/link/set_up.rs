//! Sets this machine up with the programs beside this one: `backupctl init` makes the repository and
//! its keys, and a configuration names them. Whatever can be found wrong with that is found before
//! anything is made; what is there is never written over.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use backup_keys::{SecretKey, write_private};
use backup_model::{Code, Failure};
use secrecy::SecretString;
use serde::Deserialize;

use super::programs::{access, find, not_started};
use crate::state::{Home, NewRepository, SetUp};

const PROGRAM: &str = "backupctl";

/// A line of `backupctl --json`, as far as it matters here.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Said {
    Init {
        repository: String,
        trust: String,
        single_writer: bool,
    },
    ConfigCheck {
        problems: Vec<Problem>,
    },
    Error(Refusal),
    #[serde(other)]
    Else,
}

#[derive(Deserialize)]
struct Problem {
    key: String,
    message: String,
}

#[derive(Deserialize)]
struct Refusal {
    code: Code,
    message: String,
    causes: Vec<String>,
}

/// Sets it up.
pub(super) fn set_up(order: &SetUp, home: &Home, folders: &[PathBuf]) -> Result<(), Failure> {
    if home.configuration.exists() {
        let text = format!("{} is there already", home.configuration.display());
        return Err(Failure::new(Code::TargetNotEmpty, text));
    }
    let program = find(folders, PROGRAM)?;
    let secrets = Secrets::write(order, home)?;
    check(&program, order, home)?;
    let repository = init(&program, order, home)?;
    // From here on there is a repository, whose access they are.
    secrets.keep();
    let text = order.configuration(home, &repository);
    write(&home.configuration, &SecretString::from(text)).map_err(|failure| {
        let made = format!(
            "the repository {} is made and must be signed by {}",
            repository.url, repository.trust
        );
        Failure {
            causes: [failure.causes, vec![made]].concat(),
            ..failure
        }
    })
}

/// Files with secrets, which go again if nothing comes of it.
struct Secrets(Vec<PathBuf>);

impl Secrets {
    fn write(order: &SetUp, home: &Home) -> Result<Self, Failure> {
        let mut written = Self(Vec::new());
        for (path, secret) in order.secrets(home) {
            write(&path, secret.text())?;
            written.0.push(path);
        }
        Ok(written)
    }

    fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Secrets {
    fn drop(&mut self) {
        for path in &self.0 {
            drop(fs::remove_file(path));
        }
    }
}

/// Writes a new file that only its owner can read, in a folder that only they can look into.
fn write(path: &Path, text: &SecretString) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| Failure {
            causes: vec![error.to_string()],
            ..Failure::new(
                Code::LocalIo,
                format!("could not make {}", folder.display()),
            )
        })?;
    }
    write_private(path, text).map_err(|error| Failure::from_error(Code::LocalIo, &error))
}

/// Whether the configuration would be right. Nobody knows yet by what the repository will be
/// signed; a key that nobody keeps stands there for that.
fn check(program: &Path, order: &SetUp, home: &Home) -> Result<(), Failure> {
    let stand_in = SecretKey::generate();
    let stand_in = stand_in.map_err(|error| Failure::from_error(Code::Bug, &error))?;
    let repository = NewRepository {
        url: order.location.clone(),
        trust: stand_in.public().to_string(),
        single_writer: false,
    };
    let failed = |error| Failure::from_error(Code::LocalIo, &error);
    let folder = tempfile::tempdir().map_err(failed)?;
    let file = folder.path().join("config.toml");
    fs::write(&file, order.configuration(home, &repository)).map_err(failed)?;
    let mut command = Command::new(program);
    command.arg("--config").arg(&file);
    command.args(["--json", "config", "check"]);
    for said in run(command)? {
        if let Said::ConfigCheck { problems } = said {
            return right(&problems);
        }
    }
    Err(nothing_said())
}

fn right(problems: &[Problem]) -> Result<(), Failure> {
    if problems.is_empty() {
        return Ok(());
    }
    let words = |problem: &Problem| match problem.key.as_str() {
        "" => problem.message.clone(),
        key => format!("{key}: {}", problem.message),
    };
    Err(Failure {
        causes: problems.iter().map(words).collect(),
        ..Failure::new(Code::Config, "the configuration would not be right")
    })
}

fn init(program: &Path, order: &SetUp, home: &Home) -> Result<NewRepository, Failure> {
    let mut command = Command::new(program);
    command.args(["--json", "--no-input", "--repository", &order.location]);
    access(&mut command, &order.storage);
    command.arg("init").arg("--keys").arg(&order.keys);
    command.arg("--state").arg(&home.state);
    for said in run(command)? {
        if let Said::Init {
            repository,
            trust,
            single_writer,
        } = said
        {
            return Ok(NewRepository {
                url: repository,
                trust,
                single_writer,
            });
        }
    }
    Err(nothing_said())
}

/// Runs a command to its end; a refusal of its own is the failure.
fn run(mut command: Command) -> Result<Vec<Said>, Failure> {
    let ran = command.stdin(Stdio::null()).output();
    let output = ran.map_err(|error| not_started(PROGRAM, &error))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<Said> = said
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let refused = lines.iter().find_map(|line| match line {
        Said::Error(Refusal {
            code,
            message,
            causes,
        }) => Some(Failure {
            causes: causes.clone(),
            ..Failure::new(*code, message.clone())
        }),
        _ => None,
    });
    if let Some(refused) = refused {
        return Err(refused);
    }
    if lines.is_empty() {
        // What is wrong with the arguments is told in clear.
        let told = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Failure {
            causes: vec![told],
            ..nothing_said()
        });
    }
    Ok(lines)
}

fn nothing_said() -> Failure {
    Failure::new(
        Code::Daemon,
        format!("{PROGRAM} says nothing that makes sense"),
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::state::{JobDatabase, Secret, StorageAccess};

    struct World {
        folder: tempfile::TempDir,
        home: Home,
    }

    impl World {
        /// With a `backupctl` that only says this.
        fn new(says: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let program = folder.path().join(PROGRAM);
            fs::write(&program, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
            let home = Home {
                configuration: folder.path().join("etc/config.toml"),
                state: folder.path().join("state"),
                keys: folder.path().join("keys"),
                zone: "UTC".to_owned(),
                is_set_up: false,
            };
            Self { folder, home }
        }

        fn set_up(&self) -> Failure {
            let password = Secret::new(SecretString::from("geheim"));
            let order = SetUp {
                location: "/srv/backups".to_owned(),
                storage: StorageAccess::default(),
                keys: self.home.keys.clone(),
                job: "webui".parse().unwrap(),
                schedule: "@daily".to_owned(),
                database: Some(JobDatabase {
                    host: "127.0.0.1".to_owned(),
                    port: 5432,
                    name: "webui".to_owned(),
                    user: "backup".to_owned(),
                    password: Some(password),
                }),
                paths: Vec::new(),
                open_webui: false,
            };
            let folders = [self.folder.path().to_owned()];
            set_up(&order, &self.home, &folders).unwrap_err()
        }
    }

    #[test]
    fn problems_are_told_before_anything_is_made_and_no_secret_stays() {
        let world = World::new(
            r#"{"v":1,"type":"config-check","ok":false,"problems":[{"key":"job.webui.schedule","message":"never comes"}]}"#,
        );
        let refused = world.set_up();
        assert_eq!(refused.code, Code::Config);
        assert_eq!(refused.causes, ["job.webui.schedule: never comes"]);
        let secrets = world.home.configuration.with_file_name("secrets");
        assert_eq!(fs::read_dir(secrets).unwrap().count(), 0);
        assert!(!world.home.configuration.exists());
    }

    #[test]
    fn a_refusal_is_passed_on_with_its_code() {
        let world = World::new(
            r#"{"v":1,"type":"error","code":"E-TARGET-NOT-EMPTY","message":"/srv/backups is not empty","causes":["a"],"hint":null,"exit":17}"#,
        );
        let refused = world.set_up();
        assert_eq!(refused.code, Code::TargetNotEmpty);
        assert_eq!(refused.message, "/srv/backups is not empty");
        assert_eq!(refused.causes, ["a"]);
    }

    #[test]
    fn a_configuration_that_is_there_is_left_alone() {
        let world = World::new("");
        let file = &world.home.configuration;
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "version = 1\n").unwrap();
        assert_eq!(world.set_up().code, Code::TargetNotEmpty);
        assert_eq!(fs::read_to_string(file).unwrap(), "version = 1\n");
    }
}
