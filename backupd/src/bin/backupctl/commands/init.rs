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
    let absolute = |path: PathBuf| {
        std::path::absolute(&path).map_err(|error| Failure::from_error(Code::Usage, &error))
    };
    let set_up = SetUp {
        url: url.clone(),
        keys: absolute(args.keys)?,
        state: absolute(
            args.state
                .unwrap_or_else(|| context.places().default_state()),
        )?,
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

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn text(made: &Made) -> String {
    format!(
        "made the repository {repository}\n\n\
         \x20 id        {id}\n\
         \x20 trust     {trust}   public: what it must be signed by\n\
         \x20 identity  {identity}   secret: restores every backup\n\
         \x20 root key  {root_key}   secret: decides who may read and write\n\n\
         Copy both secret files to a safe place and remove them from this host. Without the \
         identity nobody\ncan restore; with it anybody can.\n\n\
         For the configuration:\n\n\
         \x20 version = 1\n\
         \x20 state   = {state}\n\n\
         \x20 [repository.main]\n\
         \x20 url   = {url}\n\
         \x20 trust = \"{trust}\"\n",
        repository = made.repository,
        id = made.id,
        trust = made.trust,
        identity = made.identity.display(),
        root_key = made.root_key.display(),
        state = quoted(&made.state.display().to_string()),
        url = quoted(&made.repository),
    )
}
