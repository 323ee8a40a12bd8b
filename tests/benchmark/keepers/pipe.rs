//! Plain programs in a pipe: an archive, zstd -3, age. Every store is a whole file.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Input, Keeper};
use crate::{
    error::BenchError,
    places::bytes_below,
    program::{Measured, Runner},
};

/// An age identity and its recipient.
#[derive(Debug)]
pub(crate) struct AgeKey {
    file: PathBuf,
    recipient: String,
}

impl AgeKey {
    /// A new one, in `folder`.
    pub(crate) fn make(folder: &Path, runner: &Runner) -> Result<Self, BenchError> {
        let file = folder.join("age.key");
        let mut generate = runner.command("age-keygen");
        generate.arg("-o").arg(&file);
        runner.run(vec![generate])?;
        let mut show = runner.command("age-keygen");
        show.arg("-y").arg(&file);
        let recipient = runner.read(vec![show])?.trim().to_owned();
        Ok(Self { file, recipient })
    }

    /// Encrypts standard input.
    pub(crate) fn encrypt(&self, runner: &Runner) -> Command {
        let mut command = runner.command("age");
        command.args(["-r", &self.recipient]);
        command
    }

    /// Decrypts a file.
    pub(crate) fn decrypt(&self, file: &Path, runner: &Runner) -> Command {
        let mut command = runner.command("age");
        command.arg("-d").arg("-i").arg(&self.file).arg(file);
        command
    }
}

/// Plain programs in a pipe.
pub(super) struct Pipe<'a> {
    input: Input<'a>,
    key: AgeKey,
    stored: PathBuf,
    count: u32,
}

impl<'a> Pipe<'a> {
    pub(super) fn make(
        input: Input<'a>,
        folder: &Path,
        runner: &Runner,
    ) -> Result<Self, BenchError> {
        let stored = folder.join("stored");
        fs::create_dir(&stored).map_err(BenchError::io("make", &stored))?;
        Ok(Self {
            input,
            key: AgeKey::make(folder, runner)?,
            stored,
            count: 0,
        })
    }
}

impl Keeper for Pipe<'_> {
    fn name(&self) -> &'static str {
        "zstd -3, age in a pipe"
    }

    fn store(&mut self, runner: &Runner) -> Result<Measured, BenchError> {
        self.count += 1;
        let mut zstd = runner.command("zstd");
        zstd.args(["-3", "-q", "-c"]);
        let pipe = vec![self.input.archive(runner), zstd, self.key.encrypt(runner)];
        runner.run_into_file(pipe, &self.stored.join(self.count.to_string()))
    }

    fn kept_bytes(&self) -> Result<u64, BenchError> {
        bytes_below(&self.stored)
    }

    fn first_again(&self, runner: &Runner) -> Vec<Command> {
        let mut zstd = runner.command("zstd");
        zstd.args(["-d", "-q", "-c"]);
        vec![self.key.decrypt(&self.stored.join("1"), runner), zstd]
    }

    fn deduplicates(&self) -> bool {
        false
    }

    fn verify(&self, _: &Runner) -> Option<Command> {
        None
    }
}
