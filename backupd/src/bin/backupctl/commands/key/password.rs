//! `backupctl key password`.

use std::path::PathBuf;

use backup_model::{Code, Failure, JobName};
use backupd::rotation::{Left, PasswordRotation, PasswordUse};
use serde::Serialize;

use crate::{context::Context, exit::Exit};

/// Replace the password of a job's database, on the server and in its file.
///
/// A new one is made, set over a connection with the old one, and tried by everything in the
/// configuration that reads the file, before it takes the file's place. If anything goes wrong the
/// old one is set again. The server is never told the password itself, so no log of it can show
/// it. After an interruption, call again: it ends what was begun.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The job.
    job: JobName,

    /// Which of its databases, where they have different passwords.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,

    /// Say what would be done, and stop.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// What is about to be done, and afterwards what was.
#[derive(Debug, Serialize)]
struct Plan {
    role: String,
    file: PathBuf,
    /// As `job/source`.
    used_by: Vec<String>,
    /// `new` makes a password, `end` puts in place the one that the server knows already.
    action: &'static str,
    consequences: Vec<String>,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let access = context.access()?;
    access.job(&args.job)?;
    let found = PasswordUse::of(&access.jobs, &args.job, args.source.as_deref())?;
    let rotation = PasswordRotation::look(&found, &access.secrets).await?;
    let plan = plan(&found, &rotation);
    let warned = warn(&found, &rotation, context);
    if args.dry_run {
        context.output.document("password-plan", &plan, text);
        return Ok(warned);
    }
    let shown = context.propose("password-plan", &plan, text);
    context.agree(shown, "Do it?").await?;
    rotation.run().await?;
    context.output.document("password-change", &plan, done);
    Ok(warned)
}

fn plan(found: &PasswordUse<'_>, rotation: &PasswordRotation) -> Plan {
    let signed_in = rotation.signed_in();
    let mut consequences = Vec::new();
    match rotation.left() {
        Left::Nothing => {}
        Left::Unused => consequences.push(format!(
            "A new password that the server does not know was left beside {} by an interrupted \
             rotation, and is removed.",
            found.file.display()
        )),
        Left::InUse => consequences.push(format!(
            "An interrupted rotation has changed the password on the server already; it is beside \
             {}.",
            found.file.display()
        )),
    }
    consequences.push(format!(
        "Whatever else signs in as `{}` needs the new password, from {}.",
        found.role(),
        found.file.display()
    ));
    if !signed_in.others.is_empty() {
        consequences.push(format!(
            "Signed in now as that role: {}.",
            signed_in.others.join(", ")
        ));
    }
    consequences.push("A backup that is just connecting may be refused once.".to_owned());
    if signed_in.makes_md5 {
        consequences.push(
            "The server's `password_encryption` is md5. The password is stored for SCRAM all the \
             same, which lines with md5 and with scram-sha-256 in pg_hba.conf take."
                .to_owned(),
        );
    }
    Plan {
        role: found.role().to_owned(),
        file: found.file.to_owned(),
        used_by: found.readers(),
        action: match rotation.left() {
            Left::InUse => "end",
            Left::Nothing | Left::Unused => "new",
        },
        consequences,
    }
}

/// Tells whom nobody could ask.
fn warn(found: &PasswordUse<'_>, rotation: &PasswordRotation, context: &Context) -> Exit {
    for name in rotation.unasked() {
        let text = format!(
            "{name} signs in as `{}` too, by another password, and could not be asked whether on \
             the same server: if so, it will be refused",
            found.role()
        );
        let warning = Failure::new(Code::PgConnect, text);
        context.output.warning(&warning);
    }
    if rotation.unasked().is_empty() {
        Exit::DONE
    } else {
        Exit::WARNINGS
    }
}

fn text(plan: &Plan) -> String {
    let what = match plan.action {
        "end" => "put the password that the server knows in place",
        _ => "make a new password",
    };
    let mut lines = vec![format!(
        "{what} for `{}`, in {}\n  read by {}",
        plan.role,
        plan.file.display(),
        plan.used_by.join(", ")
    )];
    lines.extend(plan.consequences.iter().map(|line| format!("  {line}")));
    lines.join("\n")
}

fn done(plan: &Plan) -> String {
    format!(
        "`{}` has a new password, in {}; {} came in with it, and the old one is gone",
        plan.role,
        plan.file.display(),
        plan.used_by.join(", ")
    )
}
