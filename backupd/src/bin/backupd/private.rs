//! `backupd run --private`: says where it answers, and ends with whoever started it.

use std::{
    io::{self, Read as _, Write as _},
    path::PathBuf,
    thread,
};

use backup_model::{Code, Failure};
use backupd::{
    config::{RepositoryUrl, S3Config},
    daemon::{Orders, Private, private_token},
    environment,
};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::{cli::RunArgs, local};

/// What whoever started it needs to know.
#[derive(Serialize)]
struct Ready<'a> {
    address: String,
    token: &'a str,
}

pub(crate) fn run(args: RunArgs) -> Result<(), Failure> {
    let usage = || {
        Failure::new(
            Code::Usage,
            "a private daemon needs a repository and its trust",
        )
    };
    let (repository, trust) = args.repository.zip(args.trust).ok_or_else(usage)?;
    let secrets = environment::secret_sources();
    let s3 = match &repository {
        RepositoryUrl::Folder(_) => None,
        _ => Some(S3Config::by_environment(
            args.endpoint,
            args.region,
            None,
            &secrets,
        )),
    };
    // Mode 0700, and gone at the end.
    let state = tempfile::tempdir().map_err(|error| local(&error))?;
    let token = private_token(state.path())?;
    let private = Private {
        repository,
        s3,
        trust,
    };
    let folders: Vec<PathBuf> = environment::program_folders();
    let settings = private.settings(state.path(), secrets, folders)?;
    let orders = Orders::default();
    follow_input(orders.leave.clone()).map_err(|error| local(&error))?;
    crate::run(settings, &orders, |addresses| {
        let address = addresses.first().map(ToString::to_string);
        let whole = token.whole();
        let ready = Ready {
            address: address.unwrap_or_default(),
            token: whole.expose_secret(),
        };
        let line = serde_json::to_string(&ready).unwrap_or_default();
        // Whoever does not read it is gone, and standard input has ended.
        writeln!(io::stdout(), "{line}").ok();
    })
}

/// The end of standard input is the end of whoever started us, however that came.
fn follow_input(leave: CancellationToken) -> io::Result<()> {
    let follow = move || {
        let mut some = [0; 256];
        while matches!(io::stdin().read(&mut some), Ok(1..)) {}
        leave.cancel();
    };
    let follower = thread::Builder::new().name("input".to_owned());
    follower.spawn(follow).map(|_| ())
}
