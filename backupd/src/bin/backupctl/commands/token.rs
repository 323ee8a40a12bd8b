//! `backupctl token …`.
//!
//! A token's secret is drawn here and shown once; the daemon, or where none runs its file of
//! tokens, gets the digest.

use std::{collections::BTreeSet, time::Duration};

use backup_model::{Code, Failure};
use backupd::{clock, http::Tokens, ledger::Claim, units::parse_duration};
use backupd_api::{
    HttpService, NewSecret, NewToken, Rotation, Scope, Scopes, TokenInfo, TokenText,
};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use serde::Serialize;

use crate::{
    context::Context,
    exit::Exit,
    show,
    table::{Align, table},
};

/// What to do with tokens.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    /// Make a token, and show it this once.
    Create(CreateArgs),
    /// List the tokens, without their secrets.
    List,
    /// Give a token another secret, and show it this once. The former one counts a while longer.
    Rotate(RotateArgs),
    /// Have a token count no more, at once.
    Revoke(RevokeArgs),
}

/// A new token.
#[derive(clap::Args, Debug)]
pub(crate) struct CreateArgs {
    /// What it is for.
    label: String,

    /// What it allows; may be given several times.
    #[arg(long, value_name = "SCOPE", required = true, value_delimiter = ',')]
    scope: Vec<ScopeArg>,

    /// For how long it counts, a year at most.
    #[arg(long, value_name = "SPAN", default_value = "90d", value_parser = parse_duration)]
    expires_in: Duration,
}

/// A new secret.
#[derive(clap::Args, Debug)]
pub(crate) struct RotateArgs {
    /// The token's id.
    id: String,

    /// For how long it counts from now on, a year at most.
    #[arg(long, value_name = "SPAN", default_value = "90d", value_parser = parse_duration)]
    expires_in: Duration,

    /// For how long the former secret counts as well.
    #[arg(long, value_name = "SPAN", default_value = "1h", value_parser = parse_duration)]
    overlap: Duration,
}

/// Which token.
#[derive(clap::Args, Debug)]
pub(crate) struct RevokeArgs {
    /// The token's id.
    id: String,
}

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
enum ScopeArg {
    /// See jobs, runs, snapshots, repositories.
    Status,
    /// Run, pause, resume and cancel jobs.
    Run,
    /// Verify.
    Verify,
    /// Look into snapshots and restore.
    Restore,
    /// Hold, release, forget, prune.
    Retention,
    /// All of it, and tokens.
    Admin,
}

impl From<ScopeArg> for Scope {
    fn from(arg: ScopeArg) -> Self {
        match arg {
            ScopeArg::Status => Self::Status,
            ScopeArg::Run => Self::Run,
            ScopeArg::Verify => Self::Verify,
            ScopeArg::Restore => Self::Restore,
            ScopeArg::Retention => Self::Retention,
            ScopeArg::Admin => Self::Admin,
        }
    }
}

pub(crate) async fn run(command: Command, context: &Context) -> Result<Exit, Failure> {
    let changes = !matches!(command, Command::List);
    let book = Book::open(context, changes).await?;
    let action = match (&book, &command) {
        // The daemon puts it on record, or there is nothing to put there.
        (Book::Daemon(_), _) | (_, Command::List) => return done(command, &book, context).await,
        (_, Command::Create(_)) => "token.add",
        (_, Command::Rotate(_)) => "token.rotate",
        (_, Command::Revoke(_)) => "token.revoke",
    };
    let work = done(command, &book, context);
    context.on_record(action, "tokens", work).await
}

async fn done(command: Command, book: &Book, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::Create(args) => create(args, book, context).await,
        Command::List => list(book, context).await,
        Command::Rotate(args) => rotate(&args, book, context).await,
        Command::Revoke(args) => revoke(&args, book, context).await,
    }
}

/// Who keeps the tokens.
enum Book {
    Daemon(HttpService),
    /// A daemon reads its file once, so it is changed only where none runs, and none starts
    /// meanwhile.
    File {
        tokens: Tokens,
        _claim: Option<Claim>,
    },
}

impl Book {
    async fn open(context: &Context, changes: bool) -> Result<Self, Failure> {
        if let Some(daemon) = context.daemon().await? {
            return Ok(Self::Daemon(daemon));
        }
        let state = context.access()?.state;
        let claim = changes.then(|| Claim::take_beside(&state)).transpose();
        let claim = claim.map_err(|error| Failure::from_error(error.code(), &error))?;
        Ok(Self::File {
            tokens: Tokens::open(&state)?,
            _claim: claim,
        })
    }
}

