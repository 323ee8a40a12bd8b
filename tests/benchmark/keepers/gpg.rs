//! The usual script: a plain dump, or a tar, into gpg, which compresses it by its own default.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Dump, Input, Keeper};
use crate::{
    error::BenchError,
    places::bytes_below,
    program::{Measured, Runner},
};

/// The usual script.
pub(super) struct Gpg<'a> {
    input: Input<'a>,
    folder: PathBuf,
    stored: PathBuf,
    count: u32,
}

impl<'a> Gpg<'a> {
    pub(super) fn make(input: Input<'a>, folder: &Path) -> Result<Self, BenchError> {
        let stored = folder.join("stored");
        fs::create_dir(&stored).map_err(BenchError::io("make", &stored))?;
        let passphrase = folder.join("passphrase");
        fs::write(&passphrase, "of a benchmark\n").map_err(BenchError::io("write", &passphrase))?;
        Ok(Self {
            input,
            folder: folder.to_owned(),
            stored,
            count: 0,
        })
    }

    fn gpg(&self, runner: &Runner) -> Command {
        let mut command = runner.command("gpg");
        // Without its agent, which would stay behind.
        command
            .args([
                "--batch",
                "--quiet",
                "--no-autostart",
                "--pinentry-mode",
                "loopback",
            ])
            .arg("--homedir")
            .arg(&self.folder)
            .arg("--passphrase-file")
            .arg(self.folder.join("passphrase"));
        command
    }
}

impl Keeper for Gpg<'_> {
    fn name(&self) -> &'static str {
        match self.input {
            Input::Database(_) => "pg_dump | gpg",
            Input::Folder(_) => "tar | gpg",
        }
    }

    fn store(&mut self, runner: &Runner) -> Result<Measured, BenchError> {
        self.count += 1;
        let mut gpg = self.gpg(runner);
        gpg.arg("--symmetric");
        let pipe = vec![self.input.plain(runner), gpg];
        runner.run_into_file(pipe, &self.stored.join(self.count.to_string()))
    }

    fn kept_bytes(&self) -> Result<u64, BenchError> {
        bytes_below(&self.stored)
    }

    fn first_again(&self, runner: &Runner) -> Vec<Command> {
        let mut gpg = self.gpg(runner);
        gpg.arg("--decrypt").arg(self.stored.join("1"));
        vec![gpg]
    }

    fn dump(&self) -> Dump {
        Dump::Plain
    }

    fn deduplicates(&self) -> bool {
        false
    }

    fn verify(&self, _: &Runner) -> Option<Command> {
        None
    }
}
