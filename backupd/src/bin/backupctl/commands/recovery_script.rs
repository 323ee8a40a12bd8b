//! `backupctl recovery-script`.

use backup_keys::kit::RECOVERY_SCRIPT;
use serde::Serialize;

use crate::{context::Context, exit::Exit};

/// Print the script that restores a backup with age, zstd, minisign, sha256sum and python3 alone.
///
/// Keep it with the keys: it needs nothing of this program.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

#[derive(Serialize)]
struct Script {
    script: &'static str,
}

pub(crate) fn run(_args: &Args, context: &Context) -> Exit {
    let script = Script {
        script: RECOVERY_SCRIPT,
    };
    context
        .output
        .document("recovery-script", &script, |script| {
            script.script.to_owned()
        });
    Exit::DONE
}
