//! What is stored: the database under its name, or a folder.

use std::{path::Path, process::Command};

use crate::{data::NAME, program::Runner, server::Server};

/// What is stored.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    /// The benchmark's database.
    Database(&'a Server),
    /// A folder.
    Folder(&'a Path),
}

impl Input<'_> {
    /// A program that prints it: an uncompressed archive of `pg_dump`, or a tar.
    pub(crate) fn archive(&self, runner: &Runner) -> Command {
        match self {
            Self::Database(server) => {
                let mut command = server.pg_dump(NAME);
                command.args(["-Fc", "-Z0"]);
                command
            }
            Self::Folder(folder) => {
                let mut command = runner.command("tar");
                command.arg("-C").arg(folder).args(["-cf", "-", "."]);
                command
            }
        }
    }

    /// The same; of a database the plain dump.
    pub(super) fn plain(&self, runner: &Runner) -> Command {
        match self {
            Self::Database(server) => server.pg_dump(NAME),
            Self::Folder(_) => self.archive(runner),
        }
    }
}
