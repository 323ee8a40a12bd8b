//! From an order to a restore that can begin: the snapshot's repository, what opens it, and the
//! server for its databases.

use backup_core::{
    ops::{self, Prepared, RestoreRequest},
    postgres::{Connection, Programs},
    repo::Repository,
    sink::directory::ExtractOptions,
};
use backup_model::{BackupReport, Code, Failure, JobName, RestorePlan, RestoreReport};
use backupd_api::{DatabaseOrder, RestoreOrder, Task};

use super::{Direct, direct::opened, sources};
use crate::config::{PostgresSource, SourceKind};

impl Direct {
    /// The server for a restore: the one that was named, or the job's own.
    async fn server(
        &self,
        job: &JobName,
        order: &DatabaseOrder,
    ) -> Result<(Connection, Programs), Failure> {
        if let Some(url) = &order.server {
            let connection = Connection::from_url(url)
                .map_err(|error| Failure::from_error(error.code(), &error))?;
            return Ok((connection, sources::programs(&self.access, None)?));
        }
        if let Some(server) = &self.server {
            return Ok(server.clone());
        }
        let text = || format!("no server is known for the databases of `{job}`");
        match self.configured(job).first() {
            Some(postgres) => self.reached(postgres).await,
            None => Err(Failure::new(Code::Usage, text())),
        }
    }

    /// The server on which the databases of a job are, for a restore in place; none if its
    /// configuration has no databases.
    async fn own_server(&self, job: &JobName) -> Result<Option<(Connection, Programs)>, Failure> {
        if let Some(server) = &self.server {
            return Ok(Some(server.clone()));
        }
        let mut own = None;
        for postgres in self.configured(job) {
            let (connection, programs) = self.reached(postgres).await?;
            match &own {
                None => own = Some((connection, programs)),
                Some((first, _)) if first.server() == connection.server() => {}
                // A database must not take the place of one of its name elsewhere.
                Some(_) => {
                    let text = format!(
                        "the databases of `{job}` are on several servers: restore each into a new \
                         one, with --to-database --server"
                    );
                    return Err(Failure::new(Code::Usage, text));
                }
            }
        }
        Ok(own)
    }

    /// The databases that a job reads by its configuration.
    fn configured(&self, job: &JobName) -> Vec<&PostgresSource> {
        let sources = self.access.jobs.get(job).into_iter();
        let sources = sources.flat_map(|job| &job.sources);
        let databases = sources.filter_map(|source| match &source.kind {
            SourceKind::Postgres(postgres) => Some(postgres),
            _ => None,
        });
        databases.collect()
    }

    /// A server through another database than the one that is read: that may be what was lost.
    async fn reached(&self, postgres: &PostgresSource) -> Result<(Connection, Programs), Failure> {
        let connection = sources::connection(&self.access, postgres).await?;
        let programs = sources::programs(&self.access, postgres.bin_dir.as_ref())?;
        Ok((connection.with_database("postgres"), programs))
    }

    /// Opens the repository and plans a restore.
    pub(super) async fn prepare(
        &self,
        order: &RestoreOrder,
    ) -> Result<(Repository, Prepared), Failure> {
        let job = &order.snapshot.job;
        in_place_alone(order)?;
        let repository = self.repository_of(job).await?;
        let opened = opened(&order.keys, &[&repository])?;
        let (server, database) = match &order.database {
            None if order.in_place => (self.own_server(job).await?, None),
            None => (None, None),
            Some(wanted) => (Some(self.server(job, wanted).await?), wanted.name.clone()),
        };
        let request = RestoreRequest {
            snapshot: order.snapshot.clone(),
            streams: order.streams.clone(),
            paths: order.paths.clone(),
            folder: order.folder.clone(),
            server,
            database,
            no_owner: order.no_owner,
            in_place: order.in_place,
            confirm: order.confirm.clone(),
            extract: ExtractOptions {
                numeric_owner: order.numeric_owner,
                keep_setid: order.keep_setid,
            },
            stamp: order.stamp.clone(),
        };
        let prepared = ops::plan(&repository, request, &opened).await;
        let mut prepared = prepared.map_err(|error| error.to_failure())?;
        if order.in_place && order.safety_backup {
            self.with_backup(job, &mut prepared.plan);
        }
        Ok((repository, prepared))
    }

    /// A plan before which the job is backed up, which its configuration must make possible.
    fn with_backup(&self, job: &JobName, plan: &mut RestorePlan) {
        plan.safety_backup = true;
        if let (Err(failure), Some(step)) = (self.access.job(job), plan.steps.first_mut()) {
            let text = format!(
                "no backup can be made first ({}); --no-safety-backup restores without one",
                failure.message
            );
            step.obstacles.push(Failure::new(failure.code, text));
        }
    }

    /// Restores. In place the job is backed up by `backup` before anything is replaced, unless the
    /// order does without; else `backup` is never begun.
    pub(crate) async fn restore_after(
        &self,
        order: &RestoreOrder,
        backup: impl Future<Output = Result<BackupReport, Failure>>,
        task: &Task,
    ) -> Result<RestoreReport, Failure> {
        let (repository, prepared) = self.prepare(order).await?;
        let wanted = prepared.plan.safety_backup;
        let before = async {
            if !wanted {
                return Ok(None);
            }
            backup.await.map(Some).map_err(|failure| {
                let text = "the backup before the restore failed, and nothing was changed; \
                            --no-safety-backup restores without one";
                let causes = std::iter::once(failure.message).chain(failure.causes);
                Failure {
                    causes: causes.collect(),
                    ..Failure::new(failure.code, text)
                }
            })
        };
        ops::restore_after(&repository, prepared, before, &task.progress, &task.cancel)
            .await
            .map_err(|error| error.to_failure())
    }
}

/// In place is where it came from, whole: nothing else can be said of it.
fn in_place_alone(order: &RestoreOrder) -> Result<(), Failure> {
    let usage = |text: &str| Err(Failure::new(Code::Usage, text));
    let database = order.database.as_ref();
    match order {
        RestoreOrder {
            in_place: false, ..
        } => Ok(()),
        RestoreOrder {
            folder: Some(_), ..
        } => usage("in place there is no other folder"),
        _ if database.is_some_and(|database| database.name.is_some()) => {
            usage("in place there is no other name for a database")
        }
        RestoreOrder { paths, .. } if !paths.is_empty() => {
            usage("in place a stream comes back whole: single paths go to a new folder")
        }
        _ => Ok(()),
    }
}
