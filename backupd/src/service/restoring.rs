//! From an order to a restore that can begin: the snapshot's repository, what opens it, and the
//! server for its databases.

use backup_core::{
    ops::{self, Prepared, RestoreRequest},
    postgres::{Connection, Programs},
    repo::Repository,
    sink::directory::ExtractOptions,
};
use backup_model::{Code, Failure, JobName};
use backupd_api::{DatabaseOrder, RestoreOrder};

use super::{Direct, direct::opened, sources};
use crate::config::SourceKind;

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
        let configured = self.access.jobs.get(job).and_then(|job| {
            job.sources.iter().find_map(|source| match &source.kind {
                SourceKind::Postgres(postgres) => Some(postgres),
                _ => None,
            })
        });
        let Some(postgres) = configured else {
            let text = format!("no server is known for the databases of `{job}`");
            return Err(Failure::new(Code::Usage, text));
        };
        let connection = sources::connection(&self.access, postgres).await?;
        let programs = sources::programs(&self.access, postgres.bin_dir.as_ref())?;
        // Not the database itself: it may be what was lost.
        Ok((connection.with_database("postgres"), programs))
    }

    /// Opens the repository and plans a restore.
    pub(super) async fn prepare(
        &self,
        order: &RestoreOrder,
    ) -> Result<(Repository, Prepared), Failure> {
        let repository = self.repository_of(&order.snapshot.job).await?;
        let opened = opened(&order.keys, &[&repository])?;
        let (server, database) = match &order.database {
            None => (None, None),
            Some(wanted) => (
                Some(self.server(&order.snapshot.job, wanted).await?),
                wanted.name.clone(),
            ),
        };
        let request = RestoreRequest {
            snapshot: order.snapshot.clone(),
            streams: order.streams.clone(),
            paths: order.paths.clone(),
            folder: order.folder.clone(),
            server,
            database,
            no_owner: order.no_owner,
            extract: ExtractOptions {
                numeric_owner: order.numeric_owner,
                keep_setid: order.keep_setid,
            },
            stamp: order.stamp.clone(),
        };
        let prepared = ops::plan(&repository, request, &opened).await;
        let prepared = prepared.map_err(|error| error.to_failure())?;
        Ok((repository, prepared))
    }
}
