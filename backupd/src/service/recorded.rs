//! What the service puts on record that works for somebody at a shell. Whoever asks the daemon is
//! put on record there.

use std::fmt::Display;

use backup_model::{Code, Failure, SnapshotName};
use backupd_audit::Act;
use futures::future::BoxFuture;

use super::Direct;
use crate::audit::Audit;

impl Direct {
    /// The same, and what it changes is on record as done by somebody. For whoever is not recorded
    /// elsewhere, as those are who ask the daemon.
    #[must_use]
    pub fn recorded(self, by: String) -> Self {
        Self {
            by: Some(by),
            ..self
        }
    }

    pub(super) fn audit_log(&self) -> Result<&Audit, Failure> {
        self.access.audit.as_ref().ok_or_else(|| {
            let text = "without a configuration there is no audit log";
            Failure::new(Code::Usage, text)
        })
    }

    /// Does something with its beginning and its end on record, if it is recorded here.
    pub(super) async fn on_record<T>(
        &self,
        action: &str,
        object: impl Display,
        work: BoxFuture<'_, Result<T, Failure>>,
    ) -> Result<T, Failure> {
        match (&self.by, &self.access.audit) {
            (Some(by), Some(audit)) => {
                let act = Act {
                    client: Some(concat!("backupctl ", env!("CARGO_PKG_VERSION")).to_owned()),
                    ..Act::new(by, action, object.to_string())
                };
                audit.around(act, work).await
            }
            _ => work.await,
        }
    }
}

/// Several snapshots as one object.
pub(super) fn listed(names: &[SnapshotName]) -> String {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    names.join(" ")
}
