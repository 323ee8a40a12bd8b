//! `backupctl key rotate`.

use std::{collections::BTreeMap, path::PathBuf};

use backup_core::ops;
use backup_keys::administrator::Access;
use backup_model::{Code, Failure, JobName};

use super::{
    open::{Of, RootKey, authority, failed, identity},
    plan::{Plan, told},
};
use crate::{context::Context, exit::Exit};

/// Begin a new epoch: what is backed up from now on is encrypted to another key.
///
/// Every administrator gets a key file for it. Backups made before stay readable with the keys of
/// their time. The next backup of each job stores everything anew.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The key of an administrator, who opens the new epoch before it counts.
    #[arg(long, value_name = "FILE", env = "BACKUPCTL_IDENTITY")]
    identity: PathBuf,

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
    let key = identity(&args.identity)?;
    let root = args.root.read()?;
    let opened = args.of.open(context).await?;
    let authority = authority(&opened.repository, &root)?;
    let tests = ops::test_key(&opened.repository, &key).await;
    let tests = tests.map_err(|error| failed(&error))?;
    let tester = tests.last().and_then(|test| test.administrator.clone());
    let tester = tester.ok_or_else(|| {
        let text = format!(
            "{} does not open the current epoch",
            args.identity.display()
        );
        Failure::new(Code::WrongIdentity, text)
    })?;
    let without = match &args.without {
        None => String::new(),
        Some(name) => format!(", which `{name}` does not open"),
    };
    let plan = Plan {
        repository: opened.name.clone(),
        change: format!("begin epoch {}{without}", tests.len() + 1),
        consequences: vec!["The next backup of each job stores everything anew."],
    };
    if !plan.agree(args.dry_run, context).await? {
        return Ok(Exit::DONE);
    }
    let (passphrases, access) = (BTreeMap::new(), Access::none());
    let rotated = authority.rotate(
        (&tester, &key),
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
