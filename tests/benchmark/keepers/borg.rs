//! borg, as its documentation says: dumps through standard input, folders by name.

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

/// borg, with zstd -3 in place of its default lz4, which stores half as much again.
pub(super) struct Borg<'a> {
    input: Input<'a>,
    folder: PathBuf,
    count: u32,
}

impl<'a> Borg<'a> {
    pub(super) fn make(
        input: Input<'a>,
        folder: &Path,
        runner: &Runner,
    ) -> Result<Self, BenchError> {
        let borg = Self {
            input,
            folder: folder.to_owned(),
            count: 0,
        };
        let mut init = borg.borg(runner);
        init.args(["init", "--encryption", "repokey-blake2"]);
        runner.run(vec![init])?;
        Ok(borg)
    }

    fn borg(&self, runner: &Runner) -> Command {
        let mut command = runner.command("borg");
        command
            .env("BORG_REPO", self.repository())
            .env("BORG_PASSPHRASE", "of a benchmark")
            .env("BORG_BASE_DIR", &self.folder);
        command
    }

    fn repository(&self) -> PathBuf {
        self.folder.join("repository")
    }
}

impl Keeper for Borg<'_> {
    fn name(&self) -> &'static str {
        "borg"
    }

    fn store(&mut self, runner: &Runner) -> Result<Measured, BenchError> {
        self.count += 1;
        let mut create = self.borg(runner);
        create.args(["create", "--compression", "zstd,3"]);
        create.arg(format!("::{}", self.count));
        match self.input {
            Input::Database(_) => {
                create.arg("-");
                runner.run(vec![self.input.archive(runner), create])
            }
            Input::Folder(folder) => {
                create.arg(folder);
                runner.run(vec![create])
            }
        }
    }

    fn kept_bytes(&self) -> Result<u64, BenchError> {
        bytes_below(&self.repository())
    }

    fn first_again(&self, runner: &Runner) -> Vec<Command> {
        let mut extract = self.borg(runner);
        match self.input {
            Input::Database(_) => extract.args(["extract", "--stdout", "::1"]),
            Input::Folder(_) => extract.args(["export-tar", "::1", "-"]),
        };
        vec![extract]
    }

    fn verify(&self, runner: &Runner) -> Option<Command> {
        let mut check = self.borg(runner);
        check.args(["check", "--verify-data"]);
        Some(check)
    }
}
