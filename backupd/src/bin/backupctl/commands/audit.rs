//! `backupctl audit …`.

use std::ops::ControlFlow;

use backup_model::{
    AuditCheck, AuditEntry, AuditFault, AuditOutcome, AuditPage, AuditQuery, Code, Failure,
};
use backupd::{audit::Audit, clock};

use super::when;
use crate::{
    context::Context,
    exit::Exit,
    show,
    table::{Align, table},
};

/// What to know of the audit log.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    /// List who did what, the newest first.
    List(ListArgs),
    /// Check that the log is as it was written: by itself, and by what snapshots say of it.
    ///
    /// Each entry names the digest of the one before, and each snapshot that this host makes names
    /// the last one. The exit status is 4 if something was cut, changed or put in another order.
    Verify,
    /// Write the lines to standard output as they are stored, the oldest first.
    Export,
}

/// Which entries.
#[derive(clap::Args, Debug)]
pub(crate) struct ListArgs {
    /// Only by this actor: `schedule`, `uid 1000`, `token 0123…`.
    #[arg(long, value_name = "ACTOR")]
    actor: Option<String>,

    /// Only this action, or those below it: `token` for `token.add`.
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,

    /// Only from this address, as far as its pseudonyms can still be told.
    #[arg(long, value_name = "ADDRESS")]
    source: Option<String>,

    /// Only since then: `8h`, `2026-12-01`, or a full RFC 3339 time.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,

    /// Only those before this entry.
    #[arg(long, value_name = "NUMBER")]
    before: Option<u64>,

    /// So many at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
}

pub(crate) async fn run(command: Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::List(args) => list(args, context).await,
        Command::Verify => verify(context).await,
        Command::Export => export(context),
    }
}

async fn list(args: ListArgs, context: &Context) -> Result<Exit, Failure> {
    let since = args.since.as_deref();
    let since = since.map(|text| when::parse_past(text, clock::now()));
    let query = AuditQuery {
        actor: args.actor,
        action: args.action,
        source: args.source,
        since: since.transpose()?,
        before: args.before,
        limit: Some(args.limit),
    };
    let page = context.service().await?.audit(&query).await?;
    context.output.document("audit", &page, list_text);
    Ok(Exit::DONE)
}

fn list_text(page: &AuditPage) -> String {
    if page.entries.is_empty() {
        return "no entries".to_owned();
    }
    let listed = table(
        [
            ("#", Align::Right),
            ("TIME", Align::Left),
            ("ACTOR", Align::Left),
            ("ACTION", Align::Left),
            ("OBJECT", Align::Left),
            ("OUTCOME", Align::Left),
            ("SOURCE", Align::Left),
        ],
        page.entries.iter().map(row),
    );
    match page.next {
        Some(last) => format!("{listed}\nthere are older ones: --before {last}"),
        None => listed,
    }
}

fn row(entry: &AuditEntry) -> [String; 7] {
    let outcome = match (entry.outcome, &entry.details) {
        (AuditOutcome::Failed | AuditOutcome::Refused, Some(code)) => {
            format!("{} {}", entry.outcome, show::name(code))
        }
        (outcome, _) => outcome.to_string(),
    };
    [
        entry.seq.to_string(),
        show::time(entry.time),
        show::name(&entry.actor),
        show::name(&entry.action),
        show::name(&entry.object),
        outcome,
        entry.source.clone().unwrap_or_else(|| "-".to_owned()),
    ]
}

async fn verify(context: &Context) -> Result<Exit, Failure> {
    let told = context.service().await?.check_audit().await?;
    context.output.document("audit-check", &told, verify_text);
    if told.faults.is_empty() {
        return Ok(Exit::DONE);
    }
    let text = "the audit log is not as it was written";
    Err(Failure::new(Code::AuditDamaged, text))
}

fn verify_text(told: &AuditCheck) -> String {
    let mut lines: Vec<String> = told.faults.iter().map(fault_text).collect();
    lines.push(match (told.first, told.last) {
        (Some(first), Some(last)) if told.faults.is_empty() => {
            let snapshots = show::number(told.snapshots, "snapshot names", "snapshots name");
            format!("✓ verified from entry {first} to entry {last}; {snapshots} one of them")
        }
        (Some(first), Some(last)) => {
            let faults = show::count(told.faults.len(), "fault", "faults");
            format!("✕ {faults} in entries {first} to {last}")
        }
        _ => "there are no entries".to_owned(),
    });
    lines.join("\n")
}

fn fault_text(fault: &AuditFault) -> String {
    match (&fault.file, fault.line) {
        (Some(file), Some(line)) => format!("✕ {file}:{line}: {}", fault.what),
        _ => format!("✕ {}", fault.what),
    }
}

/// Always in this process: the lines as they are, so that they can be checked elsewhere.
fn export(context: &Context) -> Result<Exit, Failure> {
    if context.global.daemon.daemon_address.is_some() {
        let text = "the lines are exported on the machine whose log it is";
        return Err(Failure::new(Code::Usage, text));
    }
    let config = context.config()?;
    let audit = Audit::new(&config.audit, &config.state);
    let copied = audit
        .log()
        .export(|lines| match context.output.data(lines) {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => ControlFlow::Break(failure),
        });
    match copied.map_err(|error| Failure::from_error(error.code(), &error))? {
        ControlFlow::Continue(()) => Ok(Exit::DONE),
        ControlFlow::Break(failure) => Err(failure),
    }
}
