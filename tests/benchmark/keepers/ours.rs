//! backupctl, by its command line.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Input, Keeper};
use crate::{
    data::NAME,
    error::BenchError,
    places::{bytes_below, files_below},
    program::{Measured, Runner},
};

/// The one job.
const JOB: &str = "bench";

/// backupctl with a repository of its own.
pub(crate) struct Ours<'a> {
    input: Input<'a>,
    program: PathBuf,
    folder: PathBuf,
}

impl<'a> Ours<'a> {
    /// Makes a repository, keys and a configuration in `folder`.
    pub(crate) fn make(
        input: Input<'a>,
        program: &Path,
        folder: &Path,
        runner: &Runner,
    ) -> Result<Self, BenchError> {
        let ours = Self {
            input,
            program: program.to_owned(),
            folder: folder.to_owned(),
        };
        let mut init = runner.command(program);
        init.args(["init", "--json", "--repository"])
            .arg(ours.repository())
            .arg("--keys")
            .arg(folder.join("keys"))
            .arg("--state")
            .arg(folder.join("state"));
        let made = runner.read(vec![init])?;
        let trust = serde_json::from_str::<serde_json::Value>(&made)
            .ok()
            .and_then(|made| Some(made.get("trust")?.as_str()?.to_owned()))
            .ok_or(BenchError::Strange {
                what: "what init printed",
                text: made,
            })?;
        let config = folder.join("config.toml");
        fs::write(&config, ours.config(&trust)?).map_err(BenchError::io("write", &config))?;
        Ok(ours)
    }

    fn config(&self, trust: &str) -> Result<String, BenchError> {
        let source = match self.input {
            Input::Database(server) => {
                let password = self.folder.join("password");
                server.write_password(&password)?;
                format!(
                    "kind = \"postgres\"\nname = \"{NAME}\"\npassword = {{ file = {} }}\n\
                     connection = {{ host = {}, user = \"postgres\", dbname = \"{NAME}\" }}\n",
                    quoted(&password),
                    quoted(&server.socket),
                )
            }
            Input::Folder(folder) => {
                format!(
                    "kind = \"files\"\nname = \"{NAME}\"\npaths = [{}]\n",
                    quoted(folder)
                )
            }
        };
        Ok(format!(
            "version = 1\nstate = \"state\"\n\n\
             [repository.main]\nurl = \"repository\"\ntrust = \"{trust}\"\n\n\
             [job.{JOB}]\nrepository = \"main\"\n\n[[job.{JOB}.source]]\n{source}"
        ))
    }

    fn repository(&self) -> PathBuf {
        self.folder.join("repository")
    }

    fn identity(&self) -> PathBuf {
        self.folder.join("keys/admin.key")
    }

    fn backupctl(&self, runner: &Runner) -> Command {
        let mut command = runner.command(&self.program);
        command
            .arg("--config")
            .arg(self.folder.join("config.toml"))
            .args(["--no-progress", "--no-input"]);
        command
    }

    /// The packs that are stored now.
    pub(crate) fn packs(&self) -> Result<Vec<PathBuf>, BenchError> {
        files_below(&self.repository().join("packs"))
    }

    /// The first snapshot, every byte compared with signed digests.
    pub(crate) fn verify_storage(&self, runner: &Runner) -> Command {
        let mut command = self.backupctl(runner);
        command.args(["verify", &snapshot(1)]);
        command
    }

    /// The first snapshot, decrypted and decompressed.
    pub(crate) fn verify_data(&self, runner: &Runner) -> Command {
        let mut command = self.verify_storage(runner);
        command.args(["--level", "data"]);
        command.arg("--identity").arg(self.identity());
        command
    }

    /// Restores a snapshot to a database that is not there.
    pub(crate) fn restore_database(&self, runner: &Runner, number: u32, name: &str) -> Command {
        let mut command = self.restore(runner, number);
        command.arg(format!("--to-database={name}"));
        command
    }

    /// Restores a snapshot to a folder that is not there.
    pub(crate) fn restore_folder(&self, runner: &Runner, number: u32, to: &Path) -> Command {
        let mut command = self.restore(runner, number);
        command.arg("--to-folder").arg(to);
        command
    }

    fn restore(&self, runner: &Runner, number: u32) -> Command {
        let mut command = self.backupctl(runner);
        command.args(["--yes", "restore", &snapshot(number)]);
        command.arg("--identity").arg(self.identity());
        command
    }

    /// Writes the epoch's identity, which opens packs, to a file.
    pub(crate) fn epoch_key(&self, runner: &Runner) -> Result<PathBuf, BenchError> {
        let key = self.folder.join("epoch.key");
        let mut age = runner.command("age");
        age.arg("-d")
            .arg("-i")
            .arg(self.identity())
            .arg(self.repository().join("keys/1/admin-1.age"));
        runner.run_into_file(vec![age], &key)?;
        Ok(key)
    }
}

/// A string of TOML, which JSON's are.
fn quoted(path: &Path) -> String {
    serde_json::Value::from(path.to_string_lossy()).to_string()
}

fn snapshot(number: u32) -> String {
    format!("{JOB}/{number}")
}

impl Keeper for Ours<'_> {
    fn name(&self) -> &'static str {
        "backupctl"
    }

    fn store(&mut self, runner: &Runner) -> Result<Measured, BenchError> {
        let mut command = self.backupctl(runner);
        command.args(["backup", JOB]);
        runner.run(vec![command])
    }

    fn kept_bytes(&self) -> Result<u64, BenchError> {
        bytes_below(&self.repository())
    }

    fn first_again(&self, runner: &Runner) -> Vec<Command> {
        let ending = match self.input {
            Input::Database(_) => "dump",
            Input::Folder(_) => "tar",
        };
        let mut command = self.backupctl(runner);
        command.args(["cat", &snapshot(1), &format!("{NAME}.{ending}")]);
        command.arg("--identity").arg(self.identity());
        vec![command]
    }

    fn verify(&self, runner: &Runner) -> Option<Command> {
        Some(self.verify_data(runner))
    }
}
