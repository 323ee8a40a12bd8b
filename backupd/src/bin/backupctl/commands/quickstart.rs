//! `backupctl quickstart`.

use backup_model::Failure;

use crate::{context::Context, exit::Exit};

/// x
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

pub(crate) async fn run(_args: Args, _context: &Context) -> Result<Exit, Failure> {
    Ok(Exit::DONE)
}
