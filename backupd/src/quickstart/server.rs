//! The throw-away server that the sample lives on, and that databases are restored into.

use std::path::Path;

use backup_core::postgres::{Connection, Programs, ScratchCluster, ScratchError};
use backup_model::{Code, Failure, RestoreReport, RestoreTarget};

/// A running throw-away server.
#[derive(Debug)]
pub(super) struct Server {
    cluster: ScratchCluster,
    programs: Programs,
}

impl Server {
    pub(super) async fn start(programs: Programs, temp: &Path) -> Result<Self, Failure> {
        let cluster = ScratchCluster::start(&programs, temp)
            .await
            .map_err(|error| Failure::from_error(error.code(), &error))?;
        Ok(Self { cluster, programs })
    }

    pub(super) async fn stop(self) -> Result<(), ScratchError> {
        self.cluster.stop().await
    }

    pub(super) fn connection(&self, database: &str) -> Connection {
        self.cluster.connection(database)
    }

    /// How a restore reaches it.
    pub(super) fn maintenance(&self) -> (Connection, Programs) {
        (self.cluster.connection("postgres"), self.programs.clone())
    }

    /// The database that a restore made here.
    pub(super) fn restored(&self, report: &RestoreReport) -> Result<Connection, Failure> {
        let made = report
            .streams
            .iter()
            .find_map(|stream| match &stream.target {
                RestoreTarget::Database { database, .. } => Some(database),
                _ => None,
            });
        made.map(|database| self.cluster.connection(database.as_str()))
            .ok_or_else(|| Failure::new(Code::Bug, "the restore made no database"))
    }
}
