//! The way itself, step by step.

use std::{path::PathBuf, time::Instant};

use backup_core::postgres::Programs;
use backup_model::{
    BackupReport, Code, Failure, JobName, Level, RestoreReport, Selection, SnapshotName, Verdict,
};
use backupd_api::{DatabaseOrder, EpochKeys, RestoreOrder, Service as _, Task, VerifyRequest};
use serde::Serialize;

use super::{
    compare::{self, Compared},
    sample::Sample,
    server::Server,
    workplace::{self, Input, Workplace},
};
use crate::{clock, config::SecretSources, service::Direct};

/// What to try it on, and where.
#[derive(Clone, Debug)]
pub struct Request {
    /// The new folder for everything.
    pub dir: PathBuf,
    /// The user's database, as a `postgres://` URL without a password.
    pub database: Option<String>,
    /// The file with its password.
    pub password_file: Option<PathBuf>,
    /// The user's folders.
    pub paths: Vec<PathBuf>,
    /// Where short-lived things go.
    pub temp: PathBuf,
    /// Folders to look for PostgreSQL's programs in, after Debian's.
    pub program_folders: Vec<PathBuf>,
    /// Where secrets are.
    pub secrets: SecretSources,
}

/// What was done and seen.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether the input was the sample.
    pub sample: bool,
    /// The first backup.
    pub first: BackupReport,
    /// The second one.
    pub second: BackupReport,
    /// Snapshots whose every byte was read and compared.
    pub verified: usize,
    /// How long that took.
    pub verify_secs: f64,
    /// The restore.
    pub restored: RestoreReport,
    /// The restored database beside its original.
    pub database: Option<Compared>,
    /// The restored folders beside their originals.
    pub folders: Option<Compared>,
    /// Where everything is.
    pub dir: PathBuf,
    /// The repository.
    pub repository: PathBuf,
    /// The administrator's identity.
    pub identity: PathBuf,
    /// The root key.
    pub root_key: PathBuf,
    /// The configuration.
    pub config: PathBuf,
    /// The restored folders.
    pub restored_folder: Option<PathBuf>,
    /// The job.
    pub job: JobName,
}

impl Report {
    /// Whether everything that was restored equals its original.
    pub fn is_equal(&self) -> bool {
        let both = [&self.database, &self.folders];
        both.into_iter()
            .flatten()
            .all(|compared| compared.different.is_empty())
    }
}

/// Goes the whole way. `say` hears of each step.
pub async fn quickstart(
    request: Request,
    say: &(dyn Fn(&str) + Sync),
    task: &Task,
) -> Result<Report, Failure> {
    let is_sample = request.database.is_none() && request.paths.is_empty();
    // What is wrong with the arguments is said before anything is made.
    let own = if is_sample {
        None
    } else {
        Some(workplace::own_input(&request)?)
    };
    say("making repository and keys");
    let workplace = Workplace::make(&request.dir, &request.secrets).await?;
    let server = if is_sample || request.database.is_some() {
        say("starting a private, throw-away PostgreSQL server");
        let programs = Programs::find(None, &request.program_folders)
            .map_err(|error| Failure::from_error(error.code(), &error))?;
        Some(Server::start(programs, &request.temp).await?)
    } else {
        None
    };
    let done = go(request, own, workplace, server.as_ref(), say, task).await;
    if let Some(server) = server {
        // The server is only a means: that it does not stop in order spoils no result.
        if let Err(error) = server.stop().await {
            say(&format!(
                "the throw-away server did not stop in order: {error}"
            ));
        }
    }
    done
}

async fn go(
    request: Request,
    own: Option<Input>,
    workplace: Workplace,
    server: Option<&Server>,
    say: &(dyn Fn(&str) + Sync),
    task: &Task,
) -> Result<Report, Failure> {
    let (input, sample) = match (own, server) {
        (Some(own), _) => (own, None),
        (None, Some(server)) => {
            say("filling it with a chat application's data");
            let sample = Sample::make(server, &workplace).await?;
            (sample.input(&workplace)?, Some(sample))
        }
        (None, None) => return Err(Failure::new(Code::Bug, "the sample has no server")),
    };
    let config = workplace.configure(&input)?;
    let service = workplace::service(&config, &request)?;

    say("first backup");
    let first = service.backup(&input.job, task).await?;
    if let Some(sample) = &sample {
        say("a day's work: about 1 % of the rows and some files change");
        sample.change().await?;
    }
    say("second backup");
    let second = service.backup(&input.job, task).await?;
    say("verifying: every byte is read");
    let started = Instant::now();
    let verified = verify(&service, &workplace, task).await?;
    let verify_secs = started.elapsed().as_secs_f64();
    say("restoring into new places");
    let keys = workplace.keys(&service).await?;
    let order = restore_order(
        &input,
        &workplace,
        (second.snapshot.clone(), keys),
        sample.is_some(),
    );
    let restoring = match server {
        Some(server) => service.with_server(server.maintenance()),
        None => service,
    };
    let restored = restoring.restore(&order, task).await?;
    say("comparing with the originals");
    let database = match (&input.database, server) {
        (Some(original), Some(server)) => {
            Some(compare::databases(original, &server.restored(&restored)?).await?)
        }
        _ => None,
    };
    let folders = compare::folders(&input.paths, order.folder.as_deref())?;
    Ok(Report {
        sample: sample.is_some(),
        first,
        second,
        verified,
        verify_secs,
        database,
        folders,
        repository: workplace.repository(),
        identity: workplace.identity_file(),
        root_key: workplace.root_key_file(),
        restored_folder: order.folder,
        dir: request.dir,
        restored,
        config,
        job: input.job,
    })
}

/// Into new places: a folder of the workplace, a database of the throw-away server.
fn restore_order(
    input: &Input,
    workplace: &Workplace,
    (snapshot, keys): (SnapshotName, EpochKeys),
    is_sample: bool,
) -> RestoreOrder {
    let folder = (!input.paths.is_empty()).then(|| workplace.restored());
    let database = input.database.is_some().then(DatabaseOrder::default);
    RestoreOrder {
        snapshot,
        streams: Vec::new(),
        paths: Vec::new(),
        folder,
        database,
        in_place: false,
        confirm: None,
        safety_backup: false,
        // The roles of the user's server do not exist on the throw-away one.
        no_owner: !is_sample,
        numeric_owner: false,
        keep_setid: false,
        stamp: clock::stamp(clock::now()),
        keys,
    }
}

async fn verify(service: &Direct, workplace: &Workplace, task: &Task) -> Result<usize, Failure> {
    let request = VerifyRequest {
        selection: Selection::All,
        level: Level::Data,
        keys: Some(workplace.keys(service).await?),
    };
    let mut verified = 0;
    let mut wrong = None;
    let mut report = |report: backup_model::VerifyReport| match report.verdict {
        Verdict::Good => verified += 1,
        Verdict::Damaged { faults } => wrong = wrong.take().or(faults.into_iter().next()),
        Verdict::Untested { reason } => wrong = wrong.take().or(Some(reason)),
        _ => {}
    };
    service.verify(&request, &mut report, task).await?;
    match wrong {
        None => Ok(verified),
        Some(failure) => Err(failure),
    }
}
