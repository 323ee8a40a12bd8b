//! `backupctl key credentials`.

use std::path::PathBuf;

use backup_model::{Code, Failure};
use backupd::rotation::{CredentialsRotation, Left, NewCredentials};
use serde::Serialize;

use crate::{commands::place::PlaceArg, context::Context, exit::Exit};

/// Replace the access key of a repository's bucket by one that you made at the provider.
///
/// The new one is tried on the storage before anything changes: it must open the same repository,
/// list, and create. Then the files that the configuration names get it; the old ones are kept
/// until the repository was opened through the configuration, and put back if it was not. After an
/// interruption, call again, without files too: it ends what was begun.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    place: PlaceArg,

    /// A private file with the new key's name.
    #[arg(long, value_name = "FILE")]
    access_key_id_file: Option<PathBuf>,

    /// A private file with the new key's secret.
    #[arg(long, value_name = "FILE")]
    secret_access_key_file: Option<PathBuf>,

    /// A private file with the new token, for a temporary key.
    #[arg(long, value_name = "FILE")]
    session_token_file: Option<PathBuf>,

    /// Try the new key, say what would be done, and stop.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// What is about to be done, and afterwards what was.
#[derive(Debug, Serialize)]
struct Plan {
    repository: String,
    files: Vec<PathBuf>,
    /// The repositories that read them.
    used_by: Vec<String>,
    /// What an interrupted rotation left: `nothing`, `unused` or `in-use`.
    left: &'static str,
    consequences: Vec<&'static str>,
}

/// How it ended.
#[derive(Debug, Serialize)]
struct Done {
    #[serde(flatten)]
    plan: Plan,
    /// Whether the files hold another key than before.
    changed: bool,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let access = context.access()?;
    let known = access.places.iter().map(|place| place.name.clone());
    let name = args.place.among(known.collect())?;
    let mut places = access.places.iter();
    let place = places.find(|place| place.name == name);
    let place = place.ok_or_else(|| Failure::new(Code::RepositoryMissing, name.clone()))?;
    let new = NewCredentials {
        access_key_id: args.access_key_id_file.clone(),
        secret_access_key: args.secret_access_key_file.clone(),
        session_token: args.session_token_file.clone(),
    };
    let rotation = CredentialsRotation::look(&access, place, &new).await?;
    let plan = plan(name, &rotation);
    if let Some(refused) = rotation.present() {
        let text = "the access key in use now does not open the repository; the new one does";
        let mut causes = refused.causes.clone();
        causes.insert(0, refused.message.clone());
        let warning = Failure::new(refused.code, text);
        context.output.warning(&Failure { causes, ..warning });
    }
    if args.dry_run {
        context.output.document("credentials-plan", &plan, text);
        return Ok(Exit::DONE);
    }
    let shown = context.propose("credentials-plan", &plan, text);
    context.agree(shown, "Do it?").await?;
    let changed = rotation.run().await?;
    let done = Done { plan, changed };
    context.output.document("credentials-change", &done, told);
    Ok(Exit::DONE)
}

fn plan(repository: String, rotation: &CredentialsRotation<'_>) -> Plan {
    let left = match rotation.left() {
        Left::Nothing => "nothing",
        Left::Unused => "unused",
        Left::InUse => "in-use",
    };
    let mut consequences = match rotation.left() {
        Left::Nothing => vec![],
        Left::Unused => {
            vec!["An interrupted rotation left `.new` or `.old` beside the files: they go first."]
        }
        Left::InUse => vec![
            "An interrupted rotation left `.new` or `.old` beside the files, and a key that works: \
             that is put in place first, and they go.",
        ],
    };
    consequences.extend([
        "Whether the new key may delete, as forget and prune need it, is not tried.",
        "The old key goes on to work until you withdraw it at the provider.",
        "A recovery kit that holds the old key (`kit create --storage`) has to be made again.",
    ]);
    Plan {
        repository,
        files: rotation.files().map(ToOwned::to_owned).collect(),
        used_by: rotation.repositories().map(ToOwned::to_owned).collect(),
        left,
        consequences,
    }
}

fn text(plan: &Plan) -> String {
    let first = if plan.files.is_empty() {
        "an interrupted rotation is brought to its end"
    } else {
        "the new access key opens it, lists and creates"
    };
    let mut lines = vec![format!("{}: {first}", plan.repository)];
    let files = plan.files.iter();
    lines.extend(files.map(|file| format!("  {} gets new contents", file.display())));
    lines.push(format!("  read by {}", plan.used_by.join(", ")));
    lines.extend(plan.consequences.iter().map(|line| format!("  {line}")));
    lines.join("\n")
}

fn told(done: &Done) -> String {
    let Plan { repository, .. } = &done.plan;
    if done.changed {
        format!("{repository}: the new access key is in use; withdraw the old one at the provider")
    } else {
        format!("{repository}: the access key is the same as before")
    }
}
