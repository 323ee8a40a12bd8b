//! `backupctl key test`.

use std::path::PathBuf;

use backup_core::ops;
use backup_model::{Code, Failure, KeyTest};
use serde::Serialize;

use super::open::{Of, authority, failed, root_key};
use crate::{commands::administrator::KeyArgs, context::Context, exit::Exit, show};

/// Show that an administrator's key opens the repository: for each epoch its key file, and with it
/// the canary. With the root key, the repository remembers that it did.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    key: KeyArgs,

    /// The root key's file, to have it written down.
    #[arg(long, value_name = "FILE", env = "BACKUPCTL_ROOT_KEY")]
    root_key: Option<PathBuf>,

    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Serialize)]
struct Tested {
    repository: String,
    epochs: Vec<KeyTest>,
    /// The version of trust that says so; none if it is not written down.
    trust: Option<u64>,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let key = args.key.read(context).await?;
    let root = args.root_key.as_deref().map(root_key).transpose()?;
    let opened = args.of.open(context).await?;
    let tests = ops::test_key(&opened.repository, &*key.identity).await;
    let tests = tests.map_err(|error| failed(&error))?;
    let opens = |test: &KeyTest| test.administrator.is_some();
    if !tests.iter().any(opens) {
        let name = &key.shown;
        let causes = tests.iter().flat_map(|test| &test.faults);
        return Err(Failure {
            causes: causes.map(|fault| fault.message.clone()).collect(),
            ..Failure::new(
                Code::WrongIdentity,
                format!("{name} opens no epoch of {}", opened.name),
            )
        });
    }
    let trust = match &root {
        None => None,
        Some(root) => {
            let authority = authority(&opened.repository, root)?;
            let marked = authority.mark_tested(&tests).await;
            Some(marked.map_err(|error| failed(&error))?.trust)
        }
    };
    let all = tests.iter().all(opens);
    let faults = tests.iter().flat_map(|test| &test.faults);
    let exit = faults.fold(Exit::DONE, |exit, fault| exit.worse(Exit::of(fault.code)));
    let tested = Tested {
        repository: opened.name,
        epochs: tests,
        trust,
    };
    context.output.document("key-test", &tested, text);
    Ok(if all {
        exit
    } else {
        exit.worse(Exit::WARNINGS)
    })
}

fn text(tested: &Tested) -> String {
    let mut lines = Vec::new();
    for test in &tested.epochs {
        lines.push(match &test.administrator {
            Some(name) => format!("✓ epoch {}: opens, as `{name}`", test.epoch),
            None => format!("✗ epoch {}: does not open", test.epoch),
        });
        lines.extend(
            test.faults
                .iter()
                .map(|fault| format!("  {}", show::failure(fault))),
        );
    }
    lines.push(match tested.trust {
        Some(version) => format!("written down in trust version {version}"),
        None => "not written down: that takes the root key".to_owned(),
    });
    lines.join("\n")
}
