//! `backupctl init`.

use std::path::PathBuf;

use backup_model::{Code, Failure};
use backupd::{
    clock,
    setup::{self, SetUp},
};
use serde::Serialize;

use crate::{context::Context, exit::Exit};

/// Make a repository, the keys of its first administrator, and a key for this host.
///
/// The repository is given by --repository; it must not exist, or be an empty folder. What is
/// written to --keys restores every backup and decides who may write: keep copies of it away from
/// this host. Nothing that stays on this host opens a backup.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The folder for the administrator's keys; it is made if it is not there.
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,

    /// The folder for this host's state: its writer key and caches. It must be the one that the
    /// configuration names.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

#[derive(Serialize)]
struct Made {
    repository: String,
    id: String,
    trust: String,
    identity: PathBuf,
    root_key: PathBuf,
    state: PathBuf,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let url = context.global.repository.clone().ok_or_else(|| {
        let text = "init needs --repository: the folder that the repository will be";
        Failure::new(Code::Usage, text)
    })?;
    let set_up = SetUp {
        url: url.clone(),
        keys: args.keys,
        state: args
            .state
            .unwrap_or_else(|| context.places().default_state()),
        now: clock::now(),
    };
    let created = setup::create_repository(&set_up).await?;
    let made = Made {
        repository: url.path().display().to_string(),
        id: created.id.to_string(),
        trust: created.root,
        identity: created.identity,
        root_key: created.root_key,
        state: set_up.state,
    };
    context.output.document("init", &made, text);
    Ok(Exit::DONE)
}

fn text(made: &Made) -> String {
    format!(
        "made the repository {repository}\n\n\
         \x20 id        {id}\n\
         \x20 root key  {trust}\n\
         \x20 identity  {identity}   restores every backup\n\
         \x20 root      {root_key}   decides who may read and write\n\n\
         Copy both files to a safe place and remove them from this host: whoever has them can \
         read everything,\nand without the identity nobody can.\n\n\
         For the configuration:\n\n\
         \x20 version = 1\n\
         \x20 state   = \"{state}\"\n\n\
         \x20 [repository.main]\n\
         \x20 url   = \"file://{repository}\"\n\
         \x20 trust = \"{trust}\"\n",
        repository = made.repository,
        id = made.id,
        trust = made.trust,
        identity = made.identity.display(),
        root_key = made.root_key.display(),
        state = made.state.display(),
    )
}
