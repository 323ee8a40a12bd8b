//! `backupctl init`.

use std::path::PathBuf;

use backup_model::{Code, Failure};
use backupd::{
    clock,
    config::S3Config,
    environment,
    setup::{self, SetUp},
};
use serde::Serialize;

use crate::{context::Context, exit::Exit};

/// Make a repository, the keys of its first administrator, and a key for this host.
///
/// The repository is given by --repository; it must not exist, or be an empty folder, or an empty
/// bucket or part of one, which is asked whether it keeps two writers apart. What is
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
    /// The store does not keep two writers apart, and the configuration must say so.
    single_writer: bool,
    /// Further lines of the configuration's table.
    #[serde(skip)]
    more_lines: String,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let url = context.global.repository.clone().ok_or_else(|| {
        let text = "init needs --repository: the folder or bucket that the repository will be in";
        Failure::new(Code::Usage, text)
    })?;
    let absolute = |path: PathBuf| {
        std::path::absolute(&path).map_err(|error| Failure::from_error(Code::Usage, &error))
    };
    let secrets = environment::secret_sources();
    let s3 = context.s3(&url, &secrets)?;
    let set_up = SetUp {
        url: url.clone(),
        s3: s3.clone(),
        secrets,
        keys: absolute(args.keys)?,
        state: absolute(
            args.state
                .unwrap_or_else(|| context.places().default_state()),
        )?,
        now: clock::now(),
    };
    let created = setup::create_repository(&set_up).await?;
    let made = Made {
        repository: url.shown(),
        id: created.id.to_string(),
        trust: created.root,
        identity: created.identity,
        root_key: created.root_key,
        state: set_up.state,
        single_writer: !created.warnings.is_empty(),
        more_lines: more_lines(s3.as_ref(), !created.warnings.is_empty()),
    };
    for warning in &created.warnings {
        context.output.warning(warning);
    }
    context.output.document("init", &made, text);
    Ok(if created.warnings.is_empty() {
        Exit::DONE
    } else {
        Exit::WARNINGS
    })
}

/// What the configuration must say beside place and trust.
fn more_lines(s3: Option<&S3Config>, single_writer: bool) -> String {
    let mut lines = s3.map(s3_lines).unwrap_or_default();
    if single_writer {
        lines.push_str("  single_writer = true\n");
    }
    lines
}

/// What the configuration must say to reach a bucket as this command did.
fn s3_lines(s3: &S3Config) -> String {
    let mut lines = String::new();
    if let Some(endpoint) = &s3.endpoint {
        lines.push_str(&format!("  endpoint = {}\n", quoted(&endpoint.to_string())));
    }
    if let Some(region) = &s3.region {
        lines.push_str(&format!("  region = {}\n", quoted(region)));
    }
    if let Some(path_style) = s3.path_style {
        lines.push_str(&format!("  path_style = {path_style}\n"));
    }
    let token = match s3.credentials.session_token {
        Some(_) => ", session_token = { env = \"AWS_SESSION_TOKEN\" }",
        None => "",
    };
    lines.push_str(&format!(
        "  credentials = {{ access_key_id = {{ env = \"AWS_ACCESS_KEY_ID\" }}, \
         secret_access_key = {{ env = \"AWS_SECRET_ACCESS_KEY\" }}{token} }}\n",
    ));
    lines
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
         \x20 trust = \"{trust}\"\n{more}",
        more = made.more_lines,
        repository = made.repository,
        id = made.id,
        trust = made.trust,
        identity = made.identity.display(),
        root_key = made.root_key.display(),
        state = quoted(&made.state.display().to_string()),
        url = quoted(&made.repository),
    )
}
