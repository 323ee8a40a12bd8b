//! restic, as its documentation says: dumps through standard input, folders by name.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{Input, Keeper};
use crate::{
    error::BenchError,
    places::bytes_below,
    program::{Measured, Runner},
};

/// restic.
pub(super) struct Restic<'a> {
    input: Input<'a>,
    folder: PathBuf,
    count: u32,
}

impl<'a> Restic<'a> {
    pub(super) fn make(
        input: Input<'a>,
        folder: &Path,
        runner: &Runner,
    ) -> Result<Self, BenchError> {
        let restic = Self {
            input,
            folder: folder.to_owned(),
            count: 0,
        };
        let mut init = restic.restic(runner);
        init.arg("init");
        runner.run(vec![init])?;
        Ok(restic)
    }

    fn restic(&self, runner: &Runner) -> Command {
        let mut command = runner.command("restic");
        command
            .env("RESTIC_REPOSITORY", self.repository())
            .env("RESTIC_PASSWORD", "of a benchmark")
            .env("RESTIC_CACHE_DIR", self.folder.join("cache"))
            .arg("--quiet");
        command
    }

    fn repository(&self) -> PathBuf {
        self.folder.join("repository")
    }
}

impl Keeper for Restic<'_> {
    fn name(&self) -> &'static str {
        "restic"
    }

    fn store(&mut self, runner: &Runner) -> Result<Measured, BenchError> {
        self.count += 1;
        let mut backup = self.restic(runner);
        backup.args(["backup", "--tag", &self.count.to_string()]);
        match self.input {
            Input::Database(_) => {
                backup.args(["--stdin", "--stdin-filename", "dump"]);
                runner.run(vec![self.input.archive(runner), backup])
            }
            Input::Folder(folder) => {
                backup.arg(folder);
                runner.run(vec![backup])
            }
        }
    }

    fn kept_bytes(&self) -> Result<u64, BenchError> {
        bytes_below(&self.repository())
    }

    fn first_again(&self, runner: &Runner) -> Vec<Command> {
        let mut dump = self.restic(runner);
        // The newest of those with this tag, of which there is one.
        dump.args(["dump", "--tag", "1", "latest"]);
        match self.input {
            Input::Database(_) => dump.arg("dump"),
            Input::Folder(folder) => dump.args(["--archive", "tar"]).arg(folder),
        };
        vec![dump]
    }

    fn verify(&self, runner: &Runner) -> Option<Command> {
        let mut check = self.restic(runner);
        check.args(["check", "--read-data"]);
        Some(check)
    }
}
