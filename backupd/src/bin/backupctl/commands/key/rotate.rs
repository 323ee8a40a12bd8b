//! `backupctl key rotate`.

use backup_core::ops;
use backup_model::{Code, Failure, JobName};

use super::{
    newcomer,
    open::{Of, RootKey, authority, failed},
    passphrases::{self, PassphraseOf},
    plan::{Plan, told},
};
use crate::{commands::administrator::KeyArgs, context::Context, exit::Exit};

/// Begin a new epoch: what is backed up from now on is encrypted to another key.
///
/// Every administrator gets a key file for it, by his recipient, or by his passphrase if it is at
/// hand; the key that is given opens the new epoch before it counts. Backups made before stay
/// readable with the keys of their time. The next backup of each job stores everything anew.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    key: KeyArgs,

    /// The passphrase of an administrator who has nothing else, in a private file; may be given
    /// several times. Without it he does not open the new epoch.
    #[arg(long, value_name = "NAME=FILE")]
    passphrase_of: Vec<PassphraseOf>,

    /// An administrator who shall not open it.
    #[arg(long, value_name = "NAME")]
    without: Option<JobName>,

    #[command(flatten)]
    root: RootKey,

    #[command(flatten)]
    of: Of,

    /// Say what would be done, and stop.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let key = args.key.read(context).await?;
    let root = args.root.read()?;
    let opened = args.of.open(context).await?;
    let authority = authority(&opened.repository, &root)?;
    let tests = ops::test_key(&opened.repository, &*key.identity).await;
    let tests = tests.map_err(|error| failed(&error))?;
    let tester = tests.last().and_then(|test| test.administrator.clone());
    let tester = tester.ok_or_else(|| {
        let text = format!("{} does not open the current epoch", key.shown);
        Failure::new(Code::WrongIdentity, text)
    })?;
    let given = (&args.passphrase_of[..], args.without.as_ref());
    let passphrases = passphrases::read(given.0, (&tester, &key), &opened.repository).await?;
    let missing = passphrases::missing(&opened.repository, &passphrases, given.1);
    let out: Vec<String> = given
        .1
        .into_iter()
        .chain(missing)
        .map(|name| format!("`{name}`"))
        .collect();
    let without = match &out[..] {
        [] => String::new(),
        [name] => format!(", which {name} does not open"),
        names => format!(", which {} do not open", names.join(", ")),
    };
    let plan = Plan {
        repository: opened.name.clone(),
        change: format!("begin epoch {}{without}", tests.len() + 1),
        consequences: vec!["The next backup of each job stores everything anew."],
    };
    let access = args.key.access(context)?;
    newcomer::check_plugins(&opened.repository, args.without.as_ref(), &access)?;
    if !plan.agree(args.dry_run, context).await? {
        return Ok(Exit::DONE);
    }
    let rotated = authority.rotate(
        (&tester, &*key.identity),
        args.without.as_ref(),
        &passphrases,
        &access,
    );
    let change = rotated.await.map_err(|error| failed(&error))?;
    let done = format!(
        "epoch {} has begun, and `{tester}` opens it",
        tests.len() + 1
    );
    Ok(told(&opened.name, &change, &done, context))
}
