//! `backupctl kit confirm`.

use std::path::PathBuf;

use backup_core::{ops, repo::write_kit_proof};
use backup_keys::kit::KitStanding;
use backup_model::{Code, Failure};
use backupd::{clock, service::Place};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    super::{administrator::KeyArgs, place::PlaceArg},
    create::epochs,
    file, key, place,
};
use crate::{context::Context, exit::Exit, show};

/// Prove a recovery kit: every line holds, it is this repository's, and its key decrypts the
/// canary of each epoch that it opens.
///
/// On a host that has the repository in its configuration or state, that it was proved is written
/// down, with the date. Elsewhere it is not; without a configuration and --repository, the kit
/// itself says where the repository is.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The kit's file.
    kit: PathBuf,

    #[command(flatten)]
    place: PlaceArg,

    #[command(flatten)]
    key: KeyArgs,

    /// Prove it, and write nothing down.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Proved {
    repository: String,
    id: String,
    kit: PathBuf,
    location: String,
    administrator: String,
    at: Timestamp,
    /// When it must be proved again.
    until: Option<Timestamp>,
    opens: Vec<u64>,
    left_out: Vec<u64>,
    /// Where that was written down, on a host that has to do with the repository.
    written: Option<PathBuf>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let (kit, exposed) = file::read(&args.kit)?;
    let reach = place::reach(&kit, context)?;
    let access = &reach.access;
    let place = place::of_kit(&args.place, &kit, access)?;
    let repository = place.open(&access.secrets).await?;
    kit.matches(repository.record(), repository.trust())
        .map_err(|error| Failure::from_error(Code::KitMismatch, &error))?;
    let key = key::of_kit(&args.key, &kit, context).await?;
    let known = ops::known_trust(&repository).await;
    let known = known.map_err(|error| error.to_failure())?;
    let opens = kit.decrypt_canaries(&known, &*key);
    let opens = opens.map_err(|error| Failure::from_error(error.code(), &error))?;

    let now = clock::now();
    let trust = known.trust();
    let proof = kit.confirmation(trust, now).ok_or_else(|| {
        let text = "the kit's administrator is none of the repository";
        Failure::new(Code::KitMismatch, text)
    })?;
    let of_host = access.state.join(kit.repository.to_string());
    let is_place = reach.is_configured || of_host.is_dir();
    let written = if is_place && !args.dry_run {
        let written = write_kit_proof(&access.state, &proof);
        Some(written.map_err(|error| Failure::from_error(error.code(), &error))?)
    } else {
        None
    };
    let until = match KitStanding::of(Some(&proof), trust, &kit.location, now) {
        KitStanding::Confirmed(until) => Some(until),
        _ => None,
    };
    let proved = Proved {
        repository: place.name.clone(),
        id: kit.repository.to_string(),
        kit: args.kit,
        location: kit.location.clone(),
        administrator: kit.administrator.to_string(),
        at: now,
        until,
        opens,
        left_out: kit.left_out(trust),
        written,
    };
    let text = |proved: &Proved| text(proved, args.dry_run);
    context.output.document("kit-confirm", &proved, text);
    Ok(warn(&proved, place, exposed, context))
}

fn warn(proved: &Proved, place: &Place, exposed: Option<Failure>, context: &Context) -> Exit {
    let mut warnings: Vec<Failure> = exposed.into_iter().collect();
    if !proved.left_out.is_empty() {
        let text = format!(
            "the kit does not open {}: what was backed up then cannot be restored with it",
            epochs(&proved.left_out)
        );
        warnings.push(Failure::new(Code::WrongIdentity, text));
    }
    if place.url.shown() != proved.location {
        let text = format!(
            "the kit says that the repository is at {}, and this one is at {}: who has only the \
             kit will look there",
            proved.location,
            place.url.shown()
        );
        warnings.push(Failure::new(Code::KitMismatch, text));
    }
    for warning in &warnings {
        context.output.warning(warning);
    }
    if warnings.is_empty() {
        Exit::DONE
    } else {
        Exit::WARNINGS
    }
}

fn text(proved: &Proved, dry_run: bool) -> String {
    let until = proved.until.map_or_else(String::new, |until| {
        format!("\n  prove it again by {}", show::time(until))
    });
    let written = proved.written.as_ref().map_or_else(
        || {
            let why = if dry_run {
                "--dry-run was given"
            } else {
                "nothing on this machine has to do with the repository"
            };
            format!("not written down: {why}")
        },
        |file| format!("written down in {}", file.display()),
    );
    format!(
        "✓ {} opens {} of {}, {}{until}\n  {written}\n\n\
         Put the kit away again, not on a host that is backed up.\n",
        proved.kit.display(),
        epochs(&proved.opens),
        proved.repository,
        show::time(proved.at),
    )
}
