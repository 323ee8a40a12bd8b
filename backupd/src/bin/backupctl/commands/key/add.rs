//! `backupctl key add`.

use std::path::PathBuf;

use backup_keys::{NewWriter, OpensKeyFiles, PublicKey, Role};
use backup_model::{Code, Failure, JobName};
use backupd::{clock, service::role};
use jiff::Timestamp;

use super::{
    newcomer::{self, Newcomer},
    open::{Of, Opened, RootKey, authority, failed},
    plan::{Plan, told},
};
use crate::{commands::administrator::KeyArgs, context::Context, exit::Exit};

/// Let an administrator open backups, or a host's key sign them.
///
/// An administrator is named by his recipient, which is public: of age, SSH, or a plugin; or has a
/// passphrase and nothing else. He is let in by somebody who opens the repository now, by
/// --identity or --passphrase. With his own key at hand, --proof shows at once that he opens it; a
/// passphrase is its own proof.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// What trust will call the key.
    name: JobName,

    #[command(flatten)]
    whose: Whose,

    #[command(flatten)]
    key: KeyArgs,

    /// The new administrator's own key, to test it; what locks it is asked for on a terminal.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["writer", "new_passphrase_file"])]
    proof: Option<PathBuf>,

    /// What the writer may do.
    #[arg(
        long = "role",
        value_name = "ROLE",
        value_delimiter = ',',
        requires = "writer"
    )]
    roles: Vec<WriterRole>,

    /// For which jobs; all by default.
    #[arg(
        long = "job",
        value_name = "JOB",
        value_delimiter = ',',
        requires = "writer"
    )]
    jobs: Vec<JobName>,

    /// Until when the writer may begin backups.
    #[arg(long, value_name = "TIME", requires = "writer")]
    until: Option<Timestamp>,

    /// The writer of this name is put out at the same time: its host was rebuilt, or its key stolen.
    #[arg(long, requires = "writer")]
    replace: bool,

    #[command(flatten)]
    root: RootKey,

    #[command(flatten)]
    of: Of,

    /// Say what would be done, and stop.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

#[derive(clap::Args, Debug)]
#[group(required = true, multiple = false)]
struct Whose {
    /// An administrator, by his recipient: `age1…` or `ssh-…`.
    #[arg(long, value_name = "RECIPIENT")]
    recipient: Option<String>,

    /// The same, from a file.
    #[arg(long, value_name = "FILE")]
    recipient_file: Option<PathBuf>,

    /// An administrator who has a passphrase and nothing else: a private file with it.
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,

    /// A writer, by the public key that `backupctl key host` shows on its host.
    #[arg(long, value_name = "KEY")]
    writer: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum WriterRole {
    /// Back up.
    Write,
    /// Forget, prune, end runs that hang; for all jobs.
    Maintain,
    /// Sign proofs of restores.
    Prove,
}

impl From<WriterRole> for Role {
    fn from(role: WriterRole) -> Self {
        match role {
            WriterRole::Write => Self::Write,
            WriterRole::Maintain => Self::Maintain,
            WriterRole::Prove => Self::Prove,
        }
    }
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let usage = |text: &str| Failure::new(Code::Usage, text);
    if let Some(key) = &args.whose.writer {
        let key: PublicKey = key
            .parse()
            .map_err(|error| Failure::from_error(Code::Usage, &error))?;
        if args.roles.is_empty() {
            return Err(usage("a writer needs --role: write, maintain, prove"));
        }
        return writer(args, key, context).await;
    }
    let whose = &args.whose;
    let newcomer = match (
        &whose.recipient,
        &whose.recipient_file,
        &whose.new_passphrase_file,
    ) {
        (Some(text), _, _) => Newcomer::of_text(text)?,
        (None, Some(path), _) => Newcomer::of_file(path)?,
        (None, None, Some(path)) => Newcomer::of_passphrase(path)?,
        (None, None, None) => return Err(usage("whose key is it? --recipient or --writer")),
    };
    let Newcomer { recipient, proof } = newcomer;
    let by = args.key.read(context).await?;
    let proof = match (proof, &args.proof) {
        (None, Some(path)) => {
            let read = args.key.read_other(path.clone(), context).await?;
            Some(read.identity)
        }
        (proof, _) => proof,
    };
    let access = args.key.access(context)?;
    newcomer::check_plugin(&args.name, &recipient, &access)?;
    let root = args.root.read()?;
    let opened = args.of.open(context).await?;
    let plan = Plan {
        repository: opened.name.clone(),
        change: format!("let `{}` open backups, old and new", args.name),
        consequences: vec!["Whoever has that key can read everything."],
    };
    if !plan.agree(args.dry_run, context).await? {
        return Ok(Exit::DONE);
    }
    let authority = authority(&opened.repository, &root)?;
    let proof = proof.as_deref().map(|key| key as &dyn OpensKeyFiles);
    let added = authority.add_administrator(&args.name, &recipient, &*by.identity, proof, &access);
    let change = added.await.map_err(|error| failed(&error))?;
    let done = if change.tested {
        format!("`{}` is in, and has shown to open it", args.name)
    } else {
        format!(
            "`{}` is in; `backupctl key test` with that key shows whether it opens",
            args.name
        )
    };
    Ok(told(&opened.name, &change, &done, context))
}

async fn writer(args: &Args, key: PublicKey, context: &Context) -> Result<Exit, Failure> {
    let root = args.root.read()?;
    let opened = args.of.open(context).await?;
    let new = NewWriter {
        name: args.name.clone(),
        key,
        roles: args.roles.iter().copied().map(Role::from).collect(),
        jobs: (!args.jobs.is_empty()).then(|| args.jobs.clone()),
        from: clock::now(),
        until: args.until,
    };
    if !writer_plan(args, &new, &opened)
        .agree(args.dry_run, context)
        .await?
    {
        return Ok(Exit::DONE);
    }
    let authority = authority(&opened.repository, &root)?;
    let change = if args.replace {
        authority.replace_writer(&args.name, &new).await
    } else {
        authority.add_writer(&new).await
    };
    let change = change.map_err(|error| failed(&error))?;
    let done = format!("the writer `{}` is in", args.name);
    Ok(told(&opened.name, &change, &done, context))
}

fn writer_plan(args: &Args, new: &NewWriter, opened: &Opened) -> Plan {
    let roles: Vec<&str> = new.roles.iter().copied().map(role).collect();
    let jobs = match &new.jobs {
        None => "all jobs".to_owned(),
        Some(jobs) => {
            let jobs: Vec<&str> = jobs.iter().map(JobName::as_str).collect();
            jobs.join(", ")
        }
    };
    let (name, roles) = (&new.name, roles.join(", "));
    Plan {
        repository: opened.name.clone(),
        change: format!("let the writer `{name}` {roles} for {jobs}"),
        consequences: if args.replace {
            vec!["The writer of that name is put out; what it has stored so far stays."]
        } else {
            Vec::new()
        },
    }
}
