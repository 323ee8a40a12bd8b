//! `backupctl key host`.

use backup_core::repo::Host;
use backup_keys::SecretKey;
use backup_model::Failure;
use serde::Serialize;

use super::open::Of;
use crate::{context::Context, exit::Exit};

/// Show this host's writer key for a repository; make one where there is none.
///
/// The key counts once an administrator has let it in: `backupctl key add NAME --writer KEY`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Serialize)]
struct Shown {
    repository: String,
    /// The public key.
    key: String,
    /// Whether it was made just now.
    made: bool,
    /// What trust calls it; none if it was not let in.
    writer: Option<String>,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let opened = args.of.open(context).await?;
    let (state, id) = (&opened.access.state, opened.repository.id());
    let failed = |error: &backup_core::repo::HostError| Failure::from_error(error.code(), error);
    let (host, made) = match Host::open(state, id) {
        Ok(host) => (host, false),
        Err(backup_core::repo::HostError::NoKey(_)) => {
            let key = SecretKey::generate()
                .map_err(|error| Failure::from_error(backup_model::Code::Failed, &error))?;
            (
                Host::create(state, id, key).map_err(|error| failed(&error))?,
                true,
            )
        }
        Err(error) => return Err(failed(&error)),
    };
    let key = host.key().public();
    let writer = opened.repository.trust().writer(key.key_id());
    let writer = writer.filter(|writer| writer.removed.is_none());
    let shown = Shown {
        repository: opened.name,
        key: key.to_string(),
        made,
        writer: writer.map(|writer| writer.name.to_string()),
    };
    context.output.document("key-host", &shown, text);
    Ok(Exit::DONE)
}

fn text(shown: &Shown) -> String {
    match &shown.writer {
        Some(name) => format!("{}\nis `{name}` in {}", shown.key, shown.repository),
        None => format!(
            "{}\n{}; it counts once an administrator has let it in, where the root key is:\n  \
             backupctl key add NAME --writer {} --role write --root-key root.key",
            shown.key,
            if shown.made {
                "was made just now"
            } else {
                "was not let in"
            },
            shown.key
        ),
    }
}