/// A token with its secret: shown once.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    info: TokenInfo,
    token: String,
}

impl Shown {
    fn show(info: TokenInfo, token: &TokenText, context: &Context) -> Exit {
        let token = token.whole().expose_secret().to_owned();
        let shown = Self { info, token };
        context.output.note(&format!(
            "token {} for {}: {}, until {}\nit is shown this once; keep it where only its user can read it",
            shown.info.id,
            show::name(&shown.info.label),
            scopes(&shown.info),
            show::time(shown.info.expires),
        ));
        context
            .output
            .document("token", &shown, |it| it.token.clone());
        Exit::DONE
    }
}

async fn create(args: CreateArgs, book: &Book, context: &Context) -> Result<Exit, Failure> {
    let token = TokenText::generate().map_err(|error| Failure::from_error(Code::Bug, &error))?;
    let scopes: BTreeSet<ScopeArg> = args.scope.into_iter().collect();
    let new = NewToken {
        id: token.id.clone(),
        label: args.label,
        scopes: Scopes(scopes.into_iter().map(Scope::from).collect()),
        expires: after(args.expires_in)?,
        secret: NewSecret(token.digest()),
    };
    let info = match book {
        Book::Daemon(daemon) => daemon.add_token(&new).await?,
        Book::File { tokens, .. } => tokens.add(&new, clock::now())?,
    };
    Ok(Shown::show(info, &token, context))
}

async fn rotate(args: &RotateArgs, book: &Book, context: &Context) -> Result<Exit, Failure> {
    let token = TokenText::renew(&args.id);
    let token = token.map_err(|error| Failure::from_error(Code::Bug, &error))?;
    let overlap = u32::try_from(args.overlap.as_secs());
    let rotation = Rotation {
        secret: NewSecret(token.digest()),
        overlap_secs: overlap.map_err(|error| Failure::from_error(Code::Usage, &error))?,
        expires: after(args.expires_in)?,
    };
    let info = match book {
        Book::Daemon(daemon) => daemon.rotate_token(&args.id, &rotation).await?,
        Book::File { tokens, .. } => tokens.rotate(&args.id, &rotation, clock::now())?,
    };
    Ok(Shown::show(info, &token, context))
}

async fn revoke(args: &RevokeArgs, book: &Book, context: &Context) -> Result<Exit, Failure> {
    let info = match book {
        Book::Daemon(daemon) => daemon.revoke_token(&args.id).await?,
        Book::File { tokens, .. } => tokens.revoke(&args.id)?,
    };
    context.output.document("revoked", &info, |info| {
        format!(
            "token {} for {} counts no more",
            info.id,
            show::name(&info.label)
        )
    });
    Ok(Exit::DONE)
}

#[derive(Serialize)]
struct Listed {
    tokens: Vec<TokenInfo>,
}

async fn list(book: &Book, context: &Context) -> Result<Exit, Failure> {
    let tokens = match book {
        Book::Daemon(daemon) => daemon.tokens().await?,
        Book::File { tokens, .. } => tokens.list(),
    };
    context
        .output
        .document("tokens", &Listed { tokens }, list_text);
    Ok(Exit::DONE)
}

fn list_text(listed: &Listed) -> String {
    if listed.tokens.is_empty() {
        return "no tokens".to_owned();
    }
    let now = clock::now();
    table(
        [
            ("TOKEN", Align::Left),
            ("FOR", Align::Left),
            ("SCOPES", Align::Left),
            ("UNTIL", Align::Left),
        ],
        listed.tokens.iter().map(|info| {
            let past = if info.expires <= now { ", past" } else { "" };
            [
                info.id.clone(),
                show::name(&info.label),
                scopes(info),
                format!("{}{past}", show::time(info.expires)),
            ]
        }),
    )
}

fn scopes(info: &TokenInfo) -> String {
    let words = info.scopes.0.iter().map(|scope| scope.as_str());
    words.collect::<Vec<_>>().join(", ")
}

fn after(span: Duration) -> Result<Timestamp, Failure> {
    let span = SignedDuration::try_from(span).ok();
    let time = span.and_then(|span| clock::now().checked_add(span).ok());
    time.ok_or_else(|| Failure::new(Code::Usage, "a token counts for a year at most"))
}
