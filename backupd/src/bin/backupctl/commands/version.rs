//! `backupctl version`.

use serde::Serialize;

use crate::{context::Context, exit::Exit};

/// Show the version of this program.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

#[derive(Serialize)]
struct Version {
    name: &'static str,
    version: &'static str,
}

pub(crate) fn run(_args: &Args, context: &Context) -> Exit {
    let version = Version {
        name: env!("CARGO_BIN_NAME"),
        version: env!("CARGO_PKG_VERSION"),
    };
    context.output.document("version", &version, |version| {
        format!("{} {}", version.name, version.version)
    });
    Exit::DONE
}
