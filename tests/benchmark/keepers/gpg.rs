//! The usual script: a plain dump, or a tar, into gpg, which compresses it by its own default.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
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
    runner: Runner,
    folder: PathBuf,
    stored: PathBuf,
    count: u32,
}

impl<'a> Gpg<'a> {
    pub(super) fn make(
        input: Input<'a>,
        folder: &Path,
        runner: &Runner,
    ) -> Result<Self, BenchError> {
        let stored = folder.join("stored");
        fs::create_dir(&stored).map_err(BenchError::io("make", &stored))?;
        // gpg warns of a home that others can look into.
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
            .map_err(BenchError::io("set the mode of", folder))?;
        let passphrase = folder.join("passphrase");
        fs::write(&passphrase, "of a benchmark\n").map_err(BenchError::io("write", &passphrase))?;
        Ok(Self {
            input,
            runner: runner.clone(),
            folder: folder.to_owned(),
            stored,
            count: 0,
        })
    }

    fn gpg(&self, runner: &Runner) -> Command {
        let mut command = runner.command("gpg");
        command
            .args(["--batch", "--quiet", "--pinentry-mode", "loopback"])
            .arg("--homedir")
            .arg(&self.folder)
            .arg("--passphrase-file")
            .arg(self.folder.join("passphrase"));
        command
    }
}

impl Drop for Gpg<'_> {
    fn drop(&mut self) {
        // gpg starts an agent of this home, which would stay behind; without one it fails. Left
        // alone it ends when its home is gone.
        let mut end = self.runner.command("gpgconf");
        end.arg("--homedir").arg(&self.folder);
        end.args(["--kill", "gpg-agent"]);
        self.runner.run(vec![end]).ok();
    }
}

impl Keeper for Gpg<'_> {
    fn name(&self) -> &'static str {
        "gpg script"
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
