//! `backupctl kit create`.

use std::path::{Path, PathBuf};

use backup_core::ops;
use backup_keys::{
    AdministratorKind,
    kit::{Kit, KitKey, Manual, RECOVERY_SCRIPT, storage_lines},
    read_private,
};
use backup_model::{Code, Failure};
use backupd::{clock, service::Place};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use super::{
    super::{
        administrator::{Key, KeyArgs},
        place::PlaceArg,
    },
    file, place,
};
use crate::{context::Context, exit::Exit};

/// Make a recovery kit: a file with all that a bare machine needs to restore.
///
/// It has the repository's address, what it must be signed by, the administrator's key or where
/// that lies, the commands, and the script that restores with stock tools. The key is proved to
/// open what is backed up now before anything is written.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    place: PlaceArg,

    #[command(flatten)]
    key: KeyArgs,

    /// The kit's file, which must not exist; by default in the working folder.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// A file that says where the key lies, which then is not in the kit. A key in hardware and a
    /// passphrase need it; it is asked for on a terminal.
    #[arg(long, value_name = "FILE")]
    elsewhere: Option<PathBuf>,

    /// A private file that says how the repository's storage is reached: access keys of a bucket,
    /// or where a disk is. Each line goes into the kit.
    #[arg(long, value_name = "FILE")]
    storage: Option<PathBuf>,

    /// Prove the key and say what the kit would hold, and stop.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Made {
    repository: String,
    id: String,
    kit: PathBuf,
    administrator: String,
    kind: String,
    holds_key: bool,
    opens: Vec<u64>,
    left_out: Vec<u64>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let access = context.access()?;
    let place = place::chosen(&args.place, &access)?;
    if let Some(out) = &args.out {
        file::check_place(out, &access)?;
    }
    let repository = place.open(&access.secrets).await?;
    let key = args.key.read(context).await?;
    let known = ops::known_trust(&repository).await;
    let known = known.map_err(|error| error.to_failure())?;
    let owner = known.owner(&key.identity);
    let owner = owner.map_err(|error| Failure::from_error(error.code(), &error))?;
    let storage = storage(args.storage.as_deref(), place, context)?;
    let at = (place.url.shown(), storage);
    let key = kit_key(key, args.elsewhere.as_deref(), context).await?;
    let kit = Kit::of(&known, owner, at, key, clock::now());
    let out = args.out.unwrap_or_else(|| default_out(&kit));
    file::check_place(&out, &access)?;
    let program = kit.commands();
    let manual = Manual {
        program: &program,
        script: RECOVERY_SCRIPT,
    };
    let text = kit.to_text(manual).map_err(|error| Failure {
        causes: error.faults.iter().map(|f| f.fault.to_string()).collect(),
        ..Failure::new(Code::Failed, "the kit cannot be written")
    })?;
    let made = Made {
        repository: place.name.clone(),
        id: kit.repository.to_string(),
        kit: out,
        administrator: kit.administrator.to_string(),
        kind: kit.kind.to_string(),
        holds_key: matches!(kit.key, KitKey::Here(_)),
        opens: kit.opens.iter().map(|(number, _)| *number).collect(),
        left_out: kit.left_out(known.trust()),
    };
    if args.dry_run {
        context
            .output
            .document("kit-create-plan", &made, |made| plan_of("would make", made));
    } else {
        file::write(&made.kit, &text)?;
        context.output.document("kit-create", &made, text_of);
    }
    Ok(warn(&made, context))
}

async fn kit_key(key: Key, elsewhere: Option<&Path>, context: &Context) -> Result<KitKey, Failure> {
    if let Some(path) = elsewhere {
        let lines = private_lines(path)?;
        let lines: Vec<&str> = lines.iter().map(SecretString::expose_secret).collect();
        return Ok(KitKey::Elsewhere(SecretString::from(lines.join(" "))));
    }
    let holds = [AdministratorKind::X25519, AdministratorKind::Ssh].contains(&key.identity.kind());
    if !holds {
        let answer = context
            .ask("Where does the key lie, or who knows it? ")
            .await?;
        if answer.is_empty() {
            let text = "this key cannot be in the kit: say with --elsewhere FILE where it lies";
            return Err(Failure::new(Code::Usage, text));
        }
        return Ok(KitKey::Elsewhere(SecretString::from(answer)));
    }
    key.text.map(KitKey::Here).ok_or_else(|| {
        let text = "the identity file is encrypted in binary, which cannot stand in a kit: \
                    encrypt it with `age -p -a`, or say with --elsewhere FILE where it lies";
        Failure::new(Code::IdentityInvalid, text)
    })
}

fn storage(
    given: Option<&Path>,
    place: &Place,
    context: &Context,
) -> Result<Vec<SecretString>, Failure> {
    let bucket = place.bucket();
    let lines = bucket.as_ref().map(|it| storage_lines(it, given.is_some()));
    let mut lines = lines.unwrap_or_default();
    if bucket.is_some() && given.is_none() {
        context.output.note(
            "The kit says where this host has the bucket's access key from, and does not hold it: \
             --storage FILE puts one in.",
        );
    }
    if let Some(path) = given {
        lines.extend(private_lines(path)?);
    }
    Ok(lines)
}

/// The lines of a private file that say something, with single blanks.
fn private_lines(path: &Path) -> Result<Vec<SecretString>, Failure> {
    let text = read_private(path).map_err(|error| Failure::from_error(Code::LocalIo, &error))?;
    let lines = text.expose_secret().lines().map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.join(" ")
    });
    let lines = lines.filter(|line| !line.is_empty());
    Ok(lines.map(SecretString::from).collect())
}

fn default_out(kit: &Kit) -> PathBuf {
    let id: String = kit.repository.to_string().chars().take(8).collect();
    PathBuf::from(format!("recovery-kit-{id}-{}.txt", kit.administrator))
}

fn warn(made: &Made, context: &Context) -> Exit {
    if made.left_out.is_empty() {
        return Exit::DONE;
    }
    let text = format!(
        "the kit's key does not open {}: what was backed up then cannot be restored with it",
        epochs(&made.left_out)
    );
    context
        .output
        .warning(&Failure::new(Code::WrongIdentity, text));
    Exit::WARNINGS
}

/// `epoch 1`, or `epochs 1, 2`.
pub(super) fn epochs(numbers: &[u64]) -> String {
    let texts: Vec<String> = numbers.iter().map(u64::to_string).collect();
    let noun = if texts.len() == 1 { "epoch" } else { "epochs" };
    format!("{noun} {}", texts.join(", "))
}

fn plan_of(verb: &str, made: &Made) -> String {
    let secret = if made.holds_key {
        "secret: restores every backup"
    } else {
        "says where the key lies"
    };
    let kit = made.kit.display();
    format!(
        "{verb} a recovery kit of {}\n\n\
         \x20 kit            {kit}   {secret}\n\
         \x20 administrator  {} ({})\n\
         \x20 opens          {}\n",
        made.repository,
        made.administrator,
        made.kind,
        epochs(&made.opens),
    )
}

fn text_of(made: &Made) -> String {
    let (plan, kit) = (plan_of("made", made), made.kit.display());
    format!(
        "{plan}\n\
         Next:\n\n\
         \x20 backupctl kit confirm {kit}   proves it, and writes down that it was proved\n\
         \x20 backupctl kit print {kit}     makes a page of it, to print\n\n\
         Then put file and paper away, each in another place and neither on this host, and \
         remove them here.\n",
    )
}
